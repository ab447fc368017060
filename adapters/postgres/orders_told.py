"""What mails say of an order, and where a guest is written to, as the worker role."""

from sqlalchemy import select

from adapters.postgres.database import Database
from adapters.postgres.tables import order_addresses, order_items, order_payments, orders
from domain.notifications.ports import Line, OrderFacts
from domain.shared.ids import OrderId, SellerId, UserId
from domain.shared.languages import DEFAULT_LANGUAGE, Language
from domain.shared.money import Money


class PostgresOrdersTold:
    """The port `OrdersTold`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def order(self, order_id: OrderId) -> OrderFacts | None:
        found = await self._database.fresh(
            select(
                orders,
                order_addresses.c.email,
                order_addresses.c.recipient_name,
                order_addresses.c.language,
                order_payments.c.paid_at,
            )
            .outerjoin(order_addresses, order_addresses.c.order_id == orders.c.id)
            .outerjoin(order_payments, order_payments.c.order_id == orders.c.id)
            .where(orders.c.id == order_id)
        )
        if not found:
            return None
        lines = await self._database.fresh(
            select(order_items).where(order_items.c.order_id == order_id).order_by(order_items.c.id)
        )
        [order] = found
        return OrderFacts(
            order.order_number,
            Money(order.total_amount, order.currency),
            [
                Line(
                    row.product_name if row.variation_name is None else f"{row.product_name} {row.variation_name}",
                    row.quantity,
                    SellerId(row.seller_id),
                    row.id,
                    row.carrier,
                    row.tracking_number,
                    row.shipped_at,
                )
                for row in lines
            ],
            UserId(order.user_id) if order.user_id else None,
            order.email if order.user_id is None else None,
            order.recipient_name if order.user_id is None else None,
            DEFAULT_LANGUAGE if order.language is None else Language(order.language),
            order.paid_at is not None,
        )
