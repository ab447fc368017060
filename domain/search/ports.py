"""What search needs from the outside."""

from collections.abc import AsyncIterable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from domain.search.facet_terms import FacetCounts
from domain.search.fingerprint import NOTHING
from domain.search.model import NOTHING_BESIDE, Beside, SearchDocument, SearchPage, SearchScope
from domain.search.request import SearchRequest
from domain.search.suggesting import Suggestions
from domain.shared.ids import BrandId, CategoryId, ProductId, SellerId
from domain.shared.paging import Count, PageRequest

Progress = Callable[[int], None]
"""Told how many documents are done so far."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What an index knows of a product: the version and revision of its document, and what it says as a fingerprint."""

    product_id: ProductId
    version: int
    revision: int
    is_public: bool
    fingerprint: int

    @property
    def is_refused(self) -> bool:
        """Whether the document of that fingerprint was public and the index could not take it: nobody finds it."""
        return not self.is_public and self.fingerprint != NOTHING


class Written(Protocol):
    """An index as it is written. Every method raises Unavailable, and NotBuilt where there is none."""

    async def put(self, documents: Sequence[SearchDocument]) -> int:
        """Add or overwrite, except what the index knows in a newer version. Returns how many were written.

        One that the index cannot take as it is keeps none of the others out: it is logged, and known as refused.
        """
        ...

    async def remove(self, ids: Sequence[ProductId], version: int) -> None:
        """Forget products that were not there any more at `version`: a `put` of an older one is ignored from then on."""
        ...

    async def entries(self, after: ProductId | None, upto: ProductId | None) -> Sequence[Entry]:
        """What it knows of all products past `after` and up to `upto`, by id; None has no bound on that side.

        All that was put before is seen.
        """
        ...

    async def entries_of(self, ids: Sequence[ProductId]) -> Sequence[Entry]:
        """What it knows of these, as far as it does, by id."""
        ...


class SearchIndex(Written, Protocol):
    """Finds public products by text and facets. Every word of the query must match; a name weighs more than a description.

    Raises Unavailable when it does not answer in time.
    """

    async def search(self, request: SearchRequest, page: PageRequest, beside: Beside = NOTHING_BESIDE) -> SearchPage:
        """In the order of the request's sort, equals by id; forward only. Cursors hold (index state, value, id), the value
        being what the sort goes by: while that state is kept, what is written in between moves nothing; afterwards a page
        goes on from that value and id in the latest one.

        The page's scope has the state that it was read from, and what was wanted beside. Raises InvalidCursor.
        """
        ...

    async def count(self, scope: SearchScope) -> Count:
        """In the state of the scope while that is kept, else in the latest."""
        ...

    async def facets(self, scope: SearchScope) -> Sequence[FacetCounts]:
        """What is found by value of each facet, as if the request did not narrow to that facet. States as in `count`.

        Values that nothing has are left out. Of attributes the MOST_ATTRIBUTES commonest come, commonest first, and those
        that the request narrows to.
        """
        ...

    async def complete(self, prefix: str) -> Suggestions | None:
        """What begins with the last word of `prefix`, as it is written or sounds, and has the words before it; None where
        there is no index."""
        ...

    async def spelled(self, word: str) -> str | None:
        """The word of a public product's name that is nearest to one that may be mistyped; None where it is there as it
        is, or none is near."""
        ...

    async def is_built(self) -> bool:
        """Whether there is a whole index of this program's format; false asks for `building`."""
        ...

    def building(self, on_previous: bool = False) -> AbstractAsyncContextManager[Written]:
        """An index to be filled beside the present one, whose place it takes at once when the block ends without an
        exception. The present one answers until then, and is kept as the previous one after it.

        The index is empty, or with `on_previous` the one before the present one, as it was left. What is put into this
        port meanwhile goes there as well. What was put before has to be put by who builds: all products as they are stored,
        also those that are not public, whose versions keep late events out. After an exception the present index stays.
        Raises NothingBefore, and Unavailable where another build goes on.
        """
        ...

    async def leads(self) -> bool:
        """Whether this process is the one to write what events tell of, now that it asks. Who is not may write all the same."""
        ...

    async def check(self) -> str:
        """Name, version and number of documents, for people. Raises Unavailable, saying what to do."""
        ...


IN_DATABASE = "database"
"""The state that pages of a TextSearch name; no index calls one of its own so."""


class TextSearch(Protocol):
    """Finds public products without an index, simpler: pages are degraded, their scope's state is IN_DATABASE.

    Raises Unavailable.
    """

    async def search(self, request: SearchRequest, page: PageRequest) -> SearchPage:
        """As the index does, by another ranking; forward only. A cursor of the index goes on as well as may be.
        Raises InvalidCursor."""
        ...

    async def count(self, scope: SearchScope) -> Count: ...

    async def complete(self, prefix: str) -> Suggestions:
        """What begins so as it is written. However much does, the work is bounded: of very much only some is looked at."""
        ...


class Moments(Protocol):
    """Numbers that order what was read."""

    async def next(self) -> int:
        """A number above all that were given before, to anybody. Raises Unavailable.

        What is read after it was given shows all that was committed before. So of two readings the one with the higher
        number shows whatever the events of the other's number and before were about.
        """
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """Products as they were read at a moment: their documents, and those of which there is nothing."""

    moment: int
    documents: Sequence[SearchDocument]
    gone: Sequence[ProductId] = ()


@dataclass(frozen=True, slots=True)
class Listings:
    """All products of a seller, of a brand, or of a category and those below it: exactly one of them."""

    seller_id: SellerId | None = None
    brand_id: BrandId | None = None
    category_id: CategoryId | None = None


class Documents(Protocol):
    """Products as search documents, as stored now. The version of each is a moment from before it was read.

    Every method raises Unavailable.
    """

    def documents(self) -> AsyncIterable[SearchDocument]:
        """Every product, once each, by id."""
        ...

    async def of(self, ids: Sequence[ProductId]) -> Reading:
        """These products."""
        ...

    async def revisions(self, after: ProductId | None, size: int) -> Sequence[tuple[ProductId, int]]:
        """The next products by id, and the version that each has of its own."""
        ...

    async def ids_in(self, which: Listings, after: ProductId | None, size: int) -> Sequence[ProductId]:
        """The next ones of those products by id."""
        ...
