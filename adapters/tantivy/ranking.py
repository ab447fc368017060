"""A page of a ranking: by score or by a column, then id up, whatever order tantivy gives to equals."""

from dataclasses import dataclass

import tantivy
from tantivy import FieldType, Occur, Order, Query

from adapters.tantivy.documents import COLUMN_TYPES, product_ids
from adapters.tantivy.snapshots import Snapshot
from domain.shared.ids import ProductId

FIRST_WINDOW = 128
Scored = tuple[float, tantivy.DocAddress]
After = tuple[float, ProductId] | None
"""The rank and id of the row before the page."""
Row = tuple[float, ProductId]


def by_score(snapshot: Snapshot, query: Query, after: After, wanted: int) -> list[Row]:
    """The rows after the cursor, best first. Reads from the top, in growing windows, since tantivy cannot start at a score:
    the cost grows with the depth (some 45 ms a page at 10,000 rows deep), not with the number of documents."""
    window = max(FIRST_WINDOW, 2 * wanted)
    while True:
        found: list[Scored] = snapshot.searcher.search(query, window, count=False, weight_by_field="weight").hits
        is_all = len(found) < window
        if not is_all:  # others with the last score may have been cut off, perhaps with smaller ids
            found = [each for each in found if each[0] > found[-1][0]]
        rows = _ordered(snapshot, _needed(found, after, wanted), after)
        if is_all or len(rows) >= wanted:
            return rows[:wanted]
        window *= 4


@dataclass(frozen=True, slots=True)
class Column:
    """A column that rows are sorted by."""

    name: str
    descending: bool

    def rows(self, snapshot: Snapshot, query: Query, after: After, wanted: int) -> list[Row]:
        """The rows after the cursor, in order: read from there on, however deep that is and however many are equal."""
        rows = [] if after is None else self._equals(snapshot, query, after[0], after[1], wanted)
        if len(rows) < wanted:
            rows += self._beyond(snapshot, query, None if after is None else after[0], wanted - len(rows))
        return rows

    def _beyond(self, snapshot: Snapshot, query: Query, value: float | None, wanted: int) -> list[Row]:
        """The first rows past a value; None is before all."""
        if value is not None:
            query = _both(query, self._past(snapshot.schema, value))
        order = Order.Desc if self.descending else Order.Asc
        found: list[Scored] = snapshot.searcher.search(
            query, wanted, count=False, order_by_field=self.name, order=order
        ).hits
        if len(found) < wanted:
            return self._sorted(snapshot, found)
        # of the rows that equal the last one others may have smaller ids
        last = found[-1][0]
        rows = self._sorted(snapshot, [each for each in found if each[0] != last])
        return rows + self._equals(snapshot, query, last, None, wanted - len(rows))

    def _equals(
        self, snapshot: Snapshot, query: Query, value: float, after: ProductId | None, wanted: int
    ) -> list[Row]:
        """The first rows of that very value with an id past `after`, by id."""
        query = _both(query, self._range(snapshot.schema, value, value))
        if after is not None:
            query = _both(
                query, Query.range_query(snapshot.schema, "id_high", FieldType.Unsigned, after.int >> 64, None)
            )
        window = wanted + 1  # ids are in two halves, and hardly ever share the first
        while True:
            search = snapshot.searcher.search
            found = search(query, window, count=False, order_by_field="id_high", order=Order.Asc).hits
            is_all = len(found) < window
            if not is_all:
                found = [each for each in found if each[0] != found[-1][0]]
            ids = sorted(product_ids(snapshot.searcher, [address for _, address in found]), key=lambda each: each.int)
            rows = [(value, each) for each in ids if after is None or each.int > after.int]
            if is_all or len(rows) >= wanted:
                return rows[:wanted]
            window *= 4

    def _sorted(self, snapshot: Snapshot, found: list[Scored]) -> list[Row]:
        ids = product_ids(snapshot.searcher, [address for _, address in found])
        rows = [(value, product_id) for product_id, (value, _) in zip(ids, found, strict=True)]
        return sorted(rows, key=lambda row: (-row[0] if self.descending else row[0], row[1].int))

    def _past(self, schema: tantivy.Schema, value: float) -> Query:
        low, high = (None, value) if self.descending else (value, None)
        return self._range(schema, low, high, include=False)

    def _range(self, schema: tantivy.Schema, low: float | None, high: float | None, include: bool = True) -> Query:
        kind = COLUMN_TYPES[self.name]
        # a cursor that somebody made up may hold a fraction for a column of whole numbers
        number = int if kind is FieldType.Integer else float
        lowest, highest = (None if each is None else number(each) for each in (low, high))
        return Query.range_query(
            schema,
            self.name,
            kind,
            lowest,
            highest,
            include_lower=include or lowest is None,
            include_upper=include or highest is None,
        )


def _both(query: Query, other: Query) -> Query:
    return Query.boolean_query([(Occur.Must, query), (Occur.Must, other)])


def _needed(found: list[Scored], after: After, wanted: int) -> list[Scored]:
    """Those that the page may hold: the cursor's equals, as many more as are wanted, and the equals of the last."""
    if after is not None:
        found = [each for each in found if each[0] <= after[0]]
        wanted += sum(score == after[0] for score, _ in found)
    return found if len(found) <= wanted else [each for each in found if each[0] >= found[wanted - 1][0]]


def _ordered(snapshot: Snapshot, found: list[Scored], after: After) -> list[Row]:
    ids = product_ids(snapshot.searcher, [address for _, address in found])
    rows = [(score, product_id) for product_id, (score, _) in zip(ids, found, strict=True)]
    rows.sort(key=lambda row: (-row[0], row[1].int))
    return [row for row in rows if after is None or (-row[0], row[1].int) > (-after[0], after[1].int)]
