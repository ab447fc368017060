"""The order desk's own look at who asks: a store that shows too much is the fault that it is there for."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from domain.orders.model import Order, OrderItem, OrderStatus, Payment, PaymentStatus, StatusChange
from domain.orders.service import OrderDesk
from domain.shared.ids import OrderId, OrderItemId, ProductId, SellerId, UserId, uuid7
from domain.shared.money import Money
from domain.shared.viewer import ANONYMOUS, Role, Viewer

AT = datetime(2026, 10, 1, tzinfo=UTC)
YEN = Money(100, "JPY")
BUYER, OTHER, TEA, BOOKS = UserId(uuid7()), UserId(uuid7()), SellerId(uuid7()), SellerId(uuid7())
ID = OrderId(uuid7())
GUEST = uuid7()
PENDING = OrderStatus.PENDING
PEOPLE = {
    "anonymous": ANONYMOUS,
    "guest": Viewer(guest_id=GUEST),
    "other guest": Viewer(guest_id=uuid7()),
    "whoever has the link": Viewer(guest_id=uuid7(), order_ids=(ID,)),
    "user who was the guest": Viewer(Role.USER, OTHER, guest_id=GUEST),
    "other buyer": Viewer(Role.USER, OTHER),
    "buyer": Viewer(Role.USER, BUYER),
    "other seller": Viewer(Role.USER, OTHER, seller_ids=(BOOKS,)),
    "seller": Viewer(Role.USER, OTHER, seller_ids=(TEA,)),
    "admin": Viewer(Role.ADMIN, UserId(uuid7())),
}


class CarelessOrders:
    """A store that shows one order to whoever asks: what row-level security keeps a real one from doing."""

    def __init__(self, buyer: UserId | None, guest: UUID | None = None) -> None:
        self._buyer = buyer
        self._guest = guest

    async def by_ids(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[Order | None]:
        return [Order(ID, "T-1", self._buyer, PENDING, YEN, YEN, YEN, YEN, AT, AT, AT, self._guest)] * len(ids)

    async def items_of(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[Sequence[OrderItem]]:
        key, product = OrderItemId(uuid7()), ProductId(uuid7())
        return [[OrderItem(key, ID, product, None, TEA, "煎茶", 1, YEN, YEN, PENDING, self._buyer, self._guest)]] * len(
            ids
        )

    async def payments_of(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[Payment | None]:
        return [Payment(uuid7(), ID, YEN, PaymentStatus.SUCCEEDED, AT, self._buyer, self._guest)] * len(ids)

    async def history_of(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[Sequence[StatusChange]]:
        return [[StatusChange(uuid7(), ID, PENDING, None, AT, self._buyer, self._guest)]] * len(ids)


async def shown(buyer: UserId | None, read: str, guest: UUID | None = None) -> set[str]:
    """To whom the desk shows anything."""
    orders: Any = CarelessOrders(buyer, guest)
    return {
        person for person, viewer in PEOPLE.items() if any(await getattr(OrderDesk(orders), read)(viewer, [ID, ID]))
    }


@pytest.mark.parametrize("read", ["by_ids", "payments_of", "history_of"])
async def test_an_order_and_its_parts_are_shown_to_their_buyer_and_admins(read: str) -> None:
    assert await shown(BUYER, read) == {"buyer", "whoever has the link", "admin"}
    assert await shown(None, read) == {"whoever has the link", "admin"}


@pytest.mark.parametrize("read", ["by_ids", "payments_of", "history_of"])
async def test_a_guests_order_is_that_guests_while_nobody_is_signed_in(read: str) -> None:
    assert await shown(None, read, GUEST) == {"guest", "whoever has the link", "admin"}
    assert await shown(BUYER, read, GUEST) == {"buyer", "whoever has the link", "admin"}


async def test_an_item_is_also_shown_to_its_seller() -> None:
    assert await shown(BUYER, "items_of") == {"buyer", "whoever has the link", "seller", "admin"}
    assert await shown(None, "items_of") == {"whoever has the link", "seller", "admin"}
