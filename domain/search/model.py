"""What is searched and what is found. What is asked: request.py; how it can be narrowed: facets.py."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime

from domain.catalog.model import Attribute
from domain.search.facet_terms import FacetCounts
from domain.search.request import SearchRequest
from domain.shared.ids import BrandId, CategoryId, ProductId, SellerId
from domain.shared.money import Money
from domain.shared.paging import Count, Page


@dataclass(frozen=True, slots=True)
class SearchDocument:
    """What the index knows of a product.

    `version` is a moment from before it was read: an index never puts an older one over a newer one. The product's own, which
    would not do since its seller, brand, categories and ratings change without it, is `revision`. `category_ids` go from
    the root of the tree down. `popularity` is 0 or more, `rating` the mean of `rating_count` ratings, from 1 to 5. Price,
    stock and rating are hints for ranking and narrowing; pages show the database's. Where `is_public` is false the index
    keeps no more than the id, version and revision, and finds nothing.
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
    category_ids: tuple[CategoryId, ...] = ()
    brand_id: BrandId | None = None
    seller_id: SellerId | None = None
    seller_name: str | None = None
    in_stock: bool = True
    rating: float | None = None
    rating_count: int = 0
    attributes: tuple[Attribute, ...] = ()
    published_at: datetime | None = None
    revision: int = 0
    brand_kana: str | None = None

    @property
    def listed_at(self) -> datetime:
        """Since when it can be found."""
        return self.published_at or self.created_at


@dataclass(frozen=True, slots=True)
class HighlightPart:
    """Plain text, to be escaped like any other, and whether it is what was asked for."""

    text: str
    is_match: bool


@dataclass(frozen=True, slots=True)
class Highlight:
    """A piece of a text that matched, in parts; together they are the piece. So nothing that a seller wrote can become markup."""

    field: str
    parts: tuple[HighlightPart, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """A product that was found.

    Scores compare within one search only, and are 0 in any other order than RELEVANCE; `column` is then what it was
    sorted by.
    """

    product_id: ProductId
    score: float
    column: float | int | None = None
    query: str = ""

    @property
    def asked(self) -> tuple[str, ProductId] | None:
        """What it is highlighted by; None where it was found without words."""
        return (self.query, self.product_id) if self.query else None

    @property
    def rank(self) -> float | int:
        """What its place goes by."""
        return self.score if self.column is None else self.column


@dataclass(frozen=True, slots=True)
class Relaxation:
    """What was left out of a request that found nothing, so that the nearest results are shown instead.

    `words` of the query, as they were typed; `filters` are tokens of facets.
    """

    words: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchScope:
    """All that one request finds, in one state of the index: totals and facets are counted by it.

    `state` is the index's own name for that state; empty is the latest. `total` and `counted` (the facets) are what the
    index told beside a page; None is to be asked for.
    """

    request: SearchRequest
    state: str = ""
    total: Count | None = field(default=None, compare=False)
    counted: tuple[FacetCounts, ...] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Beside:
    """What is wanted beside a page of hits, so that an index may tell it in the same answer."""

    total: bool = False
    facets: bool = False


NOTHING_BESIDE = Beside()


@dataclass(slots=True)
class SearchPage(Page[Hit]):
    """A page of hits. Its scope is the SearchScope of what it shows, after any relaxation.

    Parameters:
        indexed_at: what was written to the index by then has been seen; None where there is no index.
        did_you_mean: a query that finds more, where one is known.
        is_degraded: the index is away, and a simpler search answered: no facets, and another ranking.
    """

    indexed_at: datetime | None = None
    did_you_mean: str | None = None
    relaxed: Relaxation | None = None
    is_degraded: bool = False

    @property
    def narrowing(self) -> Hashable:
        """By which its facets are counted: the scope."""
        return self.scope
