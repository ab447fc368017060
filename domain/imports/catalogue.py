"""What the sales of one stock code tell of the product: its name, a price for today, its first day."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from domain.imports.categories import category_id, category_name
from domain.imports.keys import fixed_key
from domain.imports.names import slug_of
from domain.shared.ids import CategoryId, ProductId

Key = TypeVar("Key", str, int)

SANE_FACTOR = 2
"""A price is sane from a half to twice the median of the product's sales: the rest are typing errors and favours."""

STOCK = 100
"""Units of each product: the file tells none, and a product without stock could not be put into a cart."""


@dataclass(slots=True)
class Seen:
    """How many sales had a name or price, and when the last was: its time, then its place in the file."""

    last: tuple[datetime, int]
    sales: int = 0


@dataclass(frozen=True, slots=True)
class Product:
    """A product for the catalogue. `price` in pence, `published_at` the first sale in the file."""

    id: ProductId
    category_id: CategoryId
    sku: str
    slug: str
    name: str
    price: int
    published_at: datetime


@dataclass(slots=True)
class ProductSales:
    """The sales of one stock code so far: what differs between them, counted, and no sale itself."""

    stock_code: str
    first_at: datetime
    names: dict[str, Seen] = field(default_factory=dict)
    prices: dict[int, Seen] = field(default_factory=dict)

    def add(self, name: str | None, unit_price: int, at: datetime, place: int) -> None:
        when = (at, place)
        _count(self.prices, unit_price, when)
        if name is not None:
            _count(self.names, name, when)
        self.first_at = min(self.first_at, at)

    def product(self) -> Product | None:
        """None when no sale had a description that names it."""
        if not self.names:
            return None
        name = usual_name(self.names)
        return Product(
            product_id(self.stock_code),
            category_id(category_name(name)),
            self.stock_code,
            slug_of(name, self.stock_code),
            name,
            sane_price(self.prices),
            self.first_at,
        )


def product_id(stock_code: str) -> ProductId:
    return ProductId(fixed_key("product", stock_code))


def usual_name(names: Mapping[str, Seen]) -> str:
    """The name that most sales had; of equals the one sold last."""
    return max(names, key=lambda name: (names[name].sales, names[name].last))


def sane_price(prices: Mapping[int, Seen]) -> int:
    """The latest price from a half to twice the median; the median is the lower one, so it is a price of the file."""
    median = _median(prices)
    sane = (price for price in prices if median <= price * SANE_FACTOR and price <= median * SANE_FACTOR)
    return max(sane, key=lambda price: prices[price].last)


def _median(prices: Mapping[int, Seen]) -> int:
    left = sum(seen.sales for seen in prices.values()) / 2
    for price in sorted(prices):
        left -= prices[price].sales
        if left <= 0:
            return price
    raise ValueError("no prices")


def _count(counts: dict[Key, Seen], what: Key, when: tuple[datetime, int]) -> None:
    seen = counts.get(what)
    if seen is None:
        seen = counts[what] = Seen(when)
    seen.sales += 1
    seen.last = max(seen.last, when)
