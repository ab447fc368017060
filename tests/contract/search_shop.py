"""Products for search suites, and what a shopper gets back for a query."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from adapters.tantivy.analysis import Analyzer
from adapters.tantivy.index import TantivyIndex
from domain.search.model import SEARCH_ORDER, Hit, SearchDocument, SearchScope
from domain.search.ports import SearchIndex
from domain.search.service import Search
from domain.shared.ids import ProductId, uuid7
from domain.shared.money import Money
from domain.shared.paging import Count, Page, PageRequest

OPENED = datetime(2024, 4, 1, tzinfo=UTC)


@contextmanager
def memory_folder() -> Iterator[Path]:
    """A folder in memory where there is one: waiting for a busy disk is nearly all the time these suites take."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(prefix="torii-search-", dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


def document(
    number: int,
    name: str,
    description: str = "",
    *,
    brand: str | None = None,
    categories: tuple[str, ...] = (),
    sku: str = "",
    is_public: bool = True,
    popularity: float = 0.0,
    created_at: datetime = OPENED,
    version: int = 1,
) -> SearchDocument:
    price = Money(1980, "JPY")
    return SearchDocument(
        product(number), name, description, brand, categories, price, is_public, popularity, created_at, version, sku
    )


def product(number: int) -> ProductId:
    return ProductId(uuid7(OPENED + timedelta(milliseconds=number), entropy=number))


class Listed:
    """A source of documents; `before_each` runs before each one is given."""

    def __init__(
        self, documents: Sequence[SearchDocument], before_each: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        self._documents = documents
        self._before_each = before_each

    async def documents(self) -> AsyncIterator[SearchDocument]:
        for each in self._documents:
            if self._before_each is not None:
                await self._before_each()
            yield each


class Shopper:
    """Someone at the search box."""

    def __init__(self, index: SearchIndex) -> None:
        self.index = index
        self.search = Search(index)

    async def stock(self, *documents: SearchDocument) -> None:
        await self.search.reindex(Listed(documents), lambda done: None)

    async def page(self, text: str, first: int = 20, after: str | None = None) -> Page[Hit]:
        return await self.search.search(text, PageRequest.of(SEARCH_ORDER, first=first, after=after))

    async def finds(self, text: str) -> list[ProductId]:
        return [hit.product_id for hit in (await self.page(text, 100)).nodes]

    async def count(self, text: str) -> Count:
        scope = (await self.page(text, 1)).scope
        assert isinstance(scope, SearchScope)
        return await self.search.count(scope)

    async def pages(
        self, text: str, first: int, between: Callable[[], Awaitable[object]] = lambda: asyncio.sleep(0)
    ) -> list[ProductId]:
        """All results, page after page; something may happen in between."""
        found: list[ProductId] = []
        after: str | None = None
        while True:
            page = await self.page(text, first, after)
            found += [hit.product_id for hit in page.nodes]
            if not page.has_next:
                return found
            after = page.page_info.end_cursor
            await between()


@cache
def analyzer() -> Analyzer:
    """Its dictionary is loaded once."""
    return Analyzer()


@asynccontextmanager
async def on_tantivy() -> AsyncIterator[Shopper]:
    with memory_folder() as folder:
        index = TantivyIndex(folder / "search", analyzer(), search_timeout_s=5)
        yield Shopper(index)
        await index.close()


SEARCH_ADAPTERS = {"tantivy": on_tantivy}
"""Every adapter of the port, each with an empty index and a shopper at it."""
