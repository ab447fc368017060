"""Products of one seller in one category, for the tests of the catalogue's rules."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tests.postgres.shop import Shop


@dataclass(frozen=True, slots=True)
class Shelf:
    """A seller and a category to put products on."""

    shop: Shop
    seller: UUID
    category: UUID

    async def product(self, **columns: Any) -> UUID:
        return await self.shop.product(self.seller, self.category, **columns)

    async def change(self, table: str, key: UUID, **columns: Any) -> None:
        places = ", ".join(f"{name} = ${number}" for number, name in enumerate(columns, 2))
        await self.shop.connection.execute(f"UPDATE catalog.{table} SET {places} WHERE id = $1", key, *columns.values())

    async def delete(self, table: str, key: UUID) -> None:
        await self.shop.connection.execute(f"DELETE FROM catalog.{table} WHERE id = $1", key)

    async def read(self, product: UUID) -> Any:
        return await self.shop.connection.fetchrow("SELECT * FROM catalog.products WHERE id = $1", product)

    async def stock(self, product: UUID) -> int:
        return int((await self.read(product))["stock_quantity"])


async def until_somebody_waits_for(connection: Any) -> None:
    """Until another session is blocked by `connection`'s."""
    waiting = (
        "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
    )
    async with asyncio.timeout(60):
        while not await connection.fetchval(waiting):
            await asyncio.sleep(0)
