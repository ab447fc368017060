"""Orders under lock, with all that a decision about one needs."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres.payments_ledger import sellers_in_ledger
from adapters.postgres.tables import (
    disputes,
    order_items,
    order_payments,
    order_sellers,
    orders,
    refund_parts,
    refunds,
    reservations,
    returns,
)
from domain.orders.model import OrderStatus, PaymentStatus
from domain.orders.open_order import OpenItem, OpenOrder, OpenPart, OpenPayment
from domain.orders.refunds import BorneBy
from domain.orders.returns import Return, ReturnId, ReturnReason
from domain.orders.states import ReturnStatus
from domain.payments.model import CONTESTED as CONTESTED_STATES
from domain.shared.ids import OrderId, OrderItemId, ProductId, SellerId, UserId, VariationId
from domain.shared.tax import TaxClass

OLD_PERCENT = TaxClass.STANDARD.percent
"""Of items that were ordered before an order kept it."""

WENT_BACK = (
    select(
        refund_parts.c.order_item_id,
        refunds.c.seller_id,
        refunds.c.borne_by,
        func.sum(refund_parts.c.amount).label("amount"),
        func.sum(refund_parts.c.quantity).label("quantity"),
    )
    .join(refunds, refunds.c.id == refund_parts.c.refund_id)
    .group_by(refund_parts.c.order_item_id, refunds.c.seller_id, refunds.c.borne_by)
)
"""What went back or is to, by item (none: carriage), seller and who bears it. What failed is tried again, and stands in the ledger
already: were it not counted, another refund of the same would take it from the seller, and give it back, twice."""


SHORT = (
    select(func.coalesce(func.sum(reservations.c.short), 0))
    .where(
        reservations.c.order_id == order_items.c.order_id,  # idx_reservations_order_id
        reservations.c.product_id == order_items.c.product_id,
        reservations.c.product_variation_id.is_not_distinct_from(order_items.c.product_variation_id),
    )
    .scalar_subquery()
)
ITEMS = select(order_items, SHORT.label("short"))
ITS = disputes.c.order_id == order_payments.c.order_id  # idx_disputes_order_id
TAKEN = select(func.coalesce(func.sum(disputes.c.amount), 0)).where(ITS, disputes.c.is_withdrawn).scalar_subquery()
"""What the bank took back for the buyer."""
CONTESTED = exists().where(ITS, disputes.c.status.in_(CONTESTED_STATES))
PAYMENTS = select(order_payments, TAKEN.label("disputed"), CONTESTED.label("is_contested"))


async def open_order(connection: AsyncConnection, order_id: OrderId) -> OpenOrder | None:
    """The order, locked until the transaction ends: nobody else changes it or what belongs to it. Eight statements."""
    found = await _rows(connection, select(orders).where(orders.c.id == order_id).with_for_update(key_share=True))
    if not found:
        return None
    of_order = order_items.c.order_id == order_id
    items = await _rows(connection, ITEMS.where(of_order).order_by(order_items.c.id))
    parts = await _rows(connection, select(order_sellers).where(order_sellers.c.order_id == order_id))
    payments = await _rows(connection, PAYMENTS.where(order_payments.c.order_id == order_id))
    went_back = await _rows(connection, WENT_BACK.where(refunds.c.order_id == order_id))
    back = func.coalesce(func.sum(refunds.c.amount), 0)
    refunded = await connection.scalar(select(back).where(refunds.c.order_id == order_id))
    asked = await _rows(connection, select(returns).where(returns.c.order_id == order_id).order_by(returns.c.id))
    in_ledger = await sellers_in_ledger(connection, order_id)
    row = found[0]
    payment = payments[0] if payments else None
    return OpenOrder(
        id=OrderId(row.id),
        currency=row.currency,
        status=OrderStatus(row.status),
        version=row.version,
        user_id=UserId(row.user_id) if row.user_id else None,
        guest_id=row.guest_id,
        items=[_item(item, went_back, asked) for item in items],
        parts={part.seller_id: part for part in _parts(row, items, parts, went_back, in_ledger)},
        payment=payment and _payment(payment, int(refunded or 0)),
        returns=[return_of(each, row.user_id, row.guest_id) for each in asked],
    )


async def _rows(connection: AsyncConnection, statement: Select[Any]) -> list[Row[Any]]:
    return list((await connection.execute(statement)).all())


def _payment(row: Row[Any], refunded: int) -> OpenPayment:
    disputed = int(row.disputed)
    return OpenPayment(row.id, PaymentStatus(row.status), row.amount, refunded, disputed, is_contested=row.is_contested)


def _item(row: Row[Any], went_back: list[Row[Any]], asked: list[Row[Any]]) -> OpenItem:
    mine = [each for each in went_back if each.order_item_id == row.id]
    returning = (
        each.quantity for each in asked if each.order_item_id == row.id and each.status != ReturnStatus.REFUSED
    )
    return OpenItem(
        id=OrderItemId(row.id),
        seller_id=SellerId(row.seller_id),
        product_id=ProductId(row.product_id),
        variation_id=VariationId(row.product_variation_id) if row.product_variation_id else None,
        quantity=row.quantity,
        unit_price=row.unit_price,
        total=row.total_price,
        tax_percent=OLD_PERCENT if row.tax_percent is None else row.tax_percent,
        status=OrderStatus(row.fulfillment_status),
        version=row.version,
        delivered_at=row.delivered_at,
        refunded=sum(int(each.amount) for each in mine),
        refunded_quantity=sum(int(each.quantity or 0) for each in mine),
        returning=sum(returning),
        short=int(row.short),
    )


def _parts(
    order: Row[Any], items: list[Row[Any]], parts: list[Row[Any]], went_back: list[Row[Any]], in_ledger: set[SellerId]
) -> list[OpenPart]:
    """Orders of before have no agreed parts: all of the carriage is that of a seller who is alone, else nobody's."""
    agreed = [(SellerId(each.seller_id), each.subtotal, each.shipping_fee, each.commission) for each in parts]
    sellers = {item.seller_id for item in items}
    if not agreed and len(sellers) == 1:
        agreed = [(SellerId(sellers.pop()), order.subtotal, order.shipping_fee, 0)]
    found = []
    for seller_id, subtotal, fee, commission in agreed:
        mine = [each for each in went_back if each.seller_id == seller_id]
        fee_back = sum(int(each.amount) for each in mine if each.order_item_id is None)
        from_seller = [each for each in mine if each.borne_by == BorneBy.SELLER and each.order_item_id is not None]
        clawed = sum(int(each.amount) for each in from_seller)
        found.append(OpenPart(seller_id, subtotal, fee, commission, fee_back, clawed, seller_id in in_ledger))
    return found


def return_of(row: Row[Any], user_id: UserId | None, guest_id: UUID | None) -> Return:
    return Return(
        id=ReturnId(row.id),
        item_id=OrderItemId(row.order_item_id),
        order_id=OrderId(row.order_id),
        seller_id=SellerId(row.seller_id),
        quantity=row.quantity,
        reason=ReturnReason(row.reason),
        comment=row.comment,
        status=ReturnStatus(row.status),
        note=row.note,
        is_restocked=row.is_restocked,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        user_id=user_id,
        guest_id=guest_id,
    )
