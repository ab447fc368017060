"""Reviews and the ratings they add up to."""

from dataclasses import dataclass
from datetime import datetime

from domain.shared.ids import ProductId, ReviewId, UserId

REVIEWS_ORDER = "reviews"


@dataclass(frozen=True, slots=True)
class Review:
    """One buyer's word on a product; `rating` is 1 to 5."""

    id: ReviewId
    product_id: ProductId
    user_id: UserId | None
    rating: int
    title: str | None
    comment: str | None
    helpful_count: int
    is_verified_purchase: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Rating:
    """All ratings of a product, as the database keeps them in step."""

    product_id: ProductId
    count: int
    total: int

    @property
    def average(self) -> float | None:
        """Mean rating, rounded to two digits; None before the first."""
        return round(self.total / self.count, 2) if self.count else None


@dataclass(frozen=True, slots=True)
class ReviewsScope:
    """All reviews of a product."""

    product_id: ProductId
