"""Whether a cart can be bought as its buyer agreed to, and the order that is made of it. Pure functions of what is under lock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from domain.accounts.addresses import AddressNotFound
from domain.carts.model import Cart
from domain.carts.pricing import goods_of
from domain.carts.quotes import CartQuote, PricedCart, QuotedLine, price
from domain.orders.buying import (
    BoughtLine,
    Buyer,
    Delivery,
    Holding,
    HoldLimits,
    NewOrder,
    SellingTerms,
    Shelf,
)
from domain.orders.checkout_refusals import (
    AddressIncomplete,
    AmountTooSmall,
    CartEmpty,
    QuoteChanged,
    TooManyUnits,
    TooMuchUnpaid,
)
from domain.orders.numbers import new_number
from domain.shared.ids import OrderId, OrderItemId, SellerId, uuid7
from domain.shared.money import Money

LEAST = {"JPY": 50, "USD": 50, "EUR": 50, "GBP": 30}
"""What can be charged at all, in minor units. Source: docs.stripe.com/currencies#minimum-and-maximum-charge-amounts."""


@dataclass(frozen=True, slots=True)
class Intent:
    """What a buyer wants, as it was read before anything was locked. `delivery` is None where the address is gone."""

    buyer: Buyer
    cart: Cart
    quote_hash: str
    delivery: Delivery | None
    now: datetime
    limits: HoldLimits
    placed_from: str | None = None
    make_number: Callable[[], str] = new_number


def priced(cart: Cart, shelf: Shelf) -> PricedCart:
    """The cart at this moment. What a seller sells who may not sell now is gone."""
    goods = {}
    for line in cart.lines:
        product, tax_class = shelf.products.get(line.product_id, (None, None))
        if product is None or tax_class is None or product.seller_id not in shelf.sellers:
            continue
        found = goods_of(line.ref, product, shelf.variations.get(line.product_id, ()), tax_class)
        if found is not None:
            goods[line.ref] = found
    return price(cart, goods, {key: terms.shipping for key, terms in shelf.sellers.items()})


def place(intent: Intent, shelf: Shelf) -> NewOrder:
    """Raises CartEmpty, QuoteChanged, AddressNotFound, AddressIncomplete, AmountTooSmall, TooManyUnits, TooMuchUnpaid."""
    if not intent.cart.lines:
        raise CartEmpty
    now = priced(intent.cart, shelf)
    quote = now.quote
    if quote is None or quote.quote_hash != intent.quote_hash:
        raise QuoteChanged(now)
    delivery = _complete(intent.delivery)
    _check_amount(quote.total)
    _check_holding(intent, shelf.held)
    order_id = OrderId(uuid7(intent.now))
    return NewOrder(
        id=order_id,
        number=intent.make_number(),
        buyer=intent.buyer,
        cart=intent.cart,
        quote=quote,
        terms=_terms(quote, shelf),
        lines=tuple(
            _bought(line, seller.seller_id, shelf, intent.now) for seller in quote.sellers for line in seller.lines
        ),
        delivery=delivery,
        placed_at=intent.now,
        placed_from=intent.placed_from,
    )


def _complete(delivery: Delivery | None) -> Delivery:
    if delivery is None:
        raise AddressNotFound
    if not delivery.fields.recipient_name:
        raise AddressIncomplete(field=("addressId",))
    return delivery


def _check_amount(total: Money) -> None:
    least = LEAST.get(total.currency, 1)
    if total.minor < least:
        raise AmountTooSmall(Money(least, total.currency))


def _check_holding(intent: Intent, held: Holding) -> None:
    """Nobody keeps much from others without paying for it."""
    limits, units = intent.limits, intent.cart.total_quantity
    if units > limits.units:
        raise TooManyUnits(limits.units)
    most = limits.of_address
    if most is None or intent.placed_from is None:
        return
    if held.orders >= most.orders or held.units + units > most.units:
        raise TooMuchUnpaid


def _terms(quote: CartQuote, shelf: Shelf) -> dict[SellerId, SellingTerms]:
    return {each.seller_id: shelf.sellers[each.seller_id] for each in quote.sellers}


def _bought(line: QuotedLine, seller_id: SellerId, shelf: Shelf, now: datetime) -> BoughtLine:
    product, _ = shelf.products[line.ref.product_id]
    kinds = {each.id: each for each in shelf.variations.get(product.id, ())}
    variation = kinds[line.ref.variation_id] if line.ref.variation_id else None
    return BoughtLine(
        id=OrderItemId(uuid7(now)),
        ref=line.ref,
        seller_id=seller_id,
        name=product.name,
        variation_name=variation.name if variation else None,
        sku=variation.sku if variation else product.sku,
        quantity=line.quantity,
        unit_price=line.unit_price,
        total=line.total,
        tax_percent=line.tax_percent,
    )
