"""What is searched, what is asked and what is found."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime

from domain.shared.ids import ProductId
from domain.shared.money import Money
from domain.shared.refusals import InvalidInput

SEARCH_ORDER = "search"
"""The sort that search cursors are made for."""

MAX_QUERY = 200
"""Characters of a query, as typed and after NFKC (which can write one character as up to 18)."""


@dataclass(frozen=True, slots=True)
class SearchDocument:
    """What the index knows of a product.

    `version` is the product's: an index never puts an older one over a newer one. `popularity` is 0 or more. Price is a
    hint for ranking and narrowing; pages show the database's. Where `is_public` is false the index keeps no more than
    the id and version, and finds nothing.
    """

    product_id: ProductId
    name: str
    description: str
    brand_name: str | None
    category_names: tuple[str, ...]
    price: Money
    is_public: bool
    popularity: float
    created_at: datetime
    version: int
    sku: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """A product that was found. Scores compare within one search only."""

    product_id: ProductId
    score: float


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What a shopper typed, checked: NFKC, trimmed, single spaces. Empty is to browse: popular first, then newest."""

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
class SearchScope:
    """All that one query finds; totals are counted by it."""

    query: SearchQuery
