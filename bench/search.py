"""`python -m bench.search`: how long an index takes to build, how large it is, how fast it answers, and how soon it follows the shop.

The index holds a demo marketplace of so many products, read from memory: neither database nor gateway has a part in the
figures of indexing and queries. CPU is that of this process (tantivy) or of the server's (OpenSearch). Freshness is measured in a
throwaway marketplace: from just before a transaction that renames a product to the moment at which a search finds the new name.
"""

import asyncio
import math
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated
from uuid import UUID, uuid5

import psutil
import typer
import uvloop
from opensearchpy import AsyncOpenSearch
from rich.console import Console
from rich.table import Table
from sqlalchemy import select, update

from adapters.language.analysis import Analyzer
from adapters.language.lexicon import LexiconFile
from adapters.postgres import tables
from adapters.postgres.database import Database
from adapters.tantivy.index import TantivyIndex
from bench.live import at
from bench.search_queries import PREFIXES, QUERIES, naughty
from bench.torii import in_throwaway
from composition.search_index import open_index
from domain.catalog.model import Attribute
from domain.search.model import Beside, SearchDocument
from domain.search.ports import SearchIndex
from domain.search.request import NO_FILTER, SearchRequest
from domain.search.upkeep import AT_ONCE, BUILD_BATCH
from domain.shared.batches import ahead, batches
from domain.shared.ids import BrandId, CategoryId, ProductId
from domain.shared.money import Money
from domain.shared.paging import PageRequest
from domain.shared.viewer import ANONYMOUS
from infra.backends import load_settings, running_backends
from infra.demo.listings import Listing
from infra.demo.marketplace import generate
from infra.demo.products import attributes_of, description_of
from infra.servers.refusals import NotHere
from infra.servers.running import OPENSEARCH_SERVER, running
from settings import Settings

SEED = 1
WARM = 5
PAGE = PageRequest(20)
SPACE = UUID(int=7)
PATIENCE_S = 60.0
LOOK_EVERY_S = 0.05
GOAL_S = 5.0

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one adapter: seconds of wall and CPU for the whole index, its bytes, and each query's times in seconds, sorted."""

    adapter: str
    built_s: float
    cpu_s: float
    size: int
    queries: Sequence[tuple[str, Sequence[float]]]


def documents(count: int) -> Iterator[SearchDocument]:
    """The demo marketplace's products on sale, as the index gets them."""
    for each in generate(count, SEED).listings:
        if each.status == "active":
            yield _document(each)


def _document(listing: Listing) -> SearchDocument:
    brand, leaf = listing.wording.brand, listing.leaf
    names = (leaf.department.name, leaf.section, leaf.name)
    attributes = tuple(Attribute(name, value) for name, value in attributes_of(SEED, listing).items())
    ratings = round(200 * (1 - listing.rank) ** 4)
    return SearchDocument(
        product_id=listing.id,
        name=listing.name,
        description=description_of(SEED, listing),
        brand_name=brand.text if brand else None,
        brand_kana=brand.kana if brand else None,
        category_names=names,
        category_ids=tuple(CategoryId(uuid5(SPACE, "/".join(names[: level + 1]))) for level in range(len(names))),
        brand_id=BrandId(uuid5(SPACE, brand.text)) if brand else None,
        seller_id=listing.shop.id,
        seller_name=listing.shop.about.name,
        price=Money(listing.price, "JPY"),
        is_public=True,
        popularity=math.log1p(ratings),
        rating=3.0 + listing.quality / 2 if ratings else None,
        rating_count=ratings,
        in_stock=listing.stock > 0,
        attributes=attributes,
        created_at=listing.created_at,
        version=1,
        sku=listing.sku,
    )


