"""What search needs from the outside."""

from collections.abc import AsyncIterable, Callable, Sequence
from typing import Protocol

from domain.search.model import Hit, SearchDocument, SearchQuery
from domain.shared.ids import ProductId
from domain.shared.paging import Count, Page, PageRequest

Progress = Callable[[int], None]
"""Told how many documents are done so far."""


class SearchIndex(Protocol):
    """Finds public products by text. Every word of the query must match; a name weighs more than a description.

    Raises Unavailable when it does not answer in time.
    """

    async def search(self, query: SearchQuery, request: PageRequest) -> Page[Hit]:
        """Best first, equals by id; forward only. Cursors hold (index state, score, id): while that state is kept,
        what is written in between moves nothing; afterwards a page goes on from that score and id in the latest one.

        The page's scope is the SearchScope of the query. Raises InvalidCursor.
        """
        ...

    async def count(self, query: SearchQuery) -> Count: ...

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

    async def remove(self, ids: Sequence[ProductId]) -> None:
        """Forget products that are gone for good: a later `put` of the same id, in whatever version, is ignored."""
        ...

    async def check(self) -> str:
        """Name, version and number of documents, for people. Raises Unavailable, saying what to do."""
        ...


class Documents(Protocol):
    """Every product as a search document, once each, as stored now."""

    def documents(self) -> AsyncIterable[SearchDocument]: ...
