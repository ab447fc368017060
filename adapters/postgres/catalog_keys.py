"""Ids of products in PostgreSQL, for jobs, as the worker role."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, select

from adapters.postgres.database import Database
from adapters.postgres.tables import categories, products
from domain.shared.ids import BrandId, CategoryId, ProductId, SellerId

P = products.c
BEFORE_ALL = ProductId(UUID(int=0))


class PostgresProductKeys:
    """The port `ProductKeys`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def versions(self, after: ProductId | None, size: int) -> Sequence[tuple[ProductId, int]]:
        rows = await self._database.fresh(
            select(P.id, P.version).where(P.id > (after or BEFORE_ALL)).order_by(P.id).limit(size)
        )
        return [(ProductId(row.id), row.version) for row in rows]

    async def of_seller(self, seller: SellerId, after: ProductId | None, size: int) -> Sequence[ProductId]:
        return await self._next(P.seller_id == seller, after, size)  # idx_products_seller_id

    async def of_brand(self, brand: BrandId, after: ProductId | None, size: int) -> Sequence[ProductId]:
        return await self._next(P.brand_id == brand, after, size)

    async def in_category(self, category: CategoryId, after: ProductId | None, size: int) -> Sequence[ProductId]:
        below = select(categories.c.id).where(categories.c.id == category).cte(recursive=True)
        below = below.union(select(categories.c.id).join(below, categories.c.parent_id == below.c.id))
        return await self._next(P.category_id.in_(select(below.c.id)), after, size)  # idx_products_category_id

    async def _next(self, which: ColumnElement[bool], after: ProductId | None, size: int) -> Sequence[ProductId]:
        page = select(P.id).where(which, P.id > (after or BEFORE_ALL)).order_by(P.id).limit(size)
        return [ProductId(row.id) for row in await self._database.fresh(page)]
