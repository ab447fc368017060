"""A placed order with all that a decision about it needs, as it stands under lock. Amounts are minor units of its currency."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.orders.model import OrderStatus, PaymentStatus
from domain.orders.returns import Return
from domain.orders.states import ENDED, Actor
from domain.shared.ids import OrderId, OrderItemId, ProductId, SellerId, UserId, VariationId
from domain.shared.refusals import NotFound
from domain.shared.viewer import Role, Viewer


@dataclass(frozen=True, slots=True)
class OpenItem:
    """`refunded` and `refunded_quantity` are of all refunds, for what failed is tried again; `returning` of returns not refused.

    `short`: how many of it were sold and never were on the shelf, as a stocktake had found.
    """

    id: OrderItemId
    seller_id: SellerId
    product_id: ProductId
    variation_id: VariationId | None
    quantity: int
    unit_price: int
    total: int
    tax_percent: int
    status: OrderStatus
    version: int
    delivered_at: datetime | None = None
    refunded: int = 0
    refunded_quantity: int = 0
    returning: int = 0
    short: int = 0

    @property
    def left(self) -> int:
        """What has not gone back yet."""
        return self.total - self.refunded

    @property
    def returnable(self) -> int:
        """How many are not on their way back, and were not refunded otherwise."""
        return self.quantity - max(self.returning, self.refunded_quantity)

    @property
    def is_alive(self) -> bool:
        return self.status not in ENDED


@dataclass(frozen=True, slots=True)
class OpenPart:
    """A seller's part of the order. `clawed_back`: how much of the goods' price was taken back from the seller already."""

    seller_id: SellerId
    subtotal: int
    shipping_fee: int
    commission: int
    shipping_refunded: int = 0
    clawed_back: int = 0
    is_in_ledger: bool = True
    """Orders that were imported, or placed before there was a ledger, are not."""

    @property
    def shipping_left(self) -> int:
        return self.shipping_fee - self.shipping_refunded


@dataclass(frozen=True, slots=True)
class OpenPayment:
    """`refunded`: what went back or is to; what failed is tried again. `disputed`: what the bank took for the buyer, and keeps.

    `is_contested`: whether it still may: until that is settled the provider refunds nothing.
    """

    id: UUID
    status: PaymentStatus
    amount: int
    refunded: int = 0
    disputed: int = 0
    is_contested: bool = False

    @property
    def left(self) -> int:
        return max(self.amount - self.refunded - self.disputed, 0)

    @property
    def is_paid(self) -> bool:
        return self.status is PaymentStatus.SUCCEEDED


@dataclass(frozen=True, slots=True)
class OpenOrder:
    id: OrderId
    currency: str
    status: OrderStatus
    version: int
    user_id: UserId | None
    guest_id: UUID | None
    items: Sequence[OpenItem]
    parts: Mapping[SellerId, OpenPart]
    payment: OpenPayment | None
    returns: Sequence[Return] = ()

    def item(self, item_id: UUID) -> OpenItem:
        """Raises NotFound."""
        for item in self.items:
            if item.id == item_id:
                return item
        raise NotFound

    def return_(self, return_id: UUID) -> Return:
        """Raises NotFound."""
        for each in self.returns:
            if each.id == return_id:
                return each
        raise NotFound

    def items_of(self, seller_id: SellerId) -> list[OpenItem]:
        return [item for item in self.items if item.seller_id == seller_id]

    def is_buyer(self, viewer: Viewer) -> bool:
        is_guests = self.guest_id is not None and viewer.user_id is None and viewer.guest_id == self.guest_id
        return is_guests or viewer.is_user(self.user_id)

    def actors(self, viewer: Viewer, seller_id: SellerId | None = None) -> frozenset[Actor]:
        """In which parts the viewer may act, on the order or on what is a seller's of it."""
        found = {Actor.ADMIN} if viewer.role is Role.ADMIN else set()
        if self.is_buyer(viewer):
            found.add(Actor.BUYER)
        if viewer.works_for(seller_id):
            found.add(Actor.SELLER)
        return frozenset(found)
