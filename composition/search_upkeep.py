"""What keeps the search index in step, put together: for the worker, and for commands."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from adapters.postgres.catalog import PostgresBrands, PostgresCategories, PostgresProducts
from adapters.postgres.catalog_keys import PostgresProductKeys
from adapters.postgres.catalog_texts import PostgresTexts
from adapters.postgres.database import Database
from adapters.postgres.reviews import PostgresReviews
from adapters.postgres.search_moments import PostgresMoments
from adapters.postgres.sellers import PostgresSellers
from commands.reports import Told
from composition.database import worker_database
from composition.search_index import open_index
from domain.catalog.service import Catalog
from domain.reviews.service import ReviewBoard
from domain.search.comparing import Report
from domain.search.documents import MarketplaceDocuments
from domain.search.texts import TextReport, check_texts, keep_texts
from domain.search.upkeep import IndexUpkeep
from domain.sellers.service import Sellers
from settings import Settings

PATIENCE_MS = 60_000


def marketplace_documents(database: Database) -> MarketplaceDocuments:
    """What goes into the index, read as the worker role, which sees every row. On the writer: no cache, and no replica."""
    catalog = Catalog(PostgresProducts(database), PostgresBrands(database), PostgresCategories(database))
    reviews = ReviewBoard(PostgresReviews(database))
    sellers, moments = Sellers(PostgresSellers(database)), PostgresMoments(database)
    return MarketplaceDocuments(catalog, PostgresProductKeys(database), sellers, reviews, moments)


@asynccontextmanager
async def open_upkeep(settings: Settings, database: Database) -> AsyncIterator[IndexUpkeep]:
    """What brings the index that the settings name in step with the database."""
    async with open_index(settings) as index:
        yield IndexUpkeep(index, marketplace_documents(database))


@asynccontextmanager
async def index_of_the_shop(settings: Settings) -> AsyncIterator[IndexUpkeep]:
    """The same for a command, on a connection of its own. Raises MissingSettings."""
    async with worker_database(settings, 2, PATIENCE_MS) as database, open_upkeep(settings, database) as upkeep:
        yield upkeep


async def reindex(settings: Settings, progress: Told) -> int:
    """How many products the new index has. Raises Unavailable."""
    async with index_of_the_shop(settings) as upkeep:
        total = await upkeep.reindex(lambda done: progress("indexing products", done, 0))
    progress("indexing products", total, total)
    return total


async def rollback(settings: Settings, progress: Told) -> Report:
    """What the earlier index had missed. Raises NothingBefore, Unavailable."""
    async with index_of_the_shop(settings) as upkeep:
        return await upkeep.rollback(lambda done: progress("comparing products", done, 0))


async def verify(settings: Settings, repair: bool, progress: Told) -> tuple[TextReport, Report]:
    """How the texts that the database itself searches by, and the index, differ from it. Raises Unavailable, NotBuilt."""
    async with worker_database(settings, 2, PATIENCE_MS) as database, open_upkeep(settings, database) as upkeep:
        texts = await check_texts(PostgresTexts(database), repair=repair)
        report = await upkeep.verify(repair, asyncio.sleep, lambda done: progress("comparing products", done, 0))
    return texts, report


async def keep(settings: Settings, database: Database) -> AsyncGenerator[int, None]:
    """Compare both with the database, and put right what differs: how much that was. Raises Unavailable."""
    yield await keep_texts(PostgresTexts(database))
    async with open_upkeep(settings, database) as upkeep:
        yield (await upkeep.keep(asyncio.sleep)).repaired
