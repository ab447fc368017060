"""Reviews in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, bindparam, func, literal_column, select, true

from adapters.postgres.accounts import AUTHOR
from adapters.postgres.batches import among_ids, given_ids, many_each, one_each
from adapters.postgres.columns import Columns, Read, Reads
from adapters.postgres.database import Database
from adapters.postgres.keyset import Slice, SortColumn, key_part, slice_values, sliced
from adapters.postgres.reading import Prepared
from adapters.postgres.tables import authors, product_ratings, reviews
from domain.reviews.model import REVIEWS_ORDER, Rating, Review, ReviewsScope
from domain.reviews.ports import Authors
from domain.shared.ids import ProductId, ReviewId, UserId
from domain.shared.needs import Needs
from domain.shared.paging import Key, Page, PageRequest, cut_page
from domain.shared.viewer import ANONYMOUS, Viewer

NEWEST: Sequence[SortColumn] = ((reviews.c.created_at, datetime), (reviews.c.id, UUID))


REVIEWS = Columns(Review, reviews, always=("id", "product_id", "created_at"))
RATED = Columns(
    Rating,
    product_ratings,
    always=("product_id",),
    count=product_ratings.c.rating_count,
    total=product_ratings.c.rating_total,
)
BY_IDS = Reads(REVIEWS, lambda columns: columns.where(among_ids(reviews.c.id)))
RATINGS = Reads(RATED, lambda columns: columns.where(among_ids(product_ratings.c.product_id)))
WRITTEN_BY = Reads(
    REVIEWS,
    lambda columns: (
        columns.where(reviews.c.user_id == bindparam("user_id"))  # idx_reviews_user_id
        .order_by(reviews.c.created_at.desc(), reviews.c.id.desc())
        .limit(bindparam("most"))
    ),
)


SIGNATURE = AUTHOR.reading()
WIDTH = len(SIGNATURE.columns)


@lru_cache(maxsize=256)
def _newest_of_each(shape: Slice, needs: Needs, *, signed: bool = False) -> Read[Review]:
    """The same slice of each product's reviews; if they are `signed`, with `SIGNATURE`'s columns at the end of each row.

    PostgreSQL takes no key of a join into a view that is a security barrier, but into a subquery of its own: hence the limit of one.
    """
    reading = REVIEWS.reading(needs)
    wanted = func.unnest(given_ids()).table_valued("product_id", name="wanted").render_derived()
    newest = select(*reading.columns).where(
        reviews.c.product_id == wanted.c.product_id
    )  # idx_reviews_product_id, once a key
    slices = sliced(newest, NEWEST, shape, descending=True).lateral("newest")
    of_each = wanted.join(slices, true())
    if not signed:
        return Read(Prepared(select(slices).select_from(of_each), by_place=True), reading.make)
    author = select(*SIGNATURE.columns).where(authors.c.id == slices.c.user_id)
    wrote = author.limit(literal_column("1", Integer)).lateral("wrote")
    statement = select(slices, wrote).select_from(of_each.outerjoin(wrote, true()))
    return Read(Prepared(statement, by_place=True), REVIEWS.reading(needs, also=SIGNATURE.columns).make)


class PostgresReviews:
    """The port `Reviews`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_ids(
        self, ids: Sequence[ReviewId], viewer: Viewer = ANONYMOUS, needs: Needs = None
    ) -> Sequence[Review | None]:
        read = BY_IDS.of(needs)
        rows = await self._database.shown_to(viewer, read.statement, {"ids": ids})
        return one_each(ids, await self._database.made(rows, read.make), attrgetter("id"))

    async def of_products(
        self, ids: Sequence[ProductId], request: PageRequest, viewer: Viewer = ANONYMOUS, needs: Needs = None
    ) -> Sequence[Page[Review]]:
        read = _newest_of_each(Slice.of(request), needs)
        rows = await self._database.fresh_to(viewer, read.statement, _given(ids, request))
        return _pages(ids, request, await self._database.made(rows, read.make))

    async def signed(
        self, ids: Sequence[ProductId], request: PageRequest, viewer: Viewer = ANONYMOUS, needs: Needs = None
    ) -> tuple[Sequence[Page[Review]], Authors]:
        read = _newest_of_each(Slice.of(request), None if needs is None else needs | {"user_id"}, signed=True)
        rows = await self._database.fresh_to(viewer, read.statement, _given(ids, request))
        found = await self._database.made(rows, read.make)
        by_id = {row[-WIDTH]: row[-WIDTH:] for row in rows if row[-WIDTH] is not None}
        named = await self._database.made(list(by_id.values()), SIGNATURE.make)
        wrote: Authors = dict.fromkeys(review.user_id for review in found) | {each.id: each for each in named}
        return _pages(ids, request, found), wrote

    async def written_by(self, user_id: UserId, limit: int) -> Sequence[Review]:
        read = WRITTEN_BY.of(None)
        return read.make(await self._database.public(read.statement, {"user_id": user_id, "most": limit}))

    async def ratings_of(self, ids: Sequence[ProductId], viewer: Viewer = ANONYMOUS) -> Sequence[Rating]:
        read = RATINGS.of(None)
        rows = await self._database.fresh_to(viewer, read.statement, {"ids": ids})
        rated = one_each(ids, await self._database.made(rows, read.make), attrgetter("product_id"))
        return [rating or Rating(product_id, 0, 0) for product_id, rating in zip(ids, rated, strict=True)]


def _given(ids: Sequence[ProductId], request: PageRequest) -> dict[str, Any]:
    return {"ids": ids} | slice_values(NEWEST, request)


def _pages(ids: Sequence[ProductId], request: PageRequest, found: Sequence[Review]) -> Sequence[Page[Review]]:
    return [
        cut_page(of_product, request, REVIEWS_ORDER, _place, ReviewsScope(product_id))
        for product_id, of_product in zip(ids, many_each(ids, found, attrgetter("product_id")), strict=True)
    ]


def _place(review: Review) -> Key:
    return key_part(review.created_at), str(review.id)
