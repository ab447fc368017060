"""What the reviews module needs from the outside."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from domain.accounts.model import Author
from domain.reviews.model import Rating, Review
from domain.shared.ids import ProductId, ReviewId, UserId
from domain.shared.needs import Needs
from domain.shared.paging import Page, PageRequest
from domain.shared.viewer import ANONYMOUS, Viewer

Authors = Mapping[UserId | None, Author | None]


class Reviews(Protocol):
    """Reviews of the products that the viewer sees. Lists keep the order of their keys."""

    async def by_ids(
        self, ids: Sequence[ReviewId], viewer: Viewer = ANONYMOUS, needs: Needs = None
    ) -> Sequence[Review | None]: ...

    async def of_products(
        self, ids: Sequence[ProductId], request: PageRequest, viewer: Viewer = ANONYMOUS, needs: Needs = None
    ) -> Sequence[Page[Review]]:
        """The same slice of each product's reviews, newest first."""
        ...

    async def signed(
        self, ids: Sequence[ProductId], request: PageRequest, viewer: Viewer = ANONYMOUS, needs: Needs = None
    ) -> tuple[Sequence[Page[Review]], Authors]:
        """The same, and by the ids of those who wrote them what the public sees of each; None of those who show no name."""
        ...

    async def written_by(self, user_id: UserId, limit: int) -> Sequence[Review]:
        """The newest of a user's reviews."""
        ...

    async def ratings_of(self, ids: Sequence[ProductId], viewer: Viewer = ANONYMOUS) -> Sequence[Rating]: ...
