"""A new order as rows, and as what is told of it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table

from adapters.postgres.tables import (
    order_addresses,
    order_items,
    order_payments,
    order_sellers,
    order_status_histories,
    order_taxes,
    orders,
)
from domain.orders.buying import NewOrder
from domain.orders.model import PaymentStatus
from domain.orders.states import Actor
from domain.shared.events import Event
from domain.shared.ids import uuid7

Row = dict[str, Any]


def rows_of(order: NewOrder) -> Sequence[tuple[Table, Sequence[Row]]]:
    """What is written of it, each table before those that refer to it."""
    return (
        (orders, [_order(order)]),
        (order_items, _items(order)),
        (order_sellers, _sellers(order)),
        (order_taxes, _taxes(order)),
        (order_addresses, [_address(order)]),
        (order_payments, [_payment(order)]),
        (order_status_histories, [_first_step(order)]),
    )


def placed_event(order: NewOrder) -> Event:
    payload = {
        "orderId": str(order.id),
        "orderStatus": order.status.value,
        "currency": order.quote.total.currency,
        "total": order.quote.total.minor,
        "expiresAt": order.expires_at.isoformat(),
        "sellerIds": [str(each.seller_id) for each in order.quote.sellers],
    }
    return Event("OrderPlaced", "order", order.id, payload, f"order/{order.id}")


def _order(order: NewOrder) -> Row:
    quote, owner = order.quote, order.cart.owner
    return {
        "id": order.id,
        "order_number": order.number,
        "user_id": order.buyer.user_id,
        "guest_id": order.buyer.guest_id,
        "cart_owner": None if owner is None else owner.key,
        "shipping_address_id": order.delivery.address_id,
        "currency": quote.total.currency,
        "subtotal": quote.subtotal.minor,
        "tax_amount": quote.tax.minor,
        "shipping_fee": quote.shipping_fee.minor,
        "total_amount": quote.total.minor,
        "status": order.status,
        "ordered_at": order.placed_at,
        "expires_at": order.expires_at,
    }


def _items(order: NewOrder) -> list[Row]:
    return [
        {
            "id": line.id,
            "order_id": order.id,
            "product_id": line.product_id,
            "product_variation_id": line.variation_id,
            "seller_id": line.seller_id,
            "product_name": line.name,
            "variation_name": line.variation_name,
            "sku": line.sku,
            "currency": line.unit_price.currency,
            "quantity": line.quantity,
            "unit_price": line.unit_price.minor,
            "total_price": line.total.minor,
            "tax_percent": line.tax_percent,
            "fulfillment_status": order.status,
        }
        for line in order.lines
    ]


def _sellers(order: NewOrder) -> list[Row]:
    return [
        {
            "order_id": order.id,
            "seller_id": part.seller_id,
            "seller_name": order.terms[part.seller_id].name,
            "registration_number": order.terms[part.seller_id].registration_number,
            "currency": part.total.currency,
            "subtotal": part.subtotal.minor,
            "shipping_fee": part.shipping_fee.minor,
            "total": part.total.minor,
            "commission_rate_bp": order.terms[part.seller_id].commission_bp,
            "commission": order.terms[part.seller_id].commission_of(part.subtotal).minor,
        }
        for part in order.quote.sellers
    ]


def _taxes(order: NewOrder) -> list[Row]:
    return [
        {
            "order_id": order.id,
            "seller_id": part.seller_id,
            "percent": tax.percent,
            "taxable": tax.taxable.minor,
            "tax": tax.tax.minor,
        }
        for part in order.quote.sellers
        for tax in part.taxes
    ]


def _address(order: NewOrder) -> Row:
    fields = order.delivery.fields
    return {
        "order_id": order.id,
        "recipient_name": fields.recipient_name,
        "postal_code": fields.postal_code,
        "prefecture": fields.prefecture,
        "city": fields.city,
        "address_line1": fields.line1,
        "address_line2": fields.line2,
        "phone_number": fields.phone_number,
        "email": order.delivery.email,
        "language": order.delivery.language.value,
    }


def _payment(order: NewOrder) -> Row:
    total = order.quote.total
    return {
        "id": uuid7(order.placed_at),
        "order_id": order.id,
        "amount": total.minor,
        "currency": total.currency,
        "status": PaymentStatus.PENDING,
    }


def _first_step(order: NewOrder) -> Row:
    return {
        "id": uuid7(order.placed_at),
        "order_id": order.id,
        "status": order.status,
        "changed_by": order.buyer.user_id,
        "changed_as": Actor.BUYER,
    }
