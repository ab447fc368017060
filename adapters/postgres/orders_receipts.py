"""Receipts out of what orders keep: each seller's part, its taxes and what went back of it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, exists, func, select

from adapters.postgres.batches import among_ids, many_each
from adapters.postgres.database import Database
from adapters.postgres.tables import (
    order_items,
    order_payments,
    order_sellers,
    order_taxes,
    orders,
    refund_parts,
    refunds,
)
from domain.orders.model import PaymentStatus
from domain.orders.receipts import Receipt, ReceiptLine, ReceiptTax
from domain.orders.refunds import RefundReason
from domain.orders.states import RefundState
from domain.shared.ids import OrderId, SellerId, UserId
from domain.shared.money import Money
from domain.shared.tax import tax_inside
from domain.shared.viewer import Viewer

PAID = (PaymentStatus.SUCCEEDED.value, PaymentStatus.REFUNDED.value)
NEVER_SOLD = exists().where(
    refunds.c.order_id == order_sellers.c.order_id,  # idx_refunds_order_id
    refunds.c.reason == RefundReason.LATE_PAYMENT.value,
)
"""What was paid when the order had ended went back whole: nobody bought anything, and no seller invoices it."""
PARTS = (
    select(order_sellers, orders.c.order_number, orders.c.user_id, orders.c.guest_id, order_payments.c.paid_at)
    .join(orders, orders.c.id == order_sellers.c.order_id)
    .join(order_payments, order_payments.c.order_id == orders.c.id)
    .where(
        among_ids(order_sellers.c.order_id),
        order_payments.c.status.in_(PAID),
        order_payments.c.paid_at.is_not(None),
        ~NEVER_SOLD,
    )
    .order_by(order_sellers.c.order_id, order_sellers.c.seller_id)
)
TAXES = select(order_taxes).where(among_ids(order_taxes.c.order_id)).order_by(order_taxes.c.percent.desc())
LINES = select(order_items).where(among_ids(order_items.c.order_id)).order_by(order_items.c.id)
BACK = (
    select(
        refunds.c.order_id,
        refunds.c.seller_id,
        refund_parts.c.tax_percent,
        func.sum(refund_parts.c.amount).label("amount"),
        func.max(refunds.c.settled_at).label("at"),
    )
    .join(refunds, refunds.c.id == refund_parts.c.refund_id)
    .where(among_ids(refunds.c.order_id), refunds.c.status == RefundState.SUCCEEDED.value)
    .group_by(refunds.c.order_id, refunds.c.seller_id, refund_parts.c.tax_percent)
)


class PostgresReceipts:
    """The port `Receipts`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def receipts_of(self, viewer: Viewer, ids: Sequence[OrderId]) -> Sequence[Sequence[Receipt]]:
        """Four statements, however many orders."""
        async with self._database.transaction(viewer) as connection:
            parts, taxes, lines, back = [
                list((await connection.execute(statement, {"ids": ids})).all())
                for statement in (PARTS, TAXES, LINES, BACK)
            ]
        found = [_receipt(part, *(_of(part, rows) for rows in (taxes, lines, back))) for part in parts]
        return many_each(ids, found, lambda receipt: receipt.order_id)


def _of(part: Row[Any], rows: Sequence[Row[Any]]) -> list[Row[Any]]:
    return [row for row in rows if (row.order_id, row.seller_id) == (part.order_id, part.seller_id)]


def _receipt(part: Row[Any], taxes: list[Row[Any]], lines: list[Row[Any]], back: list[Row[Any]]) -> Receipt:
    currency = part.currency
    went_back = {row.tax_percent: int(row.amount) for row in back}
    return Receipt(
        order_id=OrderId(part.order_id),
        order_number=part.order_number,
        seller_id=SellerId(part.seller_id),
        seller_name=part.seller_name,
        registration_number=part.registration_number,
        issued_at=part.paid_at,
        lines=[
            ReceiptLine(
                f"{row.product_name} {row.variation_name}" if row.variation_name else row.product_name,
                row.quantity,
                Money(row.unit_price, currency),
                Money(row.total_price, currency),
                row.tax_percent or 0,
            )
            for row in lines
        ],
        shipping_fee=Money(part.shipping_fee, currency),
        total=Money(part.total, currency),
        taxes=[
            ReceiptTax(
                row.percent,
                Money(row.taxable, currency),
                Money(row.tax, currency),
                Money(gone := went_back.get(row.percent, 0), currency),
                Money(tax_inside(gone, row.percent), currency),
            )
            for row in taxes
        ],
        refunded=Money(sum(went_back.values()), currency),
        refunded_at=max((row.at for row in back if row.at), default=None),
        user_id=UserId(part.user_id) if part.user_id else None,
        guest_id=part.guest_id,
    )
