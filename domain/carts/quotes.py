"""What a cart comes to now: what stands in the way of buying it, and a quote that checkout holds it to.

Pure functions of the cart and of what the catalogue and the sellers say at the moment.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from domain.carts.model import Cart, CartLine, LineRef
from domain.sellers.model import ShippingTerms
from domain.shared.ids import SellerId
from domain.shared.money import Money
from domain.shared.tax import TaxClass, tax_inside


class ProblemCode(StrEnum):
    PRICE_CHANGED = "price_changed"
    """Since it was added. The line can be bought all the same, at the present price."""
    UNAVAILABLE = "unavailable"
    """No longer sold, or not in this variation."""
    OUT_OF_STOCK = "out_of_stock"
    INSUFFICIENT_STOCK = "insufficient_stock"
    MIXED_CURRENCIES = "mixed_currencies"
    """One order has one currency: lines of others have to go."""

    @property
    def is_blocking(self) -> bool:
        return self is not ProblemCode.PRICE_CHANGED

    @property
    def is_of_stock(self) -> bool:
        return self in (ProblemCode.OUT_OF_STOCK, ProblemCode.INSUFFICIENT_STOCK)


@dataclass(frozen=True, slots=True)
class CartProblem:
    """Something that changed since a line was put in. `line_id` is None for what concerns the whole cart."""

    code: ProblemCode
    line_id: str | None = None
    was: Money | None = None
    now: Money | None = None
    requested: int | None = None
    available: int | None = None

    @property
    def is_blocking(self) -> bool:
        return self.code.is_blocking


@dataclass(frozen=True, slots=True)
class Goods:
    """What a line would buy now: from whom, at which price of one, how many there are, and how it is taxed."""

    seller_id: SellerId
    price: Money
    stock: int
    tax_class: TaxClass


@dataclass(frozen=True, slots=True)
class QuotedLine:
    """A line that can be bought. Prices include tax."""

    line_id: str
    ref: LineRef
    quantity: int
    unit_price: Money
    total: Money
    tax_percent: int


@dataclass(frozen=True, slots=True)
class QuotedTax:
    """The tax inside a seller's amounts of one rate, rounded down once."""

    percent: int
    taxable: Money
    """With the tax in it."""
    tax: Money


@dataclass(frozen=True, slots=True)
class SellerQuote:
    """A seller's part."""

    seller_id: SellerId
    lines: tuple[QuotedLine, ...]
    subtotal: Money
    shipping_fee: Money
    taxes: tuple[QuotedTax, ...]
    total: Money


@dataclass(frozen=True, slots=True)
class CartQuote:
    """What the whole cart costs. `quote_hash` changes with anything in it; checkout refuses one that is no longer so."""

    sellers: tuple[SellerQuote, ...]
    subtotal: Money
    shipping_fee: Money
    tax: Money
    total: Money
    quote_hash: str


@dataclass(frozen=True, slots=True)
class PricedCart:
    """The quote is None while a problem blocks it, or there is nothing to buy."""

    problems: tuple[CartProblem, ...] = ()
    quote: CartQuote | None = None


def price(cart: Cart, goods: Mapping[LineRef, Goods], shipping: Mapping[SellerId, ShippingTerms]) -> PricedCart:
    """A cart as it would be bought now; lines without goods are not on sale."""
    problems = [problem for line in cart.lines for problem in _problems(line, goods.get(line.ref))]
    currencies = {found.price.currency for line in cart.lines if (found := goods.get(line.ref))}
    if len(currencies) > 1:
        problems.append(CartProblem(ProblemCode.MIXED_CURRENCIES))
    if not cart.lines or any(problem.is_blocking for problem in problems):
        return PricedCart(tuple(problems))
    return PricedCart(tuple(problems), _quote(cart, goods, shipping))


def _problems(line: CartLine, goods: Goods | None) -> list[CartProblem]:
    if goods is None:
        return [CartProblem(ProblemCode.UNAVAILABLE, line.id)]
    found = []
    if goods.stock < line.quantity:
        code = ProblemCode.INSUFFICIENT_STOCK if goods.stock > 0 else ProblemCode.OUT_OF_STOCK
        found.append(CartProblem(code, line.id, requested=line.quantity, available=max(goods.stock, 0)))
    if goods.price != line.price_snapshot:
        found.append(CartProblem(ProblemCode.PRICE_CHANGED, line.id, was=line.price_snapshot, now=goods.price))
    return found


def _quote(cart: Cart, goods: Mapping[LineRef, Goods], shipping: Mapping[SellerId, ShippingTerms]) -> CartQuote:
    of_sellers: dict[SellerId, list[CartLine]] = {}
    for line in cart.lines:
        of_sellers.setdefault(goods[line.ref].seller_id, []).append(line)
    sellers = tuple(
        _seller_quote(seller_id, lines, goods, shipping.get(seller_id, ShippingTerms()))
        for seller_id, lines in of_sellers.items()
    )
    none = Money(0, sellers[0].total.currency)
    subtotal = sum((each.subtotal for each in sellers), none)
    fee = sum((each.shipping_fee for each in sellers), none)
    tax = sum((tax.tax for each in sellers for tax in each.taxes), none)
    return CartQuote(sellers, subtotal, fee, tax, subtotal + fee, _hash(sellers))


def _seller_quote(
    seller_id: SellerId, lines: Sequence[CartLine], goods: Mapping[LineRef, Goods], terms: ShippingTerms
) -> SellerQuote:
    quoted = tuple(_quoted(line, goods[line.ref]) for line in lines)
    none = Money(0, quoted[0].total.currency)
    subtotal = sum((line.total for line in quoted), none)
    fee = terms.fee_of(subtotal)
    taxable: dict[int, Money] = {}
    for line in quoted:
        taxable[line.tax_percent] = taxable.get(line.tax_percent, none) + line.total
    if fee.minor:  # carriage is a service, taxed as such whatever is carried
        percent = TaxClass.STANDARD.percent
        taxable[percent] = taxable.get(percent, none) + fee
    taxes = tuple(
        QuotedTax(percent, amount, Money(tax_inside(amount.minor, percent), amount.currency))
        for percent, amount in sorted(taxable.items(), reverse=True)
    )
    return SellerQuote(seller_id, quoted, subtotal, fee, taxes, subtotal + fee)


def _quoted(line: CartLine, goods: Goods) -> QuotedLine:
    return QuotedLine(
        line.id, line.ref, line.quantity, goods.price, goods.price * line.quantity, goods.tax_class.percent
    )


def _hash(sellers: Sequence[SellerQuote]) -> str:
    """Of all that is agreed on: who sells what, how many, for how much, taxed and carried how."""
    agreed = [
        [
            str(seller.seller_id),
            seller.total.currency,
            seller.shipping_fee.minor,
            [[line.line_id, line.quantity, line.unit_price.minor, line.tax_percent] for line in seller.lines],
        ]
        for seller in sorted(sellers, key=lambda each: each.seller_id.int)
    ]
    return hashlib.sha256(json.dumps(agreed).encode()).hexdigest()
