"""What a buyer asks for at the checkout, what is found under lock, and the order that is made of the two."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from domain.accounts.addresses import AddressFields
from domain.carts.model import Cart, LineRef
from domain.carts.quotes import CartQuote
from domain.catalog.model import Product, Variation
from domain.orders.model import OrderStatus
from domain.sellers.model import ShippingTerms
from domain.shared.ids import AddressId, OrderId, OrderItemId, ProductId, SellerId, UserId, VariationId
from domain.shared.languages import Language
from domain.shared.money import Money
from domain.shared.tax import TaxClass

PAY_WITHIN = timedelta(minutes=30)
"""How long an order's units are set aside for whoever has not paid yet."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What is set aside and not paid: in how many orders, and how many units."""

    orders: int = 0
    units: int = 0


@dataclass(frozen=True, slots=True)
class HoldLimits:
    """How much may be set aside unpaid: of units in one order, a buyer having one such order at a time; and of orders and units
    by all guests of one address, where those are counted.
    """

    units: int
    of_address: Holding | None = None


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to and whom to tell, as the buyer says it. A user names an address or writes one; a guest writes one, and a mail address."""

    address_id: AddressId | None = None
    fields: AddressFields | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)

    @property
    def said(self) -> tuple[object, ...]:
        """All of it, which its `repr` keeps out of logs."""
        return (self.address_id, self.fields, self.email)


@dataclass(frozen=True, slots=True)
class Delivery:
    """The same as the order keeps it: complete, and in one form."""

    address_id: AddressId | None
    fields: AddressFields = field(repr=False)
    email: str = field(repr=False)
    language: Language


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who buys: a user, or a guest."""

    user_id: UserId | None
    guest_id: UUID | None


@dataclass(frozen=True, slots=True)
class SellingTerms:
    """A seller who sells right now, and for what. `commission_bp`: hundredths of a percent of the goods, carriage not."""

    seller_id: SellerId
    name: str
    registration_number: str | None
    commission_bp: int
    shipping: ShippingTerms

    def commission_of(self, subtotal: Money) -> Money:
        """Rounded down: the seller's favour."""
        return Money(subtotal.minor * self.commission_bp // 10_000, subtotal.currency)


@dataclass(frozen=True, slots=True)
class Shelf:
    """What a cart's products are at this moment, nobody else being able to change them until it is over."""

    products: Mapping[ProductId, tuple[Product, TaxClass]]
    variations: Mapping[ProductId, tuple[Variation, ...]]
    sellers: Mapping[SellerId, SellingTerms]
    """Those that may sell: whoever was suspended is not in it."""
    held: Holding = Holding()
    """By guests of the buyer's address, but for the order that gives way to this one."""


@dataclass(frozen=True, slots=True)
class BoughtLine:
    """An item of a new order."""

    id: OrderItemId
    ref: LineRef
    seller_id: SellerId
    name: str
    variation_name: str | None
    sku: str
    quantity: int
    unit_price: Money
    total: Money
    tax_percent: int

    @property
    def product_id(self) -> ProductId:
        return self.ref.product_id

    @property
    def variation_id(self) -> VariationId | None:
        return self.ref.variation_id


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order that is about to be written, all of it or nothing. `expires_at`: until when it must be paid."""

    id: OrderId
    number: str
    buyer: Buyer
    cart: Cart
    quote: CartQuote
    terms: Mapping[SellerId, SellingTerms]
    lines: tuple[BoughtLine, ...]
    delivery: Delivery
    placed_at: datetime
    placed_from: str | None = None
    """A guest's address, under a key."""
    status: OrderStatus = OrderStatus.PENDING

    @property
    def expires_at(self) -> datetime:
        return self.placed_at + PAY_WITHIN
