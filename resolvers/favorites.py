"""Favourites and recently viewed products."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from domain.accounts.favorites import FAVORITES_ORDER, Favorite
from domain.shared.ids import ProductId
from domain.shared.paging import Page, PageRequest
from engine.declared.fields import Paging
from resolvers.context import Info
from resolvers.errors import UserError, outcome_or_refusal
from resolvers.global_ids import key_of


@dataclass(frozen=True, slots=True)
class FavoritePayload:
    """What a mutation of favourites shows."""

    favorite: Favorite | None
    user_errors: Sequence[UserError]


@dataclass(frozen=True, slots=True)
class ViewedProduct:
    """A product that the viewer looked at."""

    product_id: ProductId


async def of_viewer(info: Info, paging: Paging) -> Page[Favorite]:
    return await info.context.services.favorites.page(info.context.viewer, PageRequest.of(FAVORITES_ORDER, *paging))


async def add(info: Info, product_id: str) -> FavoritePayload:
    async def use_case() -> Favorite | None:
        return await info.context.services.favorites.add(info.context.viewer, _key(product_id))

    return await _payload(info, use_case)


async def remove(info: Info, product_id: str) -> FavoritePayload:
    async def use_case() -> Favorite | None:
        return await info.context.services.favorites.remove(info.context.viewer, _key(product_id))

    return await _payload(info, use_case)


async def recently_viewed(info: Info, first: int | None) -> Sequence[ViewedProduct]:
    found = await info.context.services.viewed.recent(info.context.viewer, first)
    return [ViewedProduct(each) for each in found]


def _key(product_id: str) -> ProductId:
    return ProductId(key_of(product_id, "Product", "productId"))


async def _payload(info: Info, use_case: Callable[[], Awaitable[Favorite | None]]) -> FavoritePayload:
    return FavoritePayload(*await outcome_or_refusal(info, use_case))
