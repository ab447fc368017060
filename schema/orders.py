"""Orders in the schema. Each is its buyer's own, an item also its seller's; names and prices are the order's own copies."""

from datetime import datetime

import strawberry

from domain.orders import actions, model
from engine.declared.fields import attribute, edge, shows
from schema.access import OWNER, PUBLIC, SELLER, Ownership
from schema.aftercare import OrderEvent, OrderItemStatusChange, Receipt, Refund, Return
from schema.catalog import Product
from schema.money import Money
from schema.relay import Node, global_id
from schema.sellers import Seller

strawberry.enum(model.PaymentStatus, description="Where a payment stands.")

BUYERS = Ownership(lambda value, viewer: model.is_buyers(viewer, value))
"""Of an order and its parts: each knows the buyer, who may be a guest."""


@strawberry.type(description="Where an order goes, as it was written when it was placed.")
class Delivery:
    ownership = Ownership(BUYERS.owner, seller=lambda delivery: delivery.seller_id)

    recipient_name: str = attribute(access=OWNER | SELLER, description="Whom it is for.")
    postal_code: str = attribute(access=OWNER | SELLER, description="Seven digits, with a hyphen after the third.")
    prefecture: str = attribute(access=OWNER | SELLER, description="The prefecture, in Japanese.")
    city: str = attribute(access=OWNER | SELLER, description="City, ward or district.")
    line1: str = attribute(access=OWNER | SELLER, description="Street and number.")
    line2: str | None = attribute(access=OWNER | SELLER, description="Building and room.")
    phone_number: str | None = attribute(access=OWNER | SELLER, description="For the carrier.")


@strawberry.type(description="So many of a product, in an order.")
class OrderItem(Node):
    is_type_of = shows(model.OrderItem)
    ownership = Ownership(BUYERS.owner, seller=lambda item: item.seller_id)

    id: strawberry.ID = global_id("OrderItem", access=OWNER | SELLER)
    name: str = attribute(access=OWNER | SELLER, description="The product's name when it was ordered.")
    quantity: int = attribute(access=OWNER | SELLER, description="How many.")
    unit_price: Money = attribute(access=OWNER | SELLER, description="What one cost, tax included.")
    total: Money = attribute(access=OWNER | SELLER, description="What all of them cost, tax included.")
    fulfillment_status: model.OrderStatus = attribute(access=OWNER | SELLER, description="Where this item stands.")
    product: Product | None = edge(
        "products",
        key="product_id",
        access=OWNER | SELLER,
        description="The product as it is now; null when it is no longer shown.",
    )
    seller: Seller | None = edge("sellers", key="seller_id", access=OWNER | SELLER, description="Who sold it.")
    variation_name: str | None = attribute(access=OWNER | SELLER, description="The kind chosen, as it was called.")
    sku: str | None = attribute(access=OWNER | SELLER, description="The seller's own code when it was ordered.")
    tax_percent: int | None = attribute(
        access=OWNER | SELLER, description="The rate of the tax in it; null in orders that are older than this record."
    )
    carrier: str | None = attribute(access=OWNER | SELLER, description="Who carries it.")
    tracking_number: str | None = attribute(access=OWNER | SELLER, description="The carrier's number for it.")
    shipped_at: datetime | None = attribute(access=OWNER | SELLER, description="When it was sent.")
    delivered_at: datetime | None = attribute(access=OWNER | SELLER, description="When it arrived.")
    order_number: str | None = edge(
        "number_of_order",
        key="order_id",
        access=OWNER | SELLER,
        description="What buyer, seller and support call the order that it is in.",
    )
    delivery: Delivery | None = edge(
        "delivery_of_item",
        key="standing",
        access=OWNER | SELLER,
        description="Where it goes. The seller is told while it has to be sent or is on its way, and not before or after.",
    )
    version: int = attribute(access=OWNER | SELLER, description="Grows with each change, for `expectedVersion`.")
    history: list[OrderItemStatusChange] | None = edge(
        "history_of_item", key="id", access=OWNER | SELLER, description="How it came to its state, oldest first."
    )
    returns: list[Return] | None = edge(
        "returns_of_item", key="id", access=OWNER | SELLER, description="What of it was to be sent back, oldest first."
    )
    available_actions: list[actions.ItemAction] | None = edge(
        "actions_of_item",
        key="standing",
        access=OWNER | SELLER,
        description="What the viewer may do with it, as it stands now.",
        size=5,
    )


