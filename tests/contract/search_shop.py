"""Products for search suites, and what a shopper gets back for a query."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import aiohttp
import pytest

from adapters.language.analysis import Analyzer
from adapters.language.lexicon import LexiconFile
from adapters.tantivy.index import TantivyIndex
from domain.search.facets import Facet
from domain.search.model import SearchDocument, SearchPage, SearchScope
from domain.search.ports import Listings, Reading, SearchIndex
from domain.search.request import NO_FILTER, SearchFilter, SearchRequest, SearchSort
from domain.search.service import Search
from domain.shared.ids import ProductId, uuid7
from domain.shared.money import Money
from domain.shared.paging import Count, PageRequest
from tests.servers import memory_folder

OPENED = datetime(2024, 4, 1, tzinfo=UTC)
YEN_1980 = Money(1980, "JPY")


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
    price: Money = YEN_1980,
    **more: Any,
) -> SearchDocument:
    return SearchDocument(
        product(number),
        name,
        description,
        brand,
        categories,
        price,
        is_public,
        popularity,
        created_at,
        version,
        sku,
        **more,
    )


def product(number: int) -> ProductId:
    return ProductId(uuid7(OPENED + timedelta(milliseconds=number), entropy=number))


def scope_of(page: SearchPage) -> SearchScope:
    assert isinstance(page.scope, SearchScope)
    return page.scope


class Listed:
    """A source of documents; `before_each` runs before each one is given."""

    def __init__(
        self, documents: Sequence[SearchDocument], before_each: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        self._documents = documents
        self._before_each = before_each

    async def of(self, ids: Sequence[ProductId]) -> Reading:
        found = [each for each in self._documents if each.product_id in ids]
        there = {each.product_id for each in found}
        return Reading(1, found, [each for each in ids if each not in there])

    async def revisions(self, after: ProductId | None, size: int) -> Sequence[tuple[ProductId, int]]:
        ids = sorted((each.product_id, each.revision) for each in self._documents)
        return [each for each in ids if after is None or each[0] > after][:size]

    async def ids_in(self, which: Listings, after: ProductId | None, size: int) -> Sequence[ProductId]:
        """All are of any seller, brand and category."""
        return [product_id for product_id, _ in await self.revisions(after, size)]

    async def documents(self) -> AsyncIterator[SearchDocument]:
        for each in self._documents:
            if self._before_each is not None:
                await self._before_each()
            yield each


class Shopper:
    """Someone at the search box."""

    def __init__(self, index: SearchIndex, on: str = "") -> None:
        self.index = index
        self.on = on
        self.search = Search(index)

    async def stock(self, *documents: SearchDocument) -> None:
        await self.search.reindex(Listed(documents), lambda done: None)

    async def page(
        self,
        text: str = "",
        first: int = 20,
        after: str | None = None,
        *,
        which: SearchFilter = NO_FILTER,
        sort: SearchSort = SearchSort.RELEVANCE,
    ) -> SearchPage:
        """What matches."""
        request = SearchRequest.of(text, which, sort)
        return await self.index.search(request, PageRequest.of(sort.order, first=first, after=after))

    async def near(
        self,
        text: str,
        first: int = 20,
        after: str | None = None,
        *,
        which: SearchFilter = NO_FILTER,
        sort: SearchSort = SearchSort.RELEVANCE,
    ) -> SearchPage:
        """What is shown: the nearest where nothing matches."""
        request = SearchRequest.of(text, which, sort)
        return await self.search.search(request, PageRequest.of(sort.order, first=first, after=after))

    async def finds(
        self, text: str = "", which: SearchFilter = NO_FILTER, sort: SearchSort = SearchSort.RELEVANCE
    ) -> list[ProductId]:
        return [hit.product_id for hit in (await self.page(text, 100, which=which, sort=sort)).nodes]

    async def count(self, text: str, which: SearchFilter = NO_FILTER) -> Count:
        return await self.search.count(scope_of(await self.page(text, 1, which=which)))

    async def facets(self, text: str = "", which: SearchFilter = NO_FILTER) -> list[Facet]:
        return list(await self.search.facets(scope_of(await self.page(text, 1, which=which))))

    async def pages(
        self,
        text: str,
        first: int,
        between: Callable[[], Awaitable[object]] = lambda: asyncio.sleep(0),
        sort: SearchSort = SearchSort.RELEVANCE,
    ) -> list[ProductId]:
        """All results, page after page; something may happen in between."""
        found: list[ProductId] = []
        after: str | None = None
        while True:
            page = await self.page(text, first, after, sort=sort)
            found += [hit.product_id for hit in page.nodes]
            if not page.has_next:
                return found
            after = page.page_info.end_cursor
            await between()


@cache
def words() -> LexiconFile:
    """Those that come with Torii."""
    return LexiconFile()


@cache
def analyzer() -> Analyzer:
    """Its dictionary is loaded once."""
    return Analyzer(words())


@asynccontextmanager
async def on_tantivy() -> AsyncIterator[Shopper]:
    with memory_folder() as folder:
        index = TantivyIndex(folder / "search", analyzer(), search_timeout_s=5)
        yield Shopper(index, "tantivy")
        await index.close()


@asynccontextmanager
async def on_opensearch(url: str) -> AsyncIterator[Shopper]:
    from adapters.opensearch.index import OpenSearchIndex  # slow to import

    name = f"products-{uuid7().hex}"
    index = OpenSearchIndex(url, name, words(), timeout_ms=10_000, refresh_s=0.05)
    yield Shopper(index, "opensearch")
    await opensearch_call("DELETE", f"{url}/{name}-*")
    await index.close()


async def opensearch_call(method: str, url: str) -> Any:
    """A call that the adapter has no word for."""
    async with aiohttp.ClientSession() as session, session.request(method, url) as answer:
        return await answer.json()


SEARCH_ADAPTERS = ["tantivy", pytest.param("opensearch", marks=pytest.mark.servers)]
"""Every adapter of the port; each test gets an empty index and a shopper at it."""


@pytest.fixture(params=SEARCH_ADAPTERS)
def search_index(request: pytest.FixtureRequest) -> AbstractAsyncContextManager[Shopper]:
    # the server's own fixture is looked up here, since one that is async cannot start another
    return on_tantivy() if request.param == "tantivy" else on_opensearch(request.getfixturevalue(request.param))


@pytest.fixture
async def shopper(search_index: AbstractAsyncContextManager[Shopper]) -> AsyncIterator[Shopper]:
    async with search_index as shopper:
        yield shopper
