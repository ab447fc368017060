"""Refunds that people make at the payment provider by hand: the books follow the money. Pure functions."""

from domain.orders.changes import PROGRAM, Changes, with_refunds
from domain.orders.open_order import OpenOrder
from domain.orders.refunds import BorneBy, RefundDraft, RefundReason, spread


def booked(order: OpenOrder, amount: int) -> tuple[Changes, int]:
    """So much went back of it, in minor units: what is written of that, and how much there is no place for.

    Over all that is left, in proportion, as when an admin names no item. Nobody said that a seller is to blame: the marketplace
    bears it. What the books have as gone back already, or as never paid, cannot go back in them once more.
    """
    payment = order.payment
    if payment is None or not payment.is_paid:
        return Changes(order.id, PROGRAM), amount
    in_parts = sum(item.left for item in order.items) + sum(part.shipping_left for part in order.parts.values())
    there = max(min(amount, in_parts, payment.amount - payment.refunded), 0)
    drafts = [
        RefundDraft(seller_id, RefundReason.MANUAL, parts, BorneBy.MARKETPLACE)
        for seller_id, parts in (spread(order, there) if there else {}).items()
    ]
    return with_refunds(Changes(order.id, PROGRAM), order, drafts), amount - there
