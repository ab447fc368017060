"""What users keep for later."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.catalog.service import Catalog
from domain.shared.ids import ProductId, UserId
from domain.shared.paging import Count, Page, PageRequest, empty_page
from domain.shared.refusals import NotFound, Refusal, Unauthenticated
from domain.shared.viewer import Viewer

FAVORITES_ORDER = "favorites"
MAX_FAVORITES = 1_000


class FavoriteLimit(Refusal):
    """The user keeps as many favourites as are kept."""

    code = "FAVORITE_LIMIT"

    def __init__(self) -> None:
        super().__init__(most=MAX_FAVORITES, field=("productId",))


@dataclass(frozen=True, slots=True)
class Favorite:
    """A product that a user keeps for later, on sale or not."""

    id: UUID
    user_id: UserId
    product_id: ProductId
    created_at: datetime


@dataclass(frozen=True, slots=True)
class FavoritesScope:
    """All favourites of a viewer."""

    viewer: Viewer


class FavoriteStore(Protocol):
    """The viewer's own favourites, newest first."""

    async def page(self, viewer: Viewer, request: PageRequest) -> Page[Favorite]: ...

    async def count(self, viewer: Viewer) -> Count: ...

    async def add(self, viewer: Viewer, product_id: ProductId, at_most: int) -> Favorite:
        """The favourite, which may have been there. Raises FavoriteLimit."""
        ...

    async def remove(self, viewer: Viewer, product_id: ProductId) -> Favorite | None:
        """What was removed; None where there was none."""
        ...


class Favorites:
    """The viewer's favourites."""

    def __init__(self, store: FavoriteStore, catalog: Catalog) -> None:
        self._store = store
        self._catalog = catalog

    async def page(self, viewer: Viewer, request: PageRequest) -> Page[Favorite]:
        return empty_page(FAVORITES_ORDER) if viewer.user_id is None else await self._store.page(viewer, request)

    async def count(self, scope: FavoritesScope) -> Count:
        return await self._store.count(scope.viewer)

    async def add(self, viewer: Viewer, product_id: ProductId) -> Favorite:
        """Keep a product that is shown; a second time changes nothing. Raises Unauthenticated, NotFound, FavoriteLimit."""
        if viewer.user_id is None:
            raise Unauthenticated
        [product] = await self._catalog.products_by_ids([product_id], viewer=viewer)
        if product is None:
            raise NotFound(key="id_not_found", type="Product", field=("productId",))
        return await self._store.add(viewer, product_id, MAX_FAVORITES)

    async def remove(self, viewer: Viewer, product_id: ProductId) -> Favorite | None:
        """Keep it no longer; None where it was not kept. Raises Unauthenticated."""
        if viewer.user_id is None:
            raise Unauthenticated
        return await self._store.remove(viewer, product_id)
