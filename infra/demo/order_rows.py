"""Rows of orders and of what belongs to them."""

from collections.abc import Iterator

from infra.demo.dice import entropy, key
from infra.demo.fulfilment import NEVER_PAID_NOTE
from infra.demo.orders import TAX_PERCENT, Item, Order, Orders
from infra.demo.rows import Row

ORDERS_COLUMNS = (
    "id", "order_number", "user_id", "shipping_address_id", "subtotal", "tax_amount", "shipping_fee", "total_amount",
    "status", "metadata", "ordered_at", "created_at", "updated_at",
)  # fmt: skip
ITEMS_COLUMNS = (
    "id", "order_id", "product_id", "product_variation_id", "seller_id", "product_name", "quantity", "unit_price",
    "total_price", "fulfillment_status", "metadata", "created_at", "updated_at",
)  # fmt: skip
PAYMENTS_COLUMNS = (
    "id", "order_id", "stripe_payment_intent_id", "amount", "status", "payment_method_details",
    "paid_at", "created_at", "updated_at",
)  # fmt: skip
HISTORIES_COLUMNS = ("id", "order_id", "status", "note", "changed_by", "created_at")
CARDS = (("visa", "4242"), ("mastercard", "4444"), ("jcb", "0505"), ("amex", "0005"))
"""Brands and last digits of Stripe's test cards."""


def order_rows(orders: Orders) -> Iterator[Row]:
    for order in orders:
        yield (
            order.id, order.number, order.user.id, order.address.row[0], order.subtotal, order.tax, order.shipping_fee,
            order.total, order.course.status.value, {"shipping_address": order.address.as_copy()},
            order.placed_at, order.placed_at, order.course.changed_at,
        )  # fmt: skip


def item_rows(orders: Orders) -> Iterator[Row]:
    for order in orders:
        for item in order.items:
            yield (
                item.id, order.id, item.listing.id, item.kind.id if item.kind else None, item.listing.shop.id,
                item.listing.name, item.quantity, item.unit_price, item.total, item.status.value, _copy_of(item),
                order.placed_at, order.course.changed_at,
            )  # fmt: skip


def payment_rows(orders: Orders) -> Iterator[Row]:
    for order in orders:
        course = order.course
        yield (
            key(order.placed_at, order.id, "payment"), order.id, f"pi_demo_{entropy(order.id, 'intent'):020x}", order.total,
            course.payment.value, _method(order), course.paid_at, order.placed_at, course.changed_at,
        )  # fmt: skip


def history_rows(orders: Orders) -> Iterator[Row]:
    for order in orders:
        for number, step in enumerate(order.course.steps):
            by_user = step.status.value in ("pending", "cancelled") and step.note != NEVER_PAID_NOTE
            yield (
                key(step.at, order.id, "step", number), order.id, step.status.value, step.note,
                order.user.id if by_user else None, step.at,
            )  # fmt: skip


def item_count(orders: Orders) -> int:
    return sum(len(order.items) for order in orders)


def step_count(orders: Orders) -> int:
    return sum(len(order.course.steps) for order in orders)


def _copy_of(item: Item) -> dict[str, object]:
    """What later edits of the product must not change."""
    kept: dict[str, object] = {
        "sku": item.kind.sku if item.kind else item.listing.sku,
        "tax_rate": f"0.{TAX_PERCENT}",
        "commission_rate": str(item.listing.shop.commission_rate),
    }
    return kept | {"variation_name": item.kind.name} if item.kind else kept


def _method(order: Order) -> dict[str, object]:
    if order.course.by_convenience_store:
        return {"type": "konbini"}
    brand, last4 = CARDS[entropy(order.user.email, "card") % len(CARDS)]
    return {"type": "card", "brand": brand, "last4": last4}
