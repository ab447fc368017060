"""What becomes of the units that an order set aside: they are sold, or go back to what can be sold."""

from datetime import datetime

from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.shared.ids import OrderId

# In the order in which every purchase locks them: variations by their keys, then products by theirs.
LOCK_VARIATIONS = text(
    """
    SELECT FROM catalog.product_variations
    WHERE id IN (SELECT product_variation_id FROM orders.reservations WHERE order_id = :order_id AND state = 'held')
    ORDER BY id FOR NO KEY UPDATE
    """
)
LOCK = text(
    """
    SELECT FROM catalog.products
    WHERE id IN (SELECT product_id FROM orders.reservations WHERE order_id = :order_id AND state = 'held')
    ORDER BY id FOR NO KEY UPDATE
    """
)
# A stocktake may have found less than was set aside: stock does not go below nothing, and what was not there is remembered, lest it
# is put on the shelf when the order is cancelled.
SETTLE = text(
    """
    WITH there AS (  -- idx_reservations_order_id
        SELECT r.id, coalesce(v.stock_quantity, p.stock_quantity) AS stock
        FROM orders.reservations r JOIN catalog.products p ON p.id = r.product_id
            LEFT JOIN catalog.product_variations v ON v.id = r.product_variation_id
        WHERE r.order_id = :order_id AND r.state = 'held'
    ),
    settled AS (
        UPDATE orders.reservations r
        SET state = CASE WHEN :sold THEN 'consumed' ELSE 'released' END, settled_at = :at, placed_from = NULL,
            short = CASE WHEN :sold THEN greatest(r.quantity - there.stock, 0) ELSE 0 END
        FROM there WHERE r.id = there.id AND r.order_id = :order_id AND r.state = 'held'
        RETURNING r.product_id, r.product_variation_id, r.quantity
    ),
    of_variations AS (
        UPDATE catalog.product_variations v
        SET reserved_quantity = greatest(v.reserved_quantity - s.quantity, 0),
            stock_quantity = CASE WHEN :sold THEN greatest(v.stock_quantity - s.quantity, 0) ELSE v.stock_quantity END
        FROM (
            SELECT product_variation_id AS id, sum(quantity)::integer AS quantity
            FROM settled WHERE product_variation_id IS NOT NULL GROUP BY 1
        ) AS s
        WHERE v.id = s.id
    ),
    of_products AS (
        UPDATE catalog.products p
        SET reserved_quantity = greatest(p.reserved_quantity - s.quantity, 0),
            stock_quantity = CASE WHEN :sold THEN greatest(p.stock_quantity - s.quantity, 0) ELSE p.stock_quantity END
        FROM (
            SELECT product_id AS id, sum(quantity)::integer AS quantity
            FROM settled WHERE product_variation_id IS NULL GROUP BY 1
        ) AS s
        WHERE p.id = s.id
    )
    SELECT count(*) FROM settled
    """
).bindparams(bindparam("sold"))


async def consume(connection: AsyncConnection, order_id: OrderId, at: datetime) -> int:
    """The order is paid: what it set aside leaves the stock. What can be sold stays the same. How many reservations."""
    return await _settle(connection, order_id, at, sold=True)


async def release(connection: AsyncConnection, order_id: OrderId, at: datetime) -> int:
    """The order is not paid, and will not be: others may buy what it set aside. How many reservations."""
    return await _settle(connection, order_id, at, sold=False)


async def _settle(connection: AsyncConnection, order_id: OrderId, at: datetime, *, sold: bool) -> int:
    """In a transaction of the till that has the order's lock. Reservations that are settled stay as they are."""
    await connection.execute(LOCK_VARIATIONS, {"order_id": order_id})
    await connection.execute(LOCK, {"order_id": order_id})
    return int((await connection.execute(SETTLE, {"order_id": order_id, "at": at, "sold": sold})).scalar_one())
