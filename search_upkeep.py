"""What keeps the search index in step, put together: for the worker, and for commands."""

from adapters.postgres.catalog import PostgresBrands, PostgresCategories, PostgresProducts
from adapters.postgres.database import Database
from adapters.postgres.reviews import PostgresReviews
from adapters.postgres.search_moments import PostgresMoments
from adapters.postgres.sellers import PostgresSellers
from domain.catalog.service import Catalog
from domain.reviews.service import ReviewBoard
from domain.search.documents import MarketplaceDocuments
from domain.sellers.service import Sellers


def marketplace_documents(database: Database) -> MarketplaceDocuments:
    """What goes into the index, read as the worker role, which sees every row. On the writer: no cache, and no replica."""
    catalog = Catalog(PostgresProducts(database), PostgresBrands(database), PostgresCategories(database))
    reviews = ReviewBoard(PostgresReviews(database))
    return MarketplaceDocuments(catalog, Sellers(PostgresSellers(database)), reviews, PostgresMoments(database))
