"""The shelf as a buyer finds it, and what an order sets aside of it, in the one order in which all is locked.

Variations go first, by their keys, then products by theirs: whoever edits a variation has locked it before its product
(`catalog.keep_variation`).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Integer, Table, Uuid, bindparam, column, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres.batches import among_ids
from adapters.postgres.catalog_rows import PRODUCTS, VARIATIONS_OF_PRODUCTS
from adapters.postgres.tables import categories, product_variations, products, reservations
from domain.carts.model import LineRef
from domain.catalog.model import Product, Variation
from domain.orders.buying import Holding, NewOrder
from domain.shared.ids import OrderId, ProductId, VariationId, uuid7
from domain.shared.tax import TaxClass

SOLD_BY = frozenset({"seller_id", "sku", "name", "price", "stock_quantity", "availability"})
"""What an order is made by of a product: its description, say, is not read under lock."""
WANTED = (
    select(product_variations.c.id)
    .where(among_ids(product_variations.c.id))
    .order_by(product_variations.c.id)
    .with_for_update(key_share=True)
)
PRODUCT = PRODUCTS.reading(SOLD_BY, [categories.c.tax_class])
LOCKED = (
    select(*PRODUCT.columns)
    .join(categories, categories.c.id == products.c.category_id)
    .where(among_ids(products.c.id))
    .order_by(products.c.id)  # the lock is taken row by row, after the sort
    .with_for_update(key_share=True, of=products)
)
"""`FOR NO KEY UPDATE`: others may still refer to them."""
VARIATIONS = VARIATIONS_OF_PRODUCTS.of(None)
HELD = select(reservations.c.product_id, reservations.c.product_variation_id).where(reservations.c.state == "held")
OF_GUESTS = select(
    func.count(reservations.c.order_id.distinct()).label("orders"),
    func.coalesce(func.sum(reservations.c.quantity), 0).label("units"),
).where(reservations.c.placed_from == bindparam("placed_from"))  # idx_reservations_placed_from: of what is held
SEVERAL = (
    func.unnest(bindparam("ids", type_=ARRAY(Uuid)), bindparam("counts", type_=ARRAY(Integer)))
    .table_valued(column("id", Uuid), column("count", Integer), name="several")
    .render_derived()
)


async def lock_variations(connection: AsyncConnection, ids: Sequence[VariationId]) -> None:
    """Those that are wanted, before any product."""
    await connection.execute(WANTED, {"ids": ids})


async def lock_with_held(connection: AsyncConnection, refs: Iterable[LineRef], order_ids: Sequence[OrderId]) -> None:
    """All that is wanted and all that orders have set aside: whoever settles those and goes on locks nothing out of turn."""
    held = (await connection.execute(HELD.where(reservations.c.order_id.in_(order_ids)))).all()
    variations = {ref.variation_id for ref in refs} | {row.product_variation_id for row in held}
    products_ = {ref.product_id for ref in refs} | {row.product_id for row in held}
    await lock_variations(connection, sorted(each for each in variations if each))
    await locked_products(connection, sorted(products_))


async def held_by_guests(connection: AsyncConnection, placed_from: str) -> Holding:
    """What guests of an address have set aside. Others may be setting aside more right now: nobody waits for them."""
    row = (await connection.execute(OF_GUESTS, {"placed_from": placed_from})).one()
    return Holding(row.orders, row.units)


async def locked_products(
    connection: AsyncConnection, ids: Sequence[ProductId]
) -> Mapping[ProductId, tuple[Product, TaxClass]]:
    """The products, which nobody else changes until the transaction ends, and how they are taxed."""
    rows = (await connection.execute(LOCKED, {"ids": ids})).all()
    found = PRODUCT.make(rows)
    return {each.id: (each, TaxClass(row.tax_class)) for each, row in zip(found, rows, strict=True)}


async def variations_of_locked(
    connection: AsyncConnection, ids: Sequence[ProductId]
) -> Mapping[ProductId, tuple[Variation, ...]]:
    """All active variations of locked products: who writes one needs the product's lock, too."""
    rows = (await connection.execute(VARIATIONS.statement.statement, {"ids": ids})).all()
    found: dict[ProductId, tuple[Variation, ...]] = {}
    for each in VARIATIONS.make(rows):
        found[each.product_id] = (*found.get(each.product_id, ()), each)
    return found


async def set_aside(connection: AsyncConnection, order: NewOrder) -> None:
    """The order's units are its own for as long as it may be paid. Its products are locked."""
    of_products = {line.product_id: line.quantity for line in order.lines if line.variation_id is None}
    of_variations = {line.variation_id: line.quantity for line in order.lines if line.variation_id is not None}
    await _reserve(connection, products, of_products)
    await _reserve(connection, product_variations, of_variations)
    rows = [
        {
            "id": uuid7(order.placed_at),
            "order_id": order.id,
            "product_id": line.product_id,
            "product_variation_id": line.variation_id,
            "quantity": line.quantity,
            "expires_at": order.expires_at,
            "placed_from": order.placed_from,
        }
        for line in order.lines
    ]
    await connection.execute(insert(reservations), rows)


async def _reserve(connection: AsyncConnection, table: Table, counts: Mapping[Any, int]) -> None:
    if not counts:
        return
    ids: list[UUID] = sorted(counts)
    await connection.execute(
        update(table)
        .where(table.c.id == SEVERAL.c.id)
        .values(reserved_quantity=table.c.reserved_quantity + SEVERAL.c.count),
        {"ids": ids, "counts": [counts[each] for each in ids]},
    )
