"""What search indexes of either kind rank and page by."""

import math
from uuid import UUID

from domain.search.model import SearchDocument
from domain.shared.ids import ProductId
from domain.shared.paging import Key, PageRequest
from domain.shared.refusals import InvalidCursor

GONE = 2**62
"""The version of a product that was removed for good: nothing is newer."""

POPULARITY_WEIGHT = 0.25
POPULARITY_HALF = 5.0
RECENCY_WEIGHT = 0.001
"""A text score is multiplied by 1 + 0.25 p / (p + 5) + 0.001 t, p the popularity, t the time it was created
from 0 (1970) to 1 (2106): popularity decides between like matches, and newness what it leaves open."""

_TIME_SPAN = 2.0**32

Position = tuple[str, float, ProductId]
"""What a cursor holds: the name of an index state, a score, and the product that had it."""


def text_factor(document: SearchDocument) -> float:
    """What a text score is multiplied by."""
    popularity = max(document.popularity, 0.0)
    return 1 + POPULARITY_WEIGHT * popularity / (popularity + POPULARITY_HALF) + RECENCY_WEIGHT * _recency(document)


def browse_rank(document: SearchDocument) -> float:
    """The score where no text is asked for: popular first, then newest."""
    return max(document.popularity, 0.0) + _recency(document)


def position(request: PageRequest) -> Position | None:
    """Where the request's cursor stands; None without one. Raises InvalidCursor."""
    return None if request.key is None else _decoded(request.key)


def _recency(document: SearchDocument) -> float:
    return document.created_at.timestamp() / _TIME_SPAN


def _decoded(key: Key) -> Position:
    match key:
        case (str(state), int() | float() as score, str(product_id)) if math.isfinite(score):
            try:
                return state, float(score), ProductId(UUID(product_id))
            except ValueError:
                raise InvalidCursor from None
    raise InvalidCursor