@strawberry.type(description="What an order was paid with, as a receipt shows it.")
class PaymentMethod:
    kind: str = attribute(access=PUBLIC, description="Stripe's type of it: `card`, `konbini` and so on.")
    brand: str | None = attribute(access=PUBLIC, description="A card's: `visa`, `jcb` and so on.")
    last4: str | None = attribute(access=PUBLIC, description="The last four digits; no others are ever kept.")
    wallet: str | None = attribute(access=PUBLIC, description="Through which it came: `apple_pay` and so on.")


@strawberry.type(description="How an order was paid.")
class Payment:
    ownership = BUYERS

    amount: Money = attribute(access=OWNER, description="How much.")
    status: model.PaymentStatus = attribute(access=OWNER, description="Where the payment stands.")
    paid_at: datetime | None = attribute(access=OWNER, description="When it went through.")
    method: PaymentMethod | None = attribute(
        access=OWNER, description="What it was paid with; null before, and once the buyer's account is deleted."
    )


@strawberry.type(description="A step of an order's history.")
class OrderStatusChange:
    ownership = BUYERS

    status: model.OrderStatus = attribute(access=OWNER, description="The state it came to.")
    note: str | None = attribute(access=OWNER, description="Why.")
    created_at: datetime = attribute(access=OWNER, description="When.")


@strawberry.type(description="Something bought.")
class Order(Node):
    is_type_of = shows(model.Order)
    ownership = BUYERS

    id: strawberry.ID = global_id("Order", access=OWNER)
    order_number: str = attribute(access=OWNER, description="What buyer and support call it.")
    status: model.OrderStatus = attribute(access=OWNER, description="Where it stands.")
    subtotal: Money = attribute(access=OWNER, description="All items, tax included.")
    shipping_fee: Money = attribute(access=OWNER, description="Shipping, tax included.")
    total: Money = attribute(access=OWNER, description="Items and shipping, tax included.")
    tax: Money = attribute(access=OWNER, description="The tax inside the total.")
    ordered_at: datetime = attribute(access=OWNER, description="When it was placed.")
    delivery: Delivery | None = edge(
        "delivery_of_order",
        key="id",
        access=OWNER,
        description="Where it goes; null where that is not known, or was erased with the buyer's account.",
    )
    items: list[OrderItem] | None = edge("items_of_order", key="id", access=OWNER, description="What was bought.")
    payment: Payment | None = edge("payment_of_order", key="id", access=OWNER, description="How it was paid.")
    history: list[OrderStatusChange] | None = edge(
        "history_of_order", key="id", access=OWNER, description="How it came to its state, oldest first."
    )
    version: int = attribute(access=OWNER, description="Grows with each change, for `expectedVersion`.")
    timeline: list[OrderEvent] | None = edge(
        "timeline_of_order",
        key="id",
        access=OWNER,
        description="All that happened to it, its items and its money, oldest first.",
    )
    refunds: list[Refund] | None = edge(
        "refunds_of_order", key="id", access=OWNER, description="What went back of the payment, or is on its way."
    )
    receipts: list[Receipt] | None = edge(
        "receipts_of_order",
        key="id",
        access=OWNER,
        description="One a seller once it is paid, as a qualified invoice says it; none of orders that are older than this record.",
        size=3,
    )
    available_actions: list[actions.OrderAction] | None = edge(
        "actions_of_order",
        key="standing",
        access=OWNER,
        description="What the viewer may do with it, as it stands now.",
        size=2,
    )
