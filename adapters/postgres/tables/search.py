"""What the upkeep of the search index keeps."""

from sqlalchemy import BigInteger, Boolean, Column, Table

from adapters.postgres.tables.base import metadata

moments = Table(
    "moments",
    metadata,
    Column("single", Boolean, primary_key=True),
    Column("last", BigInteger),
    schema="search",
)
