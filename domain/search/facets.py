"""The ways in which what was found can be narrowed, with counts, and their tokens, by which a client narrows.

A count is of what a request would find with this value alone of its facet and everything else as it is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote
from uuid import UUID

from domain.catalog.model import Attribute
from domain.search.facet_terms import FacetCounts, FacetKey, FacetKind, FacetTerm
from domain.search.model import SearchDocument
from domain.search.request import MAX_ATTRIBUTE, MAX_CHOICES, PriceRange, SearchFilter
from domain.shared.ids import BrandId, CategoryId, SellerId
from domain.shared.money import MINOR_DIGITS, Money
from domain.shared.refusals import InvalidInput


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value to narrow to, how many it would leave, and whether the request narrows to it already."""

    term: FacetTerm
    count: int
    is_selected: bool

    @property
    def token(self) -> str:
        return token_of(self.term)

    @property
    def category_id(self) -> CategoryId | None:
        key = self._key(FacetKind.CATEGORY)
        return CategoryId(key) if key else None

    @property
    def brand_id(self) -> BrandId | None:
        key = self._key(FacetKind.BRAND)
        return BrandId(key) if key else None

    @property
    def seller_id(self) -> SellerId | None:
        key = self._key(FacetKind.SELLER)
        return SellerId(key) if key else None

    @property
    def price_min(self) -> Money | None:
        price = self._price
        return None if price is None or price.low is None else Money(price.low, price.currency)

    @property
    def price_max(self) -> Money | None:
        price = self._price
        return None if price is None or price.high is None else Money(price.high, price.currency)

    def _key(self, kind: FacetKind) -> UUID | None:
        return UUID(self.term.value) if self.term.key.kind is kind else None

    @property
    def _price(self) -> PriceRange | None:
        return price_of_value(self.term.value) if self.term.key.kind is FacetKind.PRICE else None


@dataclass(frozen=True, slots=True)
class Facet:
    key: FacetKey
    values: tuple[FacetValue, ...]


PRICE_STEPS = (1_000, 3_000, 5_000, 10_000, 30_000, 100_000)
"""Where a range of prices ends and the next begins, in yen; in currencies with smaller units a hundredth in major ones."""

RATING_STEPS = (4, 3, 2, 1)
"""So much and more."""

IN_STOCK, OUT_OF_STOCK = "in", "out"

MOST_VALUES = 50
"""Values of a facet that are shown, the commonest; those chosen are there in any case."""

MOST_CATEGORIES = 200
"""The same of categories, so that the branches of a tree come whole."""

MOST_ATTRIBUTES = 20
"""Attributes that become facets, the commonest."""

MOST_OF_ONE = 200
"""Attributes of one product, those of its variations with them, that are facets. OpenSearch takes 10,000."""

MAX_TOKEN = 3 * 4 * 2 * MAX_ATTRIBUTE + 100
"""Characters of a token: up to four bytes a character, three characters a byte."""


def terms_of(document: SearchDocument) -> dict[FacetKind, tuple[str, ...]]:
    """What a document counts for, but for its attributes: facetable_attributes."""
    rating = document.rating if document.rating_count else None
    return {
        FacetKind.CATEGORY: tuple(each.hex for each in document.category_ids),
        FacetKind.BRAND: (document.brand_id.hex,) if document.brand_id else (),
        FacetKind.SELLER: (document.seller_id.hex,) if document.seller_id else (),
        FacetKind.PRICE: (price_value(price_band(document.price)),),
        FacetKind.RATING: tuple(str(step) for step in RATING_STEPS if rating is not None and rating >= step),
        FacetKind.STOCK: (IN_STOCK if document.in_stock else OUT_OF_STOCK,),
    }


def facetable_attributes(document: SearchDocument) -> list[Attribute]:
    """Those that can be narrowed to, once each, the first MOST_OF_ONE: an essay is no facet."""
    short = {
        each: None
        for each in document.attributes
        if 0 < len(each.name) <= MAX_ATTRIBUTE and 0 < len(each.value) <= MAX_ATTRIBUTE and _is_clean(each)
    }
    return list(short)[:MOST_OF_ONE]


