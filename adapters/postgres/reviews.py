"""Reviews in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, Uuid, bindparam, func, select, true
from sqlalchemy.dialects.postgresql import ARRAY

from adapters.postgres.batches import among_ids, many_each, one_each
from adapters.postgres.database import Database
from adapters.postgres.keyset import SortColumn, key_part, slice_rows
from adapters.postgres.tables import product_ratings, reviews
from domain.reviews.model import REVIEWS_ORDER, Rating, Review, ReviewsScope
from domain.shared.ids import ProductId, ReviewId, UserId
from domain.shared.paging import Page, PageRequest, cut_page
from domain.shared.viewer import ANONYMOUS, Viewer

NEWEST: Sequence[SortColumn] = ((reviews.c.created_at, datetime), (reviews.c.id, UUID))


BY_IDS = select(reviews).where(among_ids(reviews.c.id))
RATINGS = select(product_ratings).where(among_ids(product_ratings.c.product_id))


@lru_cache(maxsize=256)  # to build it takes three times as long as to run it
def _newest_of_each(request: PageRequest) -> Select[Any]:
    """The same slice of each product's reviews. Raises InvalidCursor."""
    wanted = func.unnest(bindparam("ids", type_=ARRAY(Uuid))).table_valued("product_id", name="wanted").render_derived()
    newest = select(reviews).where(reviews.c.product_id == wanted.c.product_id)  # idx_reviews_product_id, once a key
    slices = slice_rows(newest, NEWEST, request, descending=True).lateral("newest")
    return select(slices).select_from(wanted.join(slices, true()))


class PostgresReviews:
    """The port `Reviews`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_ids(self, ids: Sequence[ReviewId], viewer: Viewer = ANONYMOUS) -> Sequence[Review | None]:
        rows = await self._database.shown_to(viewer, BY_IDS, {"ids": ids})
        return one_each(ids, await self._database.made(rows, review_of), lambda review: review.id)

    async def of_products(
        self, ids: Sequence[ProductId], request: PageRequest, viewer: Viewer = ANONYMOUS
    ) -> Sequence[Page[Review]]:
        rows = await self._database.shown_to(viewer, _newest_of_each(request), {"ids": ids})
        found = await self._database.made(rows, review_of)
        return [
            cut_page(
                of_product,
                request,
                REVIEWS_ORDER,
                lambda review: (key_part(review.created_at), str(review.id)),
                ReviewsScope(product_id),
            )
            for product_id, of_product in zip(ids, many_each(ids, found, lambda review: review.product_id), strict=True)
        ]

    async def written_by(self, user_id: UserId, limit: int) -> Sequence[Review]:
        mine = select(reviews).where(reviews.c.user_id == user_id)  # idx_reviews_user_id
        newest = mine.order_by(reviews.c.created_at.desc(), reviews.c.id.desc()).limit(limit)
        return [review_of(row) for row in await self._database.public(newest)]

    async def ratings_of(self, ids: Sequence[ProductId], viewer: Viewer = ANONYMOUS) -> Sequence[Rating]:
        rows = await self._database.shown_to(viewer, RATINGS, {"ids": ids})
        found = [Rating(ProductId(row.product_id), row.rating_count, row.rating_total) for row in rows]
        rated = one_each(ids, found, lambda rating: rating.product_id)
        return [rating or Rating(product_id, 0, 0) for product_id, rating in zip(ids, rated, strict=True)]


def review_of(row: Row[Any]) -> Review:
    return Review(
        id=ReviewId(row.id),
        product_id=ProductId(row.product_id),
        user_id=UserId(row.user_id),
        rating=row.rating,
        title=row.title,
        comment=row.comment,
        helpful_count=row.helpful_count,
        is_verified_purchase=row.is_verified_purchase,
        created_at=row.created_at,
    )
