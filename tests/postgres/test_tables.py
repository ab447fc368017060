"""adapters/postgres/tables against the migrated database, and each adapter against the schema of its module."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.dialects import postgresql

import adapters.postgres
from adapters.postgres import tables
from tests.postgres.catalogue import SCHEMAS

FOLDER = Path(adapters.postgres.__path__[0])
COLUMNS = """
    SELECT n.nspname || '.' || c.relname AS table, a.attname AS column, format_type(a.atttypid, a.atttypmod) AS type,
        a.attgenerated::text <> '' AS is_generated,
        EXISTS (SELECT FROM pg_index x WHERE x.indrelid = c.oid AND x.indisprimary AND a.attnum = ANY (x.indkey)) AS is_key
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
    ORDER BY c.oid, a.attnum
"""


async def test_tables_are_those_of_the_database_column_by_column(owner: Any) -> None:
    found: dict[str, list[tuple[str, str]]] = {}
    for row in await owner.fetch(COLUMNS, SCHEMAS):
        found.setdefault(row["table"], []).append((row["column"], row["type"]))
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    types = {
        "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
        "CHAR(3)": "character(3)",
        "NUMERIC(5, 4)": "numeric(5,4)",
    }
    described = {
        name: [(str(c.name), types.get(t := str(c.type.compile(dialect)), t.lower())) for c in table.columns]
        for name, table in tables.metadata.tables.items()
    }
    assert described == found


async def test_keys_and_generated_columns_are_those_of_the_database(owner: Any) -> None:
    rows = await owner.fetch(COLUMNS, SCHEMAS)
    views = {"accounts.authors", "sellers.public_profiles", "sellers.shipping_terms"}  # have no keys of their own
    columns = [(name, c) for name, table in tables.metadata.tables.items() for c in table.columns]
    assert {(n, c.name) for n, c in columns if c.primary_key and n not in views} == {
        (row["table"], row["column"]) for row in rows if row["is_key"]
    }
    assert {(n, c.name) for n, c in columns if c.computed is not None} == {
        (row["table"], row["column"]) for row in rows if row["is_generated"]
    }


def test_each_table_belongs_to_the_schema_of_a_module() -> None:
    assert {table.schema for table in tables.metadata.tables.values()} == set(SCHEMAS)


def schemas_touched(source: str) -> set[str]:
    """Schemas whose tables a file imports, whose functions it calls, or which its SQL names."""
    tree = ast.parse(source)
    touched = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == tables.__name__:
            touched |= {str(getattr(tables, alias.name).schema) for alias in node.names}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "func":
            touched |= {node.attr} & set(SCHEMAS)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            touched |= set(re.findall(rf"\b({'|'.join(SCHEMAS)})\.\w+", node.value))
    return touched


def loads_in_bulk(source: str) -> bool:
    """Imports and demo data write the whole shop at once: there is no module whose service could do that."""
    return "adapters.postgres.bulk" in source


FILES = sorted(FOLDER.glob("*.py"))
SHARED = {
    "bulk.py": {"orders"},
    "orders_checkout.py": {"orders", "sellers"},
    "orders_made_there.py": {"orders", "payments"},
    "orders_stopping.py": {"orders", "payments"},
    "orders_shelf.py": {"orders", "catalog"},
    "orders_stock.py": {"orders", "catalog"},
    "reviews.py": {"reviews", "accounts"},
    "search_narrowing.py": {"catalog", "reviews"},
    "search_prominence.py": {"catalog", "reviews"},
    "search_suggestions.py": {"catalog", "reviews"},
    "search_text.py": {"catalog", "reviews"},
}
"""What serves every module, and the schema whose functions it calls: a bulk load makes the months of orders; units that an
order sets aside are written with the order, and its sellers' terms are those of the same moment; what went back at the provider is
booked where the order's refunds are; a review is read with who wrote it, as the public sees them; a search of the database is one
statement over all that it narrows and sorts by."""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_an_adapter_touches_only_the_schema_of_its_module(file: Path) -> None:
    source = file.read_text()
    if loads_in_bulk(source):
        pytest.skip("loads the whole shop in bulk")
    own = SHARED.get(file.name, {file.stem.partition("_")[0]} & set(SCHEMAS))
    assert schemas_touched(source) <= own


def test_files_that_reach_into_another_schema_are_seen() -> None:
    assert schemas_touched("from adapters.postgres.tables import orders, products") == {"orders", "catalog"}
    assert schemas_touched("f(func.accounts.user_of(x), 'SELECT 1 FROM sellers.members')") == {"accounts", "sellers"}
