"""All that is kept of a user, as plain data that is JSON."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any, Protocol, cast
from uuid import UUID

from domain.accounts.addresses import Addresses
from domain.accounts.favorites import Favorites
from domain.accounts.looks import MAX_VIEWED
from domain.accounts.model import Session
from domain.accounts.preferences import PreferenceDesk
from domain.accounts.profiles import Profiles
from domain.accounts.viewed import ViewHistory
from domain.carts.service import CartDesk
from domain.orders.service import OrderDesk
from domain.reviews.service import ReviewBoard
from domain.shared.clock import Clock
from domain.shared.money import Money
from domain.shared.paging import PageRequest
from domain.shared.refusals import Unauthenticated
from domain.shared.viewer import Viewer

FORMAT = 1
MOST = 1_000
"""Orders, reviews and favourites of one export each, the newest; `truncated` names what has more."""

Json = dict[str, Any]


class SessionList(Protocol):
    async def sessions_of(self, viewer: Viewer) -> Sequence[Session]:
        """The viewer's sessions that have not ended."""
        ...


class AccountExport:
    def __init__(
        self,
        profiles: Profiles,
        addresses: Addresses,
        favorites: Favorites,
        preferences: PreferenceDesk,
        viewed: ViewHistory,
        carts: CartDesk,
        orders: OrderDesk,
        reviews: ReviewBoard,
        sessions: SessionList,
        clock: Clock,
    ) -> None:
        self._profiles = profiles
        self._addresses = addresses
        self._favorites = favorites
        self._preferences = preferences
        self._viewed = viewed
        self._carts = carts
        self._orders = orders
        self._reviews = reviews
        self._sessions = sessions
        self._clock = clock

    async def export(self, viewer: Viewer) -> Json:
        """Raises Unauthenticated; Unavailable, for half of it is not all of it."""
        profile, user_id = await self._profiles.of_viewer(viewer), viewer.user_id
        if profile is None or user_id is None:
            raise Unauthenticated
        newest = PageRequest(MOST)
        [addresses], [preferences], cart, viewed, sessions = await asyncio.gather(
            self._addresses.of_users(viewer, [user_id]),
            self._preferences.of_users(viewer, [user_id]),
            self._carts.cart(viewer),
            self._viewed.recent(viewer, MAX_VIEWED),
            self._sessions.sessions_of(viewer),
        )
        favorites, orders, reviews = await asyncio.gather(
            self._favorites.page(viewer, newest),
            self._orders.placed_by(viewer, newest),
            self._reviews.written_by(user_id, MOST + 1),
        )
        more = {"favorites": favorites.has_next, "orders": orders.has_next, "reviews": len(reviews) > MOST}
        return {
            "formatVersion": FORMAT,
            "exportedAt": plain(self._clock.now()),
            "truncated": [name for name, has_more in more.items() if has_more],
            "profile": plain(profile),
            "addresses": plain(addresses),
            "preferences": plain(preferences),
            "favorites": plain(favorites.nodes),
            "orders": await self._with_parts(viewer, orders.nodes),
            "reviews": plain(reviews[:MOST]),
            "cart": plain(cart.lines),
            "recentlyViewed": plain(viewed),
            "sessions": plain(sessions),
        }

    async def _with_parts(self, viewer: Viewer, orders: Sequence[Any]) -> list[Json]:
        ids = [order.id for order in orders]
        if not ids:
            return []
        items, payments, history, deliveries = await asyncio.gather(
            self._orders.items_of(viewer, ids),
            self._orders.payments_of(viewer, ids),
            self._orders.history_of(viewer, ids),
            self._orders.deliveries_of(viewer, ids),
        )
        return [
            plain(order)
            | {"items": plain(its), "payment": plain(payment), "history": plain(steps), "delivery": plain(place)}
            for order, its, payment, steps, place in zip(orders, items, payments, history, deliveries, strict=True)
        ]


def plain(value: object) -> Any:
    """A domain value as JSON has it: names in camel case, money as its amount in major units, times in RFC 3339."""
    if isinstance(value, Money):
        return {"amount": str(value.amount), "currencyCode": value.currency}
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value):
        return {_camel(each.name): plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, str | int | float | None):
        return value
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    return [plain(each) for each in cast("Sequence[object]", value)]


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
