"""Orders as they stand. An order keeps its own copy of names and prices: later edits never change it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from domain.payments.model import PaymentMethod
from domain.shared.ids import OrderId, OrderItemId, ProductId, SellerId, UserId, VariationId
from domain.shared.money import Money
from domain.shared.viewer import Viewer

ORDERS_ORDER = "orders"


class OrderStatus(StrEnum):
    """States of an order, and of each of its items."""

    PENDING = "pending"
    PROCESSING = "processing"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"


class PaymentStatus(StrEnum):
    PENDING = "pending"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True)
class Order:
    """Amounts include tax; `tax` is the part of the total that is tax."""

    id: OrderId
    order_number: str
    user_id: UserId | None
    status: OrderStatus
    subtotal: Money
    tax: Money
    shipping_fee: Money
    total: Money
    ordered_at: datetime
    created_at: datetime
    updated_at: datetime
    guest_id: UUID | None = None
    version: int = 1

    @property
    def order_id(self) -> OrderId:
        return self.id

    @property
    def standing(self) -> "Order":
        """Itself, for what is asked of it as it stands."""
        return self


@dataclass(frozen=True, slots=True)
class OrderItem:
    id: OrderItemId
    order_id: OrderId
    product_id: ProductId
    variation_id: VariationId | None
    seller_id: SellerId
    name: str
    quantity: int
    unit_price: Money
    total: Money
    fulfillment_status: OrderStatus
    user_id: UserId | None
    """The buyer; None in a guest's order, and for a seller, who does not see whose the order is."""
    guest_id: UUID | None = None
    version: int = 1
    variation_name: str | None = None
    sku: str | None = None
    tax_percent: int | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None

    @property
    def standing(self) -> "OrderItem":
        """Itself, for what is asked of it as it stands."""
        return self

    @property
    def has_to_arrive(self) -> bool:
        """Whether its seller has to send it, or has and it is on its way: until then it needs an address."""
        return self.fulfillment_status in (OrderStatus.PROCESSING, OrderStatus.SHIPPED)


@dataclass(frozen=True, slots=True)
class Payment:
    """How an order was paid; never a card number."""

    id: UUID
    order_id: OrderId
    amount: Money
    status: PaymentStatus
    paid_at: datetime | None
    user_id: UserId | None
    guest_id: UUID | None = None
    method: PaymentMethod | None = None


@dataclass(frozen=True, slots=True)
class StatusChange:
    """One step of an order's history."""

    id: UUID
    order_id: OrderId
    status: OrderStatus
    note: str | None
    created_at: datetime
    user_id: UserId | None
    guest_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class OrderDelivery:
    """Where an order goes, as it was written when it was placed.

    `seller_id`: who has something of it to send, or on its way; None as the order's own.
    """

    order_id: OrderId
    recipient_name: str
    postal_code: str
    prefecture: str
    city: str
    line1: str
    line2: str | None
    phone_number: str | None
    user_id: UserId | None
    guest_id: UUID | None = None
    seller_id: SellerId | None = None


class Bought(Protocol):
    """An order or a part of one. It is the user's, or where there is none the guest's."""

    @property
    def order_id(self) -> OrderId: ...
    @property
    def user_id(self) -> UserId | None: ...
    @property
    def guest_id(self) -> UUID | None: ...


def is_buyers(viewer: Viewer, value: Bought) -> bool:
    """Whether the viewer bought it, or was given the link to the order by who did."""
    if value.order_id in viewer.order_ids or viewer.is_user(value.user_id):
        return True
    return value.user_id is None and value.guest_id is not None and viewer.is_guest(value.guest_id)


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders, or items, a list holds: in one of these states, ordered from `since` to before `until`."""

    statuses: tuple[OrderStatus, ...] = ()
    since: datetime | None = None
    until: datetime | None = None


EVERY_ORDER = OrderFilter()


@dataclass(frozen=True, slots=True)
class OrdersScope:
    """The orders that a viewer placed, as far as they were asked for."""

    viewer: Viewer
    which: OrderFilter = EVERY_ORDER
