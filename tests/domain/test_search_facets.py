"""The tokens of facets, ranges of prices, and what a filter may hold."""

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.search_ranking import PRICE_BITS, price_bounds, price_rank
from domain.catalog.model import Attribute
from domain.search.facet_terms import FacetKey, FacetKind, FacetTerm
from domain.search.facets import (
    MAX_TOKEN,
    PRICE_STEPS,
    narrowed_by,
    price_band,
    price_of_value,
    price_value,
    selected_terms,
    token_of,
)
from domain.search.request import MAX_ATTRIBUTE, NO_FILTER, PriceRange, SearchFilter
from domain.shared.ids import BrandId, uuid7
from domain.shared.money import MINOR_DIGITS, Money
from domain.shared.refusals import InvalidInput

PATIENT = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine takes its time, which is not what these tests are about."""

TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=MAX_ATTRIBUTE)


@PATIENT
@given(TEXT, TEXT)
def test_token_of_any_attribute_leads_back_to_it(name: str, value: str) -> None:
    token = token_of(FacetTerm(FacetKey(FacetKind.ATTRIBUTE, name), value))

    assert token.isascii()
    assert len(token) <= MAX_TOKEN
    assert narrowed_by(NO_FILTER, [token]).checked().attributes == (Attribute(name, value),)


@PATIENT
@given(st.text(max_size=60))
def test_any_text_is_a_token_or_refused(text: str) -> None:
    for token in (text, *(f"{kind}:{text}" for kind in FacetKind)):
        with suppress(InvalidInput):
            chosen = selected_terms(narrowed_by(NO_FILTER, [token]).checked())
            assert sum(map(len, chosen.values())) == 1


@pytest.mark.parametrize(
    "token",
    [
        "",
        "brand",
        "brand:",
        "brand:1",
        "colour:red",
        "price:JPY",
        "price:JPY:1:2:3",
        "price:JPY:-1:",
        "price:JPY:1e3:",
        "price:JPY:٣:",
        "price:JPY:" + "9" * 5_000 + ":",
        "price:XXX:1:2",
        "price:JPY:5:4",
        "rating:nan",
        "rating:inf",
        "rating:-1",
        "rating:6",
        "stock:maybe",
        "attribute:色",
        "attribute:%00=a",
        "attribute:%ED%A0%80=a",
        "attribute:%FF=a",
        "attribute:" + "a" * (MAX_ATTRIBUTE + 1) + "=b",
        "attribute:" + "a" * 1_000_000,
    ],
)
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(InvalidInput):
        narrowed_by(NO_FILTER, [token]).checked()


def test_tokens_add_to_what_is_named_beside_them() -> None:
    brands = [BrandId(uuid7()) for _ in range(3)]
    tokens = [f"brand:{brands[1].hex}", f"brand:{brands[2].hex}", "stock:in", "rating:4", "rating:3", "price:JPY::999"]

    which = narrowed_by(SearchFilter(brand_ids=(brands[0],)), tokens)

    assert which == SearchFilter(
        brand_ids=tuple(brands), in_stock=True, rating_min=3.0, prices=(PriceRange("JPY", None, 999),)
    )


def test_both_values_of_a_facet_are_either() -> None:
    assert narrowed_by(NO_FILTER, ["stock:in", "stock:out"]).in_stock is None


def test_values_are_limited_over_all_facets() -> None:
    brand = BrandId(uuid7())
    with pytest.raises(InvalidInput):
        narrowed_by(NO_FILTER, ["stock:in"] * 101)
    with pytest.raises(InvalidInput):
        narrowed_by(SearchFilter(brand_ids=(brand,) * 60), [f"brand:{brand.hex}"] * 60).checked()


def test_attributes_are_limited_by_their_names() -> None:
    values = tuple(Attribute("色", str(number)) for number in range(50))
    assert SearchFilter(attributes=values).checked().attributes == values
    with pytest.raises(InvalidInput):
        SearchFilter(attributes=tuple(Attribute(str(number), "赤") for number in range(11))).checked()


@pytest.mark.parametrize("currency", MINOR_DIGITS)
@PATIENT
@given(minor=st.integers(0, 10**12))
def test_every_price_is_in_its_range(currency: str, minor: int) -> None:
    band = price_band(Money(minor, currency))

    assert band.low is not None
    assert band.low <= minor <= (minor if band.high is None else band.high)
    assert price_of_value(price_value(band)) == band
    assert price_band(Money(band.low, currency)) == band


def test_ranges_of_prices_meet() -> None:
    for currency in MINOR_DIGITS:
        lows = [price_band(Money(0, currency))]
        while (high := lows[-1].high) is not None:
            lows.append(price_band(Money(high + 1, currency)))
        assert len(lows) == len(PRICE_STEPS) + 1
        assert all(before.high is not None and before.high + 1 == after.low for before, after in pairwise(lows))
    assert price_band(Money(1_000, "JPY")) == PriceRange("JPY", 1_000, 2_999)
    assert price_band(Money(1_000, "GBP")) == PriceRange("GBP", 1_000, 2_999)


@PATIENT
@given(st.integers(0, 10**17), st.integers(0, 10**17))
def test_ranks_of_prices_are_in_order_within_a_currency_and_never_cross(one: int, other: int) -> None:
    if one < other:
        assert price_rank(Money(one, "JPY")) <= price_rank(Money(other, "JPY"))
    assert price_rank(Money(one, "GBP")) < price_rank(Money(other, "JPY")) < 2**63
    low, high = price_bounds(PriceRange("JPY", min(one, 2**PRICE_BITS - 1)))
    assert low == price_rank(Money(one, "JPY")) <= high
