"""Favourites in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, insert, select

from adapters.postgres.accounts_own import own_account
from adapters.postgres.database import Database
from adapters.postgres.keyset import SortColumn, key_part, slice_rows
from adapters.postgres.tables import favorites
from domain.accounts.favorites import FAVORITES_ORDER, Favorite, FavoriteLimit, FavoritesScope
from domain.shared.ids import ProductId, UserId, uuid7
from domain.shared.paging import Count, Page, PageRequest, cut_page
from domain.shared.viewer import Viewer

NEWEST: Sequence[SortColumn] = ((favorites.c.created_at, datetime), (favorites.c.id, UUID))


class PostgresFavorites:
    """The port `FavoriteStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, viewer: Viewer, request: PageRequest) -> Page[Favorite]:
        mine = select(favorites).where(favorites.c.user_id == viewer.user_id)  # idx_favorites_newest
        rows = await self._database.seen_by(viewer, slice_rows(mine, NEWEST, request, descending=True))
        return cut_page(
            [favorite_of(row) for row in rows],
            request,
            FAVORITES_ORDER,
            lambda favorite: (key_part(favorite.created_at), str(favorite.id)),
            FavoritesScope(viewer),
        )

    async def count(self, viewer: Viewer) -> Count:
        return Count((await self._database.seen_by(viewer, _count(viewer)))[0][0])

    async def add(self, viewer: Viewer, product_id: ProductId, at_most: int) -> Favorite:
        its_key = (favorites.c.user_id == viewer.user_id, favorites.c.product_id == product_id)
        async with own_account(self._database, viewer) as connection:
            found = (await connection.execute(select(favorites).where(*its_key))).first()
            if found is None:
                if (await connection.scalar(_count(viewer)) or 0) >= at_most:
                    raise FavoriteLimit
                new = {"id": uuid7(), "user_id": viewer.user_id, "product_id": product_id}
                found = (await connection.execute(insert(favorites).values(new).returning(favorites))).one()
        return favorite_of(found)

    async def remove(self, viewer: Viewer, product_id: ProductId) -> Favorite | None:
        gone = (
            delete(favorites)
            .where(favorites.c.user_id == viewer.user_id, favorites.c.product_id == product_id)
            .returning(favorites)
        )
        rows = await self._database.seen_by(viewer, gone)
        return favorite_of(rows[0]) if rows else None


def _count(viewer: Viewer) -> Any:
    return select(func.count()).select_from(favorites).where(favorites.c.user_id == viewer.user_id)


def favorite_of(row: Row[Any]) -> Favorite:
    return Favorite(row.id, UserId(row.user_id), ProductId(row.product_id), row.created_at)
