"""What search needs from the outside."""

from collections.abc import AsyncIterable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.search.facets import FacetCounts
from domain.search.model import SearchDocument, SearchPage, SearchScope
from domain.search.request import SearchRequest
from domain.search.suggesting import Suggestions
from domain.shared.ids import ProductId
from domain.shared.paging import Count, PageRequest

Progress = Callable[[int], None]
"""Told how many documents are done so far."""


class SearchIndex(Protocol):
    """Finds public products by text and facets. Every word of the query must match; a name weighs more than a description.

    Raises Unavailable when it does not answer in time.
    """

    async def search(self, request: SearchRequest, page: PageRequest) -> SearchPage:
        """In the order of the request's sort, equals by id; forward only. Cursors hold (index state, value, id), the value
        being what the sort goes by: while that state is kept, what is written in between moves nothing; afterwards a page
        goes on from that value and id in the latest one.

        The page's scope has the state that it was read from. Raises InvalidCursor.
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

    async def complete(self, prefix: str) -> Suggestions:
        """What begins with the last word of `prefix`, as it is written or sounds, and has the words before it."""
        ...

    async def spelled(self, word: str) -> str | None:
        """The word of a public product's name that is nearest to one that may be mistyped; None where it is there as it
        is, or none is near."""
        ...

    async def is_built(self) -> bool:
        """Whether there is a whole index of this program's format; false asks for `replace_all`."""
        ...

    async def replace_all(self, documents: AsyncIterable[SearchDocument], progress: Progress) -> int:
        """Build a new index beside the present one, which answers until the new one takes its place at once.

        Each product comes once; those that are not public are worth sending, since their versions keep late events out.
        What is put or removed meanwhile is not lost. When it fails the present index stays. Returns how many documents
        it took.
        """
        ...

    async def put(self, documents: Sequence[SearchDocument]) -> int:
        """Add or overwrite, except what the index knows in a newer version. Returns how many were written."""
        ...

    async def remove(self, ids: Sequence[ProductId], version: int) -> None:
        """Forget products that were not there any more at `version`: a `put` of an older one is ignored from then on."""
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


class Documents(Protocol):
    """Products as search documents, as stored now. The version of each is a moment from before it was read."""

    def documents(self) -> AsyncIterable[SearchDocument]:
        """Every product, once each, by id."""
        ...

    async def of(self, ids: Sequence[ProductId]) -> Reading:
        """These products. Raises Unavailable."""
        ...
