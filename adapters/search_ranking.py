"""What search indexes of either kind rank and page by. docs/search.md explains the weights."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from domain.search.model import Hit, SearchDocument, SearchPage, SearchScope
from domain.search.request import BEST_RATING, PriceRange, SearchRequest, SearchSort
from domain.shared.ids import ProductId
from domain.shared.money import Money
from domain.shared.paging import Key, PageRequest, cut_page
from domain.shared.refusals import InvalidCursor

POPULARITY_WEIGHT, POPULARITY_HALF = 0.25, 5.0
RATING_WEIGHT = 0.15
STOCK_WEIGHT = 0.10
RECENCY_WEIGHT = 0.02
"""A text score is multiplied by 1 + 0.25 p / (p + 5) + 0.15 r + 0.10 s + 0.02 y: p the popularity, r the rating from 0
(one star, or none) to 1 (five), s 1 for what is in stock, y the years from 2000 until it was listed, at most 50. A year
counts the same whenever one looks, so that an index does not age."""

RATING_PRIOR, PRIOR_RATINGS = 3.0, 3
"""A mean is taken as if there were three ratings of three stars more: one buyer's five stars are not many buyers' 4.8."""

RECENT_FROM = datetime(2000, 1, 1, tzinfo=UTC)
YEAR_S = 365.25 * 86_400
MOST_YEARS = 50.0

PRICE_BITS = 48
"""Minor units of a price that count; more is as much as there is."""

COLUMNS: Mapping[SearchSort, tuple[str, bool]] = {
    SearchSort.PRICE_ASC: ("price_rank", False),
    SearchSort.PRICE_DESC: ("price_rank", True),
    SearchSort.NEWEST: ("listed_ms", True),
    SearchSort.RATING: ("rating_rank", True),
    SearchSort.POPULARITY: ("popularity_score", True),
}
"""The column of a document that a sort goes by, and whether down."""

BROWSE_COLUMN = ("prominence", True)
"""By which RELEVANCE goes where no text is asked for."""

Position = tuple[str, float | int, ProductId]
"""What a cursor holds: the name of an index state, the value sorted by, and the product that had it."""


def column_of(request: SearchRequest) -> tuple[str, bool] | None:
    """The column that a request is sorted by, and whether down; None for the score of its text."""
    if request.sort is not SearchSort.RELEVANCE:
        return COLUMNS[request.sort]
    return BROWSE_COLUMN if request.query.is_browse else None


def ranks(document: SearchDocument) -> dict[str, float | int]:
    """The columns of a document."""
    return {
        "prominence": prominence(document),
        "price_rank": price_rank(document.price),
        "listed_ms": int(document.listed_at.timestamp() * 1000),
        "rating_rank": rating_rank(document),
        "popularity_score": max(document.popularity, 0.0),
    }


def prominence(document: SearchDocument) -> float:
    """What speaks for a product whatever is asked; 1 more is what a text score is multiplied by."""
    popularity = max(document.popularity, 0.0)
    years = (document.listed_at - RECENT_FROM).total_seconds() / YEAR_S
    return (
        POPULARITY_WEIGHT * popularity / (popularity + POPULARITY_HALF)
        + RATING_WEIGHT * max(rating_rank(document) - 1, 0.0) / (BEST_RATING - 1)
        + STOCK_WEIGHT * document.in_stock
        + RECENCY_WEIGHT * min(max(years, 0.0), MOST_YEARS)
    )


def rating_rank(document: SearchDocument) -> float:
    """A mean drawn towards the middle where few have rated; 0 where nobody has."""
    if document.rating is None or document.rating_count <= 0:
        return 0.0
    total = document.rating * document.rating_count + RATING_PRIOR * PRIOR_RATINGS
    return total / (document.rating_count + PRIOR_RATINGS)


def price_rank(price: Money) -> int:
    """Prices of one currency in order, and currencies one after the other: 1,000 yen and 1,000 cents do not compare."""
    number = 0
    for letter in price.currency:
        number = number * 26 + ord(letter) - ord("A")
    return number << PRICE_BITS | min(max(price.minor, 0), (1 << PRICE_BITS) - 1)


def price_bounds(price: PriceRange) -> tuple[int, int]:
    """The ranks from and to which a range of prices reaches, both included."""
    low, high = price.low or 0, (1 << PRICE_BITS) - 1 if price.high is None else price.high
    return price_rank(Money(low, price.currency)), price_rank(Money(high, price.currency))


def position(page: PageRequest) -> Position | None:
    """Where the request's cursor stands; None without one. Raises InvalidCursor."""
    return None if page.key is None else _decoded(page.key)


def hit_of(request: SearchRequest, product_id: ProductId, rank: float | int) -> Hit:
    """A hit by what it was ranked by."""
    if request.sort is SearchSort.RELEVANCE:
        return Hit(product_id, float(rank), query=request.query.text)
    return Hit(product_id, 0.0, column=rank, query=request.query.text)


def search_page(hits: Sequence[Hit], page: PageRequest, scope: SearchScope, indexed_at: datetime) -> SearchPage:
    """The page from `size + 1` hits in their order; the scope's state is what its cursors name."""

    def key(hit: Hit) -> Key:
        return scope.state, hit.rank, str(hit.product_id)

    cut = cut_page(hits, page, scope.request.sort.order, key, scope)
    return SearchPage(cut.nodes, cut.keys, cut.order, cut.has_next, cut.has_previous, cut.scope, indexed_at)


def _decoded(key: Key) -> Position:
    match key:
        case (str(state), int() | float() as value, str(product_id)) if _is_sane(value):
            try:
                return state, value, ProductId(UUID(product_id))
            except ValueError:
                raise InvalidCursor from None
    raise InvalidCursor


def _is_sane(value: float) -> bool:
    return not isinstance(value, bool) and math.isfinite(value) and abs(value) < 2**63