async def measured(
    adapter: str, index: SearchIndex, processes: Sequence[psutil.Process], products: int, repeats: int
) -> Figures:
    """Build the index, ask it, and look at what it takes; the folder's or store's size is asked of it last."""
    made = list(documents(products))

    async def given() -> AsyncIterator[SearchDocument]:
        for each in made:
            yield each

    cpu, began = _cpu(processes), time.monotonic()
    async with index.building() as new:
        await ahead(batches(given(), BUILD_BATCH), new.put, AT_ONCE)
    built_s, cpu_s = time.monotonic() - began, _cpu(processes) - cpu
    queries = [(name, await _times([partial(index.search, asked, PAGE)], repeats)) for name, asked in QUERIES]
    whole = partial(index.search, QUERIES[0][1], PAGE, Beside(total=True, facets=True))
    queries.append(("one common word, total and facets", await _times([whole], repeats)))
    typed = [partial(index.complete, each) for each in PREFIXES]
    queries.append((f"suggestions for {len(PREFIXES)} beginnings", await _times(typed, repeats // 10)))
    hostile = [await _times([partial(index.search, each, PAGE)], 1, 0) for each in naughty()]
    queries.append((f"{len(hostile)} naughty strings", sorted(took for [took] in hostile)))
    return Figures(adapter, built_s, cpu_s, 0, queries)


async def _times(asks: Sequence[Callable[[], Awaitable[object]]], repeats: int, warm: int = WARM) -> Sequence[float]:
    """Of each so often, in turn; the first ones fill caches."""
    took = []
    for number in range(repeats + warm):
        for ask in asks:
            began = time.perf_counter()
            await ask()
            if number >= warm:
                took.append(time.perf_counter() - began)
    return sorted(took)


def _cpu(processes: Sequence[psutil.Process]) -> float:
    used = [each.cpu_times() for each in processes]
    return float(sum(each.user + each.system for each in used))


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


async def on_tantivy(products: int, repeats: int) -> Figures:
    with TemporaryDirectory() as folder:
        index = TantivyIndex(Path(folder), Analyzer(LexiconFile()), search_timeout_s=30)
        found = await measured("tantivy", index, [psutil.Process()], products, repeats)
        await index.close()
        return _with_size(found, _size(Path(folder)))


async def on_opensearch(products: int, repeats: int) -> Figures:
    from adapters.opensearch.index import OpenSearchIndex

    with TemporaryDirectory() as folder, TemporaryDirectory() as data:
        async with running(OPENSEARCH_SERVER, Path(folder), Path(data)) as url:
            index = OpenSearchIndex(url, "bench", LexiconFile(), timeout_ms=30_000)
            found = await measured("OpenSearch", index, [psutil.Process(), _java()], products, repeats)
            await index.close()
            await _flushed(url)
            return _with_size(found, _size(Path(data) / "data") or _size(Path(data)))


async def _flushed(url: str) -> None:
    """The log of what was written goes, for all of it is in the index."""
    async with AsyncOpenSearch(url) as api:
        await api.indices.flush(index="_all")


def _with_size(figures: Figures, size: int) -> Figures:
    return Figures(figures.adapter, figures.built_s, figures.cpu_s, size, figures.queries)


def _java() -> psutil.Process:
    """The server, which is a child of ours."""
    return next(each for each in psutil.Process().children(recursive=True) if "java" in each.name())


@asynccontextmanager
async def _shop(settings: Settings) -> AsyncIterator[tuple[Database, SearchIndex]]:
    database = Database(settings.database_worker_url.get_secret_value(), pool_size=4, timeout_ms=30_000)
    async with open_index(settings) as index:
        yield database, index
    await database.close()


async def fresh(settings: Settings, changes: int, per_second: float) -> Sequence[float]:
    """How long each change took to be found, in seconds, sorted."""
    took: list[float] = []
    async with _shop(settings) as (database, index):
        query = select(tables.products.c.id).where(tables.products.c.status == "active").limit(changes)
        ids = [ProductId(row.id) for row in await database.fresh(query)]

        async def follow(product_id: ProductId, code: str, began: float) -> None:
            asked = SearchRequest.of(code, NO_FILTER)
            async with asyncio.timeout(PATIENCE_S):
                while not await _finds(index, asked, product_id):  # noqa: ASYNC110  (an index tells nobody)
                    await asyncio.sleep(LOOK_EVERY_S)
            took.append(time.monotonic() - began)

        async with asyncio.TaskGroup() as tasks:
            for number, product_id in enumerate(ids):
                code, began = f"ZQ-{os.getpid()}{number:05d}", time.monotonic()
                async with database.transaction(ANONYMOUS) as connection:
                    renamed = update(tables.products).where(tables.products.c.id == product_id)
                    await connection.execute(renamed.values(name=f"試し {code}"))
                tasks.create_task(follow(product_id, code, began))
                await asyncio.sleep(1 / per_second)
    return sorted(took)


async def _finds(index: SearchIndex, asked: SearchRequest, product_id: ProductId) -> bool:
    return product_id in [hit.product_id for hit in (await index.search(asked, PAGE)).nodes]


def report(found: Sequence[Figures]) -> Table:
    table = Table("", *(each.adapter for each in found), box=None, header_style="bold")
    table.add_row("built, s", *(f"{each.built_s:.1f}" for each in found))
    table.add_row("of CPU, s", *(f"{each.cpu_s:.1f}" for each in found))
    table.add_row("size, MB", *(f"{each.size / 1e6:.0f}" for each in found))
    for number, (name, _) in enumerate(found[0].queries):
        table.add_row(f"{name}: p50, p95, most ms", *(_shown(each.queries[number][1]) for each in found))
    return table


def _shown(took: Sequence[float]) -> str:
    return f"{at(took, 50) * 1000:.1f}  {at(took, 95) * 1000:.1f}  {took[-1] * 1000:.1f}"


@app.command()
def main(
    products: Annotated[int, typer.Option(min=100, max=1_000_000, help="How many the index holds.")] = 100_000,
    repeats: Annotated[int, typer.Option(min=10, max=10_000, help="How often each query is asked.")] = 200,
    changes: Annotated[int, typer.Option(min=0, max=10_000, help="Whose freshness is measured.")] = 200,
    per_second: Annotated[float, typer.Option(min=0.1, max=1000, help="At most.")] = 10,
    only: Annotated[str, typer.Option(help="tantivy, opensearch or fresh.")] = "",
    here: Annotated[
        bool, typer.Option(help="Freshness in the marketplace that runs, instead of a throwaway one.")
    ] = False,
) -> None:
    """Status 1 where a change takes longer than five seconds for five in a hundred."""
    console = Console(highlight=False, soft_wrap=True)
    if here:
        with running_backends(load_settings(), must_run=True) as settings:
            took = uvloop.run(fresh(settings, changes, per_second))
        shown = ", ".join(f"p{each} {at(took, each) * 1000:.0f}" for each in (50, 95, 99))
        console.print(f"from {len(took):,} changes to what is found: {shown}, most {took[-1] * 1000:.0f} ms")
        raise typer.Exit(at(took, 95) > GOAL_S)
    found = []
    if only in ("", "tantivy"):
        found.append(asyncio.run(on_tantivy(products, repeats)))
    if only in ("", "opensearch"):
        try:
            found.append(asyncio.run(on_opensearch(products, repeats)))
        except NotHere as reason:
            console.print(f"OpenSearch is not measured: {reason}")
    if found:
        console.print(report(found))
    if only in ("", "fresh") and changes:
        asked = ("--changes", str(changes), "--per-second", str(per_second))
        raise typer.Exit(in_throwaway("bench.search", 3000, asked))


if __name__ == "__main__":
    app()
