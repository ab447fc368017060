"""A page of a ranking: score down, then id up, whatever order tantivy gives to equal scores."""

from collections.abc import Callable

import tantivy
from tantivy import Query

from adapters.search_ranking import position
from adapters.tantivy.documents import product_ids
from adapters.tantivy.snapshots import Snapshot
from domain.search.model import SEARCH_ORDER, Hit, SearchScope
from domain.shared.ids import ProductId
from domain.shared.paging import Page, PageRequest, cut_page

FIRST_WINDOW = 128
Scored = tuple[float, tantivy.DocAddress]
Find = Callable[[int], list[Scored]]
"""The best so many documents, best first."""


def by_relevance(snapshot: Snapshot, query: Query) -> Find:
    return lambda limit: snapshot.searcher.search(query, limit, count=False, weight_by_field="weight").hits


def by_popularity(snapshot: Snapshot, query: Query) -> Find:
    return lambda limit: snapshot.searcher.search(query, limit, count=False, order_by_field="browse_rank").hits


def ranked_page(snapshot: Snapshot, find: Find, request: PageRequest, scope: SearchScope) -> Page[Hit]:
    """The rows after the cursor. Reads from the top, in growing windows, since tantivy cannot start at a score:
    the cost grows with the depth (some 45 ms a page at 10,000 rows deep), not with the number of documents."""
    start = position(request)
    after = None if start is None else start[1:]
    hits = _hits_after(snapshot, find, after, request.size + 1)
    return cut_page(hits, request, SEARCH_ORDER, lambda hit: (snapshot.name, hit.score, str(hit.product_id)), scope)


def _hits_after(snapshot: Snapshot, find: Find, after: tuple[float, ProductId] | None, wanted: int) -> list[Hit]:
    window = max(FIRST_WINDOW, 2 * wanted)
    while True:
        found = find(window)
        is_all = len(found) < window
        if not is_all:  # others with the last score may have been cut off, perhaps with smaller ids
            found = [each for each in found if each[0] > found[-1][0]]
        hits = _ordered(snapshot, _needed(found, after, wanted), after)
        if is_all or len(hits) >= wanted:
            return hits[:wanted]
        window *= 4


def _needed(found: list[Scored], after: tuple[float, ProductId] | None, wanted: int) -> list[Scored]:
    """Those that the page may hold: the cursor's equals, as many more as are wanted, and the equals of the last."""
    if after is not None:
        found = [each for each in found if each[0] <= after[0]]
        wanted += sum(score == after[0] for score, _ in found)
    return found if len(found) <= wanted else [each for each in found if each[0] >= found[wanted - 1][0]]


def _ordered(snapshot: Snapshot, found: list[Scored], after: tuple[float, ProductId] | None) -> list[Hit]:
    ids = product_ids(snapshot.searcher, [address for _, address in found])
    hits = [Hit(product_id, score) for product_id, (score, _) in zip(ids, found, strict=True)]
    hits.sort(key=lambda hit: (-hit.score, hit.product_id.int))
    return [hit for hit in hits if after is None or (-hit.score, hit.product_id.int) > (-after[0], after[1].int)]
