"""Quotes: tax inside, carriage by the seller's terms, problems as data, and a hash that changes with anything agreed on."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.carts.model import Cart, CartLine, CartOwner, LineRef, OwnerKind
from domain.carts.quotes import CartProblem, CartQuote, Goods, PricedCart, ProblemCode, price
from domain.sellers.model import ShippingTerms
from domain.shared.ids import ProductId, SellerId, uuid7
from domain.shared.money import Money
from domain.shared.tax import TaxClass, tax_inside
from tests.shelf import NOW

OWNER = CartOwner(OwnerKind.USER, uuid7())
SHOP, OTHER = SellerId(uuid7()), SellerId(uuid7())


def yen(amount: int) -> Money:
    return Money(amount, "JPY")


def line(quantity: int = 1, was: Money | None = None) -> CartLine:
    return CartLine(ProductId(uuid7()), None, quantity, NOW, NOW, was or yen(1000))


def goods(price: Money | None = None, *, seller: SellerId = SHOP, stock: int = 99, reduced: bool = False) -> Goods:
    return Goods(seller, price or yen(1000), stock, TaxClass.REDUCED if reduced else TaxClass.STANDARD)


def priced(*of: tuple[CartLine, Goods | None], terms: dict[SellerId, ShippingTerms] | None = None) -> PricedCart:
    cart = Cart(OWNER, tuple(each for each, _ in of))
    return price(cart, {each.ref: found for each, found in of if found}, terms or {})


def quote(*of: tuple[CartLine, Goods | None], terms: dict[SellerId, ShippingTerms] | None = None) -> CartQuote:
    found = priced(*of, terms=terms).quote
    assert found is not None
    return found


def test_tax_is_inside_and_rounded_down_once_a_rate_and_seller() -> None:
    # three times 99 yen at 8 %: 7.33 each, 22 together; rounded line by line it were 21
    found = quote(*((line(was=yen(99)), goods(yen(99), reduced=True)) for _ in range(3)))
    [seller] = found.sellers
    assert [(each.percent, each.taxable, each.tax) for each in seller.taxes] == [(8, yen(297), yen(22))]
    assert (found.total, found.tax) == (yen(297), yen(22))


def test_each_rate_is_told_apart_and_carriage_is_taxed_at_the_standard_one() -> None:
    terms = {SHOP: ShippingTerms(yen(550), yen(10_000))}
    found = quote((line(2), goods(reduced=True)), (line(), goods(yen(1100))), terms=terms)
    [seller] = found.sellers
    assert [(each.percent, each.taxable, each.tax) for each in seller.taxes] == [
        (10, yen(1650), yen(150)),
        (8, yen(2000), yen(148)),
    ]
    assert (seller.subtotal, seller.shipping_fee, seller.total) == (yen(3100), yen(550), yen(3650))
    assert (found.total, found.tax) == (yen(3650), yen(298))


@pytest.mark.parametrize(
    ("terms", "fee"),
    [
        (ShippingTerms(), 0),
        (ShippingTerms(yen(500)), 500),
        (ShippingTerms(yen(500), yen(3000)), 0),
        (ShippingTerms(yen(500), yen(3001)), 500),
        (ShippingTerms(Money(500, "GBP")), 0),
    ],
)
def test_carriage_follows_each_sellers_terms(terms: ShippingTerms, fee: int) -> None:
    found = quote((line(3), goods()), (line(), goods(seller=OTHER)), terms={SHOP: terms})
    assert [each.shipping_fee for each in found.sellers] == [yen(fee), yen(0)]
    assert found.total == yen(4000 + fee)


def test_problems_are_data_and_only_a_changed_price_can_be_bought_through() -> None:
    gone, none_left, short, dearer = line(), line(2), line(5), line(was=yen(900))
    found = priced((gone, None), (none_left, goods(stock=0)), (short, goods(stock=3)), (dearer, goods(yen(1000))))
    assert found.problems == (
        CartProblem(ProblemCode.UNAVAILABLE, gone.id),
        CartProblem(ProblemCode.OUT_OF_STOCK, none_left.id, requested=2, available=0),
        CartProblem(ProblemCode.INSUFFICIENT_STOCK, short.id, requested=5, available=3),
        CartProblem(ProblemCode.PRICE_CHANGED, dearer.id, was=yen(900), now=yen(1000)),
    )
    assert [problem.is_blocking for problem in found.problems] == [True, True, True, False]
    assert found.quote is None
    through = priced((dearer, goods(yen(1000))))
    assert through.quote is not None
    assert through.quote.total == yen(1000)


def test_one_order_has_one_currency() -> None:
    pounds = Money(199, "GBP")
    found = priced((line(), goods()), (line(was=pounds), goods(pounds, seller=OTHER)))
    assert found == PricedCart((CartProblem(ProblemCode.MIXED_CURRENCIES),))
    assert quote((line(was=pounds), goods(pounds))).total == pounds


def test_an_empty_cart_has_no_quote() -> None:
    assert priced() == PricedCart()


def test_the_hash_changes_with_all_that_was_agreed_on_and_with_nothing_else() -> None:
    first, second = line(2), line()
    offers = {first.ref: goods(), second.ref: goods(seller=OTHER)}

    def hashed(lines: tuple[CartLine, ...], offers: dict[LineRef, Goods], **terms: ShippingTerms) -> str:
        found = price(Cart(OWNER, lines), offers, {SHOP: terms["shop"]} if terms else {}).quote
        assert found is not None
        return found.quote_hash

    agreed = hashed((first, second), offers)
    assert hashed((replace(first, updated_at=NOW), second), offers | {first.ref: goods(stock=50)}) == agreed
    others = {
        hashed((replace(first, quantity=3), second), offers),
        hashed((first,), offers),
        hashed((first, second), offers | {first.ref: goods(yen(1001))}),
        hashed((first, second), offers | {first.ref: goods(reduced=True)}),
        hashed((first, second), offers | {first.ref: goods(seller=OTHER)}),
        hashed((first, second), offers, shop=ShippingTerms(yen(1))),
    }
    assert len(others | {agreed}) == 7


@given(st.integers(0, 10**12), st.sampled_from([8, 10]))
def test_tax_and_net_add_up_and_no_yen_is_lost(minor: int, percent: int) -> None:
    tax = tax_inside(minor, percent)
    assert 0 <= tax <= minor
    assert tax * (100 + percent) <= minor * percent < (tax + 1) * (100 + percent)
