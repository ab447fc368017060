"""What one may ask about reviews."""

from collections.abc import Sequence

from domain.reviews.model import Rating, Review, ReviewsScope
from domain.reviews.ports import Authors, Reviews
from domain.shared.ids import ProductId, ReviewId, UserId
from domain.shared.needs import Needs
from domain.shared.paging import Count, Page, PageRequest
from domain.shared.viewer import ANONYMOUS, Viewer


class ReviewBoard:
    def __init__(self, reviews: Reviews) -> None:
        self._reviews = reviews

    async def by_ids(
        self, ids: Sequence[ReviewId], viewer: Viewer = ANONYMOUS, needs: Needs = None
    ) -> Sequence[Review | None]:
        return await self._reviews.by_ids(ids, viewer, needs)

    async def of_products(
        self, ids: Sequence[ProductId], request: PageRequest, viewer: Viewer = ANONYMOUS, needs: Needs = None
    ) -> Sequence[Page[Review]]:
        return await self._reviews.of_products(ids, request, viewer, needs)

    async def signed(
        self, ids: Sequence[ProductId], request: PageRequest, viewer: Viewer = ANONYMOUS, needs: Needs = None
    ) -> tuple[Sequence[Page[Review]], Authors]:
        """The same, with who wrote them: one look-up instead of two."""
        return await self._reviews.signed(ids, request, viewer, needs)

    async def written_by(self, user_id: UserId, limit: int) -> Sequence[Review]:
        """The newest of a user's reviews, of products that are shown."""
        return await self._reviews.written_by(user_id, limit)

    async def ratings_of(self, ids: Sequence[ProductId], viewer: Viewer = ANONYMOUS) -> Sequence[Rating]:
        return await self._reviews.ratings_of(ids, viewer)

    async def counts_of(self, scopes: Sequence[ReviewsScope], viewer: Viewer = ANONYMOUS) -> Sequence[Count]:
        ratings = await self.ratings_of([scope.product_id for scope in scopes], viewer)
        return [Count(rating.count) for rating in ratings]