def price_band(price: Money) -> PriceRange:
    """The range of prices that a price belongs to."""
    unit = 10 ** MINOR_DIGITS[price.currency]
    steps = [step if unit == 1 else step * unit // 100 for step in PRICE_STEPS]
    low = max((step for step in steps if step <= price.minor), default=0)
    high = min((step - 1 for step in steps if step > price.minor), default=None)
    return PriceRange(price.currency, low, high)


def price_value(price: PriceRange) -> str:
    low, high = ("" if bound is None else str(bound) for bound in (price.low, price.high))
    return f"{price.currency}:{low}:{high}"


def price_of_value(value: str) -> PriceRange:
    """Raises ValueError."""
    currency, low, high = value.split(":")
    return PriceRange(currency, _bound(low), _bound(high))


def selected_terms(which: SearchFilter) -> dict[FacetKey, tuple[str, ...]]:
    """What a filter narrows to, by facet."""
    stock = {True: (IN_STOCK,), False: (OUT_OF_STOCK,), None: ()}[which.in_stock]
    chosen: dict[FacetKey, tuple[str, ...]] = {
        FacetKey(FacetKind.CATEGORY): tuple(each.hex for each in which.category_ids),
        FacetKey(FacetKind.BRAND): tuple(each.hex for each in which.brand_ids),
        FacetKey(FacetKind.SELLER): tuple(each.hex for each in which.seller_ids),
        FacetKey(FacetKind.PRICE): tuple(map(price_value, which.prices)),
        FacetKey(FacetKind.RATING): () if which.rating_min is None else (f"{which.rating_min:g}",),
        FacetKey(FacetKind.STOCK): stock,
    }
    for attribute in which.attributes:
        key = FacetKey(FacetKind.ATTRIBUTE, attribute.name)
        chosen[key] = (*chosen.get(key, ()), attribute.value)
    return {key: tuple(dict.fromkeys(values)) for key, values in chosen.items() if values}


def token_of(term: FacetTerm) -> str:
    """What a client sends back: ASCII, and fit for an address."""
    if term.key.kind is FacetKind.ATTRIBUTE:
        return f"{term.key.kind}:{quote(term.key.name, safe='')}={quote(term.value, safe='')}"
    return f"{term.key.kind}:{term.value}"


def narrowed_by(
    which: SearchFilter, tokens: Sequence[str], field: tuple[str, ...] = ("filter", "tokens")
) -> SearchFilter:
    """The filter with the values that tokens name besides. Raises InvalidInput for what is none of ours."""
    if len(tokens) > MAX_CHOICES:
        raise InvalidInput(key="too_many_choices", most=MAX_CHOICES, field=field)
    for token in tokens:
        try:
            which = _narrowed(which, token)
        except ValueError:
            raise InvalidInput(key="facet_token", field=field) from None
    return which


def shown(counted: Iterable[FacetCounts], which: SearchFilter) -> list[Facet]:
    """Facets in their order, values commonest first, prices and ratings in theirs; what is chosen is always there."""
    chosen = selected_terms(which)
    by_key = {each.key: each for each in counted}
    for key in chosen:
        by_key.setdefault(key, FacetCounts(key, ()))
    offered = {key: tuple(value for value in values if _is_offered(key.kind, value)) for key, values in chosen.items()}
    facets = [_facet(each, offered.get(each.key, ())) for each in by_key.values()]
    kinds = list(FacetKind)
    facets.sort(
        key=lambda facet: (kinds.index(facet.key.kind), -sum(value.count for value in facet.values), facet.key.name)
    )
    return [facet for facet in facets if facet.values]


def _facet(counted: FacetCounts, chosen: tuple[str, ...]) -> Facet:
    counts = dict(counted.counts)
    most = MOST_CATEGORIES if counted.key.kind is FacetKind.CATEGORY else MOST_VALUES
    commonest = sorted(counts, key=lambda value: (-counts[value], value))[:most]
    values = [*commonest, *(value for value in chosen if value not in commonest)]
    if counted.key.kind is FacetKind.PRICE:
        values.sort(key=_price_place)
    elif counted.key.kind is FacetKind.RATING:
        values.sort(key=float, reverse=True)
    terms = [FacetTerm(counted.key, value) for value in values]
    return Facet(
        counted.key,
        tuple(FacetValue(each, counts.get(each.value, 0), each.value in chosen) for each in terms),
    )


def _is_offered(kind: FacetKind, value: str) -> bool:
    """Whether a value is one that is counted: any range of prices and any rating can be asked for."""
    if kind is FacetKind.PRICE:
        price = price_of_value(value)
        return price == price_band(Money(price.low or 0, price.currency))
    return kind is not FacetKind.RATING or value in map(str, RATING_STEPS)


def _price_place(value: str) -> tuple[str, int]:
    price = price_of_value(value)
    return price.currency, price.low or 0


def _narrowed(which: SearchFilter, token: str) -> SearchFilter:
    """Raises ValueError."""
    if len(token) > MAX_TOKEN:
        raise ValueError(token[:20])
    name, _, value = token.partition(":")
    match FacetKind(name):
        case FacetKind.CATEGORY:
            return replace(which, category_ids=(*which.category_ids, CategoryId(UUID(value))))
        case FacetKind.BRAND:
            return replace(which, brand_ids=(*which.brand_ids, BrandId(UUID(value))))
        case FacetKind.SELLER:
            return replace(which, seller_ids=(*which.seller_ids, SellerId(UUID(value))))
        case FacetKind.PRICE:
            return replace(which, prices=(*which.prices, price_of_value(value)))
        case FacetKind.RATING:
            least = float(value)  # of several the least: any of them will do
            return replace(which, rating_min=least if which.rating_min is None else min(least, which.rating_min))
        case FacetKind.STOCK:
            if value not in (IN_STOCK, OUT_OF_STOCK):
                raise ValueError(value)
            is_in = value == IN_STOCK
            both = which.in_stock is not None and which.in_stock is not is_in
            return replace(which, in_stock=None if both else is_in)
        case FacetKind.ATTRIBUTE:
            name, equals, value = value.partition("=")
            if not equals:
                raise ValueError(value)
            attribute = Attribute(unquote(name, errors="strict"), unquote(value, errors="strict"))
            return replace(which, attributes=(*which.attributes, attribute))


def _bound(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(2**63)):
        raise ValueError(text)
    return int(text)


def _is_clean(attribute: Attribute) -> bool:
    # \x1f parts name and value in an index
    return not any(each < " " or "\ud800" <= each <= "\udfff" for each in attribute.name + attribute.value)
