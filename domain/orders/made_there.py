"""Refunds that people make at the payment provider by hand: the books follow the money. Pure functions."""

from collections.abc import Mapping
from dataclasses import replace

from domain.orders.cancelling import cancelled
from domain.orders.changes import PROGRAM, By, Changes, with_refunds
from domain.orders.ledger import LedgerKind, Posting, clawback
from domain.orders.model import OrderStatus
from domain.orders.open_order import OpenOrder
from domain.orders.refunds import BorneBy, RefundDraft, RefundReason, spread
from domain.orders.states import Actor
from domain.shared.ids import OrderItemId, SellerId

REFUNDED_THERE = "refunded at the payment provider"

Borne = Mapping[tuple[SellerId, OrderItemId | None], int]
"""What the marketplace bore of refunds by hand, in minor units: by seller and item, carriage without one."""


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


def stopped(order: OpenOrder, borne: Borne) -> Changes | None:
    """All of its money went back: what was not sent yet is not sent. None where there is nothing to stop.

    What the marketplace bore of these goods, and of the carriage of a seller who sent nothing, is the sellers' after all: they
    keep the goods.
    """
    items = [item for item in order.items if item.status is OrderStatus.PROCESSING]
    if not items:
        return None
    changes, after = cancelled(order, items, By(None, frozenset({Actor.SYSTEM})), REFUNDED_THERE)
    postings = []
    for seller_id in dict.fromkeys(item.seller_id for item in items):
        goods = sum(borne.get((seller_id, item.id), 0) for item in items if item.seller_id == seller_id)
        sent_nothing = all(item.status is OrderStatus.CANCELLED for item in after.items_of(seller_id))
        carriage = borne.get((seller_id, None), 0) if sent_nothing else 0
        postings += _of_seller(order, seller_id, goods, carriage)
    return replace(changes, postings=postings)


def _of_seller(order: OpenOrder, seller_id: SellerId, goods: int, carriage: int) -> list[Posting]:
    part = order.parts.get(seller_id)
    if part is None or not part.is_in_ledger or not goods + carriage:
        return []
    entries = clawback(part, goods, carriage)
    key = f"stopped:{order.id}:{seller_id}"
    return [Posting(LedgerKind.CLAWBACK, key, order.id, seller_id, order.currency, entries)]
