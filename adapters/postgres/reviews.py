"""Reviews in PostgreSQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any
from uuid import UUID

from sqlalchemy import FromClause, Integer, bindparam, func, literal_column, select, true
from sqlalchemy.sql.selectable import LateralFromClause

from adapters.postgres.accounts import AUTHOR
from adapters.postgres.batches import among_ids, given_ids, many_each, one_each
from adapters.postgres.columns import Columns, Make, Read, Reading, Reads
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


@dataclass(frozen=True, slots=True, eq=False)
class Signed:
    """Reviews with those who wrote them: a statement, and what makes the ones and the others of its rows."""

    statement: Prepared
    make: Make[Review]
    sign: Make[Any]
    """An author a row, with no id where nobody is shown."""


@lru_cache(maxsize=256)
def _newest_of_each(shape: Slice, needs: Needs) -> Read[Review]:
    """The same slice of each product's reviews."""
    reading = REVIEWS.reading(needs)
    slices, of_each = _slices(reading, shape)
    return Read(Prepared(select(slices).select_from(of_each), by_place=True), reading.make)


@lru_cache(maxsize=256)
def _newest_signed(shape: Slice, needs: Needs) -> Signed:
    """The same with their authors.

    PostgreSQL takes no key of a join into a view that is a security barrier, but into a subquery of its own: hence the limit of one.
    """
    reading = REVIEWS.reading(needs)
    slices, of_each = _slices(reading, shape)
    signature = AUTHOR.reading()
    author = select(*signature.columns).where(authors.c.id == slices.c.user_id)
    wrote = author.limit(literal_column("1", Integer)).lateral("wrote")
    statement = select(slices, wrote).select_from(of_each.outerjoin(wrote, true()))
    return Signed(
        Prepared(statement, by_place=True),
        REVIEWS.reading(needs, also=signature.columns).make,
        AUTHOR.reading(of=reading.columns).make,
    )


def _slices(reading: Reading[Review], shape: Slice) -> tuple[LateralFromClause, FromClause]:
    """The rows of a slice, and the products that are asked for with each its own."""
    wanted = func.unnest(given_ids()).table_valued("product_id", name="wanted").render_derived()
    newest = select(*reading.columns).where(
        reviews.c.product_id == wanted.c.product_id
    )  # idx_reviews_product_id, once a key
    slices = sliced(newest, NEWEST, shape, descending=True).lateral("newest")
    return slices, wanted.join(slices, true())


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
        read = _newest_signed(Slice.of(request), None if needs is None else needs | {"user_id"})
        rows = await self._database.fresh_to(viewer, read.statement, _given(ids, request))
        found = await self._database.made(rows, read.make)
        named = await self._database.made(rows, read.sign)
        wrote: Authors = {
            review.user_id: author if author.id is not None else None
            for review, author in zip(found, named, strict=True)
        }
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
