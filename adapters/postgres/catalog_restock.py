"""Units that go back on the shelf."""

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres.tables import product_variations, products
from domain.orders.changes import Restock


async def restock(connection: AsyncConnection, restocks: Sequence[Restock]) -> None:
    """In a transaction of the till. Variations are locked by their keys, then products by theirs, as every purchase does.

    A variation that is gone by now has its units on no shelf.
    """
    for table, ids in (
        (product_variations, {each.variation_id for each in restocks if each.variation_id}),
        (products, {each.product_id for each in restocks}),
    ):
        if ids:
            locked = select(table.c.id).where(table.c.id.in_(ids)).order_by(table.c.id)
            await connection.execute(locked.with_for_update(key_share=True))
    for each in restocks:  # as many as items, mostly one
        table = products if each.variation_id is None else product_variations
        this = table.c.id == (each.variation_id or each.product_id)
        more = table.c.stock_quantity + each.quantity
        await connection.execute(update(table).where(this).values(stock_quantity=more))
