"""Products and what belongs to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.shared.ids import BrandId, CategoryId, ProductId, SellerId, VariationId
from domain.shared.money import Money
from domain.shared.viewer import Viewer

BRANDS_ORDER = "brands"

LOW_STOCK = 5
"""Units from which down shoppers are told that few are left."""


class ProductStatus(StrEnum):
    DRAFT = "draft"
    ACTIVE = "active"
    OUT_OF_STOCK = "out_of_stock"
    DISCONTINUED = "discontinued"


class Availability(StrEnum):
    IN_STOCK = "in_stock"
    LOW_STOCK = "low_stock"
    OUT_OF_STOCK = "out_of_stock"
    UNAVAILABLE = "unavailable"


NOT_OFFERED = (ProductStatus.DRAFT, ProductStatus.DISCONTINUED)
IN_STOCK, FEW_LEFT = Availability.IN_STOCK, Availability.LOW_STOCK
SOLD_OUT, UNAVAILABLE = Availability.OUT_OF_STOCK, Availability.UNAVAILABLE
"""Python 3.11 takes as long to read one off its class as for all the rest of what is below."""


def availability(status: ProductStatus, sellable: int) -> Availability:
    """What a shopper is told, derived and never typed in."""
    if status in NOT_OFFERED:
        return UNAVAILABLE
    if sellable <= 0:
        return SOLD_OUT
    return FEW_LEFT if sellable <= LOW_STOCK else IN_STOCK


@dataclass(frozen=True, slots=True)
class Attribute:
    """A property of a product or variation, such as 色: 藍."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class ShippingInfo:
    """How a product travels. `days_min` and `days_max` are working days until it leaves."""

    ships_from: str | None = None
    days_min: int | None = None
    days_max: int | None = None
    fee: Money | None = None
    free_over: Money | None = None


@dataclass(frozen=True, slots=True)
class Product:
    """Something a seller offers. Prices include tax; `stock_quantity` is what can still be sold: what lies in the warehouse
    less what orders have set aside; the sum of the variations' where there are any.

    `version` grows with every change of the product, its variations or images.
    """

    id: ProductId
    seller_id: SellerId
    category_id: CategoryId
    brand_id: BrandId | None
    sku: str
    slug: str
    name: str
    description: str
    base_price: Money
    sale_price: Money | None
    stock_quantity: int
    status: ProductStatus
    attributes: tuple[Attribute, ...]
    shipping_info: ShippingInfo
    published_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int

    @property
    def price(self) -> Money:
        """What a shopper pays for one."""
        return self.base_price if self.sale_price is None else self.sale_price

    @property
    def is_on_sale(self) -> bool:
        return self.sale_price is not None and self.sale_price.minor < self.base_price.minor

    @property
    def availability(self) -> Availability:
        return availability(self.status, self.stock_quantity)


@dataclass(frozen=True, slots=True)
class Image:
    """A picture of a product; `url` may be relative to the gateway."""

    id: UUID
    product_id: ProductId
    url: str
    alt_text: str
    sort_order: int
    is_primary: bool


@dataclass(frozen=True, slots=True)
class Variation:
    """A kind of a product that is stocked and priced by itself, such as a size."""

    id: VariationId
    product_id: ProductId
    sku: str
    name: str
    attributes: tuple[Attribute, ...]
    price: Money
    stock_quantity: int
    is_active: bool

    @property
    def availability(self) -> Availability:
        return availability(ProductStatus.ACTIVE if self.is_active else ProductStatus.DISCONTINUED, self.stock_quantity)


@dataclass(frozen=True, slots=True)
class Brand:
    id: BrandId
    name: str
    name_kana: str | None
    logo_url: str | None


class ProductSort(StrEnum):
    NEWEST = "newest"
    PRICE_ASC = "price_asc"
    PRICE_DESC = "price_desc"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class ProductFilter:
    """Which products a list holds; what is empty or None does not narrow. Prices are in minor units of `currency`.

    Hashable, because totals are counted by it.
    """

    category_ids: tuple[CategoryId, ...] = ()
    brand_ids: tuple[BrandId, ...] = ()
    seller_id: SellerId | None = None
    price_min: int | None = None
    price_max: int | None = None
    currency: str | None = None
    in_stock: bool | None = None
    on_sale: bool | None = None
    statuses: tuple[ProductStatus, ...] = ()
    text: str | None = None
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True, slots=True)
class ProductRef:
    """One way to name a product: by id, by slug, or by its seller and the seller's own code for it."""

    id: ProductId | None = None
    slug: str | None = None
    seller_id: SellerId | None = None
    sku: str | None = None


def attributes_of(pairs: dict[str, str]) -> tuple[Attribute, ...]:
    return tuple(Attribute(name, value) for name, value in sorted(pairs.items()))


def attribute_pairs(attributes: Sequence[Attribute]) -> dict[str, str]:
    return {attribute.name: attribute.value for attribute in attributes}


@dataclass(frozen=True, slots=True)
class ProductsScope:
    """The list that a page of products was cut from, as this viewer sees it."""

    viewer: Viewer
    which: ProductFilter


@dataclass(frozen=True, slots=True)
class BrandsScope:
    """All brands."""
