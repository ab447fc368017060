"""What the tables are made of."""

from sqlalchemy import Column, DateTime, MetaData, Table, Uuid

metadata = MetaData()


def timestamp(name: str) -> Column[object]:
    return Column(name, DateTime(timezone=True))


def keyed(schema: str, name: str, *columns: Column[object]) -> Table:
    """A table whose key is the UUID `id`."""
    return Table(name, metadata, Column("id", Uuid, primary_key=True), *columns, schema=schema)
