"""What a shopper asks of search: words, what to narrow them to, and an order."""

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from domain.catalog.model import Attribute
from domain.shared.ids import BrandId, CategoryId, SellerId
from domain.shared.money import MINOR_DIGITS
from domain.shared.refusals import InvalidInput

MAX_QUERY = 200
"""Characters of a query, as typed and after NFKC (which can write one character as up to 18)."""

MAX_CHOICES = 100
"""Values that a filter may name, of all facets together."""

MAX_ATTRIBUTES = 10
"""Attributes that a filter may name, whatever their values: each is counted by itself."""

MAX_ATTRIBUTE = 200
"""Characters of an attribute's name, and of its value, that can be narrowed to."""

BEST_RATING = 5


class SearchSort(StrEnum):
    """The order of what is found; equals go by id."""

    RELEVANCE = "relevance"
    PRICE_ASC = "price_asc"
    PRICE_DESC = "price_desc"
    NEWEST = "newest"
    RATING = "rating"
    POPULARITY = "popularity"

    @property
    def order(self) -> str:
        """What cursors of this sort are made for."""
        return "search" if self is SearchSort.RELEVANCE else f"search:{self}"


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What a shopper typed, checked: NFKC, trimmed, single spaces. Empty is to browse, without regard to words."""

    text: str

    @property
    def is_browse(self) -> bool:
        return not self.text

    @classmethod
    def of(cls, typed: str, field: tuple[str, ...] = ("query",)) -> "SearchQuery":
        """Raises InvalidInput when it is too long or holds what is not text."""
        if len(typed) <= MAX_QUERY:  # before any work on it
            text = " ".join(unicodedata.normalize("NFKC", typed).split())
            if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
                raise InvalidInput(key="query_control", field=field)
            if len(text) <= MAX_QUERY:
                return cls(text)
        raise InvalidInput(key="query_length", most=MAX_QUERY, field=field)


@dataclass(frozen=True, slots=True)
class PriceRange:
    """Prices from `low` to `high` in minor units of a currency, both included; None is open."""

    currency: str
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True, slots=True)
class SearchFilter:
    """Which of the matches are found; what is empty or None does not narrow.

    Of the values of one facet any will do, and each attribute name is a facet of its own; of several facets all must fit.
    A category holds what is below it. `rating_min` is from 1 to 5.
    """

    category_ids: tuple[CategoryId, ...] = ()
    brand_ids: tuple[BrandId, ...] = ()
    seller_ids: tuple[SellerId, ...] = ()
    prices: tuple[PriceRange, ...] = ()
    rating_min: float | None = None
    in_stock: bool | None = None
    attributes: tuple[Attribute, ...] = ()

    def checked(self) -> "SearchFilter":
        """The same. Raises InvalidInput."""
        lists: Sequence[Sequence[object]] = (
            self.category_ids,
            self.brand_ids,
            self.seller_ids,
            self.prices,
            self.attributes,
        )
        if sum(map(len, lists)) > MAX_CHOICES:
            raise InvalidInput(key="too_many_choices", most=MAX_CHOICES, field=("filter",))
        if len({each.name for each in self.attributes}) > MAX_ATTRIBUTES:
            raise InvalidInput(key="too_many_attributes", most=MAX_ATTRIBUTES, field=("filter", "attributes"))
        for price in self.prices:
            _check_price(price)
        if self.rating_min is not None and not (math.isfinite(self.rating_min) and 0 <= self.rating_min <= BEST_RATING):
            raise InvalidInput(key="rating_range", most=BEST_RATING, field=("filter", "ratingMin"))
        for attribute in self.attributes:
            if not all(map(_is_short_text, (attribute.name, attribute.value))):
                raise InvalidInput(key="attributes_text", field=("filter", "attributes"))
        return self


NO_FILTER = SearchFilter()


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """All that is asked, but for which page. Hashable: totals and facets are counted by it."""

    query: SearchQuery
    which: SearchFilter = NO_FILTER
    sort: SearchSort = SearchSort.RELEVANCE

    @property
    def is_everything(self) -> bool:
        """Whether nothing can be left out of it."""
        return self.query.is_browse and self.which == NO_FILTER

    @classmethod
    def of(
        cls, typed: str, which: SearchFilter = NO_FILTER, sort: SearchSort = SearchSort.RELEVANCE
    ) -> "SearchRequest":
        """Checked. Raises InvalidInput."""
        return cls(SearchQuery.of(typed), which.checked(), sort)


BROWSE = SearchRequest(SearchQuery(""))


def _check_price(price: PriceRange) -> None:
    if price.currency not in MINOR_DIGITS:
        raise InvalidInput(key="price_currency", currency=price.currency[:8], field=("filter", "price", "currencyCode"))
    if any(bound is not None and bound < 0 for bound in (price.low, price.high)):
        raise InvalidInput(key="price_negative", field=("filter", "price"))
    if price.low is not None and price.high is not None and price.low > price.high:
        raise InvalidInput(key="price_order", field=("filter", "price"))


def _is_short_text(given: str) -> bool:
    # a null byte or half of a surrogate pair is in no text that is stored
    return len(given) <= MAX_ATTRIBUTE and not any(each == "\x00" or "\ud800" <= each <= "\udfff" for each in given)
