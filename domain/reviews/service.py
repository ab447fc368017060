"""What one may ask about reviews."""

from collections.abc import Sequence

from domain.reviews.model import Rating, Review, ReviewsScope
from domain.reviews.ports import Reviews
from domain.shared.ids import ProductId, ReviewId
from domain.shared.paging import Count, Page, PageRequest


class ReviewBoard:
    def __init__(self, reviews: Reviews) -> None:
        self._reviews = reviews

    async def by_ids(self, ids: Sequence[ReviewId]) -> Sequence[Review | None]:
        return await self._reviews.by_ids(ids)

    async def of_products(self, ids: Sequence[ProductId], request: PageRequest) -> Sequence[Page[Review]]:
        return await self._reviews.of_products(ids, request)

    async def ratings_of(self, ids: Sequence[ProductId]) -> Sequence[Rating]:
        return await self._reviews.ratings_of(ids)

    async def counts_of(self, scopes: Sequence[ReviewsScope]) -> Sequence[Count]:
        ratings = await self.ratings_of([scope.product_id for scope in scopes])
        return [Count(rating.count) for rating in ratings]
