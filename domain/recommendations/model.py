"""Recommendations, and the model that they are read from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from domain.shared.ids import ProductId
from domain.shared.viewer import Viewer

RECOMMENDATIONS_ORDER = "recommendations"
MAX_NEIGHBOURS = 50
MAX_POPULAR = 200


class Reason(StrEnum):
    BOUGHT_TOGETHER = "bought_together"
    POPULAR = "popular"


class Scored(NamedTuple):
    """A product and how strongly it is meant; scores compare within one list only."""

    product_id: ProductId
    score: float


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A product that may be liked. `score` is from 0 to 1 and compares among those of the same reason."""

    product_id: ProductId
    score: float
    reason: Reason


@dataclass(frozen=True, slots=True)
class RecommendationsScope:
    """What a viewer is recommended beside a product, or at large."""

    viewer: Viewer
    product_id: ProductId | None


@dataclass(frozen=True, slots=True)
class Model:
    """What was learned from the baskets, best first: at most 50 neighbours a product, 200 popular products.

    `version` names the training. Products that were never bought with another have no neighbours.
    """

    version: str
    neighbours: Mapping[ProductId, Sequence[Scored]]
    popular: Sequence[Scored]


@dataclass(frozen=True, slots=True)
class TrainingStats:
    """What a training saw and made. `baskets` without empty ones; `cut` of them were longer than is counted."""

    version: str
    baskets: int
    cut: int
    products: int
    with_neighbours: int
    popular: int
