"""Reviews in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from itertools import starmap
from uuid import UUID

from sqlalchemy import Uuid, bindparam, func, select, true
from sqlalchemy.dialects.postgresql import ARRAY

from adapters.postgres.batches import among_ids, many_each, one_each
from adapters.postgres.database import Database
from adapters.postgres.keyset import Slice, SortColumn, key_part, slice_values, sliced
from adapters.postgres.reading import Prepared, as_row, columns_of
from adapters.postgres.tables import product_ratings, reviews
from domain.reviews.model import REVIEWS_ORDER, Rating, Review, ReviewsScope
from domain.shared.ids import ProductId, ReviewId, UserId
from domain.shared.paging import Key, Page, PageRequest, cut_page
from domain.shared.viewer import ANONYMOUS, Viewer

NEWEST: Sequence[SortColumn] = ((reviews.c.created_at, datetime), (reviews.c.id, UUID))


COLUMNS = columns_of(Review, reviews)
review_of = as_row(Review)
BY_IDS = Prepared(select(*COLUMNS).where(among_ids(reviews.c.id)))
RATINGS = Prepared(
    select(
        *columns_of(Rating, product_ratings, count=product_ratings.c.rating_count, total=product_ratings.c.rating_total)
    ).where(among_ids(product_ratings.c.product_id))
)
WRITTEN_BY = Prepared(
    select(*COLUMNS)
    .where(reviews.c.user_id == bindparam("user_id"))  # idx_reviews_user_id
    .order_by(reviews.c.created_at.desc(), reviews.c.id.desc())
    .limit(bindparam("most"))
)


@lru_cache(maxsize=128)
def _newest_of_each(shape: Slice) -> Prepared:
    """The same slice of each product's reviews."""
    wanted = func.unnest(bindparam("ids", type_=ARRAY(Uuid))).table_valued("product_id", name="wanted").render_derived()
    newest = select(*COLUMNS).where(reviews.c.product_id == wanted.c.product_id)  # idx_reviews_product_id, once a key
    slices = sliced(newest, NEWEST, shape, descending=True).lateral("newest")
    return Prepared(select(slices).select_from(wanted.join(slices, true())))


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
        given = {"ids": ids} | slice_values(NEWEST, request)
        rows = await self._database.fresh_to(viewer, _newest_of_each(Slice.of(request)), given)
        found = many_each(ids, await self._database.made(rows, review_of), lambda review: review.product_id)
        return [
            cut_page(of_product, request, REVIEWS_ORDER, _place, ReviewsScope(product_id))
            for product_id, of_product in zip(ids, found, strict=True)
        ]

    async def written_by(self, user_id: UserId, limit: int) -> Sequence[Review]:
        return list(starmap(Review, await self._database.public(WRITTEN_BY, {"user_id": user_id, "most": limit})))

    async def ratings_of(self, ids: Sequence[ProductId], viewer: Viewer = ANONYMOUS) -> Sequence[Rating]:
        rows = await self._database.fresh_to(viewer, RATINGS, {"ids": ids})
        rated = one_each(ids, starmap(Rating, rows), lambda rating: rating.product_id)
        return [rating or Rating(product_id, 0, 0) for product_id, rating in zip(ids, rated, strict=True)]


def _place(review: Review) -> Key:
    return key_part(review.created_at), str(review.id)
