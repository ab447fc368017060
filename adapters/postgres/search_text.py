"""Search in the database itself, for while the index is away: by the folded text and grams of r0028_product_texts.py."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Float, Integer, Select, Text, bindparam, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY

from adapters.postgres.database import Database
from adapters.postgres.keyset import Slice, SortColumn, key_part, slice_values, sliced
from adapters.postgres.reading import Prepared
from adapters.postgres.search_narrowing import CONDITIONS, narrowing_values
from adapters.postgres.search_prominence import MEAN, POPULARITY, PROMINENCE
from adapters.postgres.search_suggestions import SUGGESTED, suggestions
from adapters.postgres.tables import product_ratings, products
from adapters.search_ranking import position
from domain.search.model import Hit, SearchPage, SearchScope
from domain.search.pieces import Pieces
from domain.search.ports import IN_DATABASE
from domain.search.request import SearchRequest, SearchSort
from domain.search.suggesting import Suggestions
from domain.shared.ids import ProductId
from domain.shared.paging import Count, Key, PageRequest, Precision, cut_page

P, R = products.c, product_ratings.c
MOST_COUNTED = 1_000
FOUND = func.catalog.found_by_text(
    bindparam("words", type_=ARRAY(Text)), bindparam("needed", type_=ARRAY(Text))
).table_valued("product_id", "score", name="found")
STEP = 2
"""Between one kind of match and the next: no prominence makes up for it."""
BY_ID: SortColumn = (P.id, UUID)


def _by(rank: ColumnElement[Any]) -> Sequence[SortColumn]:
    return (cast(rank, Float).label("rank"), float), BY_ID


SORTS: Mapping[SearchSort, tuple[Sequence[SortColumn], bool]] = {
    SearchSort.PRICE_ASC: (((P.currency, str), (P.effective_price, int), BY_ID), False),
    SearchSort.PRICE_DESC: (((P.currency, str), (P.effective_price, int), BY_ID), True),
    SearchSort.NEWEST: (((P.published_at, datetime), BY_ID), True),
    SearchSort.RATING: (_by(MEAN), True),
    SearchSort.POPULARITY: (_by(POPULARITY), True),
}


@dataclass(frozen=True, slots=True)
class Shape:
    """What a statement looks like, whatever is asked: the conditions by their names, and the sort."""

    has_text: bool
    conditions: tuple[str, ...]
    sort: SearchSort

    @property
    def sorting(self) -> tuple[Sequence[SortColumn], bool]:
        """What browsing shows first is new, for that is in an index, and no list of all that is known is sorted then."""
        if self.sort is not SearchSort.RELEVANCE:
            return SORTS[self.sort]
        return (_by(STEP * FOUND.c.score + PROMINENCE), True) if self.has_text else SORTS[SearchSort.NEWEST]

    def reading(self, columns: Sequence[ColumnElement[Any]], *conditions: ColumnElement[bool]) -> Select[Any]:
        """From products that are on sale; that they are the public's to see is left to the policies."""
        source: Any = products.outerjoin(product_ratings, R.product_id == P.id)
        if self.has_text:
            source = FOUND.join(source, FOUND.c.product_id == P.id)
        on_sale = P.status == literal_column("'active'", Text)
        return select(*columns).select_from(source).where(on_sale, *conditions)

    @property
    def narrowed(self) -> list[ColumnElement[bool]]:
        return [CONDITIONS[name] for name in self.conditions]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as a shape and its parameters."""

    shape: Shape
    parameters: dict[str, Any]

    @classmethod
    def of(cls, request: SearchRequest) -> "Asked":
        narrowing = narrowing_values(request.which)
        shape = Shape(not request.query.is_browse, tuple(narrowing), request.sort)
        parameters = {name: value for values in narrowing.values() for name, value in values.items()}
        return cls(shape, parameters | _typed(request))


def _typed(request: SearchRequest) -> dict[str, Any]:
    if request.query.is_browse:
        return {}
    pieces = Pieces.of(request.query.text)
    return {"words": list(pieces.words), "needed": list(pieces.needed)}


class PostgresTextSearch:
    """The port `TextSearch`: names, codes, brands and categories, letter by letter."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def search(self, request: SearchRequest, page: PageRequest) -> SearchPage:
        asked = Asked.of(request)
        columns, _ = asked.shape.sorting
        page = await self._placed(request, page)
        found = _page_of(asked.shape, Slice.of(page))
        rows = await self._database.public(found.statement, asked.parameters | slice_values(columns, page))
        cut = cut_page(rows, page, request.sort.order, found.key_of, SearchScope(request, IN_DATABASE))
        hits = [Hit(ProductId(row[0]), found.score_of(row)) for row in cut.nodes]
        keys = [(IN_DATABASE, *key) for key in cut.keys]
        return SearchPage(hits, keys, cut.order, cut.has_next, cut.has_previous, cut.scope, is_degraded=True)

    async def count(self, scope: SearchScope) -> Count:
        asked = Asked.of(scope.request)
        found: int = (await self._database.public(_counting_of(asked.shape), asked.parameters))[0][0]
        return Count(min(found, MOST_COUNTED), Precision.EXACT if found <= MOST_COUNTED else Precision.AT_LEAST)

    async def complete(self, prefix: str) -> Suggestions:
        return suggestions(await self._database.public(SUGGESTED, {"typed": prefix}))

    async def _placed(self, request: SearchRequest, page: PageRequest) -> PageRequest:
        """The page with the cursor's place as the database has it. One of the index goes on behind its product as that stands
        here, or begins anew where it is not among what is found: some come twice then, or not at all. Raises InvalidCursor."""
        match page.key:
            case None:
                return page
            case (state, *key) if state == IN_DATABASE:
                return PageRequest(page.size, tuple(key))
        start = position(page)
        assert start is not None
        asked = Asked.of(request)
        rows = await self._database.public(_place_of(asked.shape), asked.parameters | {"id": start[2]})
        return PageRequest(page.size, tuple(map(key_part, rows[0])) if rows else None)


@dataclass(frozen=True, slots=True)
class Found:
    """A page's statement, and what is read off its rows."""

    statement: Prepared
    key_of: Callable[[Any], Key]
    score_of: Callable[[Any], float]


@lru_cache(maxsize=256)
def _page_of(shape: Shape, slice: Slice) -> Found:
    columns, descending = shape.sorting
    keys = [column for column, _ in columns]
    statement = shape.reading([P.id, *(key.label(f"key_{number}") for number, key in enumerate(keys))], *shape.narrowed)
    place = itemgetter(*range(1, len(keys) + 1))

    def key_of(row: Any) -> Key:
        return tuple(key_part(each) for each in place(row))

    def score_of(row: Any) -> float:
        return float(row[1]) if shape.has_text and shape.sort is SearchSort.RELEVANCE else 0.0

    return Found(Prepared(sliced(statement, columns, slice, descending=descending)), key_of, score_of)


@lru_cache(maxsize=256)
def _place_of(shape: Shape) -> Prepared:
    """The sort key of one product, if it is among what is found."""
    columns, _ = shape.sorting
    return Prepared(shape.reading([column for column, _ in columns], *shape.narrowed, P.id == bindparam("id")))


@lru_cache(maxsize=256)
def _counting_of(shape: Shape) -> Prepared:
    some = shape.reading([P.id], *shape.narrowed).limit(literal_column(str(MOST_COUNTED + 1), Integer)).subquery()
    return Prepared(select(func.count()).select_from(some))
