"""What PostgreSQL's own catalogue says of our tables, in the terms of the database design document."""

import re
from dataclasses import dataclass, field
from typing import Any

SCHEMAS = (
    "accounts",
    "catalog",
    "events",
    "idempotency",
    "jobs",
    "notifications",
    "orders",
    "payments",
    "reviews",
    "search",
    "sellers",
)
FAMILIES = {
    "timestamp with time zone": "timestamp",
    "character(3)": "string",
    "text": "string",
    "numeric": "decimal",
}

COLUMNS = """
    SELECT n.nspname AS schema, c.relname AS table, a.attname AS column, format_type(a.atttypid, a.atttypmod) AS type
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    ORDER BY n.nspname, c.relname, a.attnum
"""
CONSTRAINTS = """
    SELECT c.relname AS table, k.contype::text AS kind, target.relname AS target, pg_get_constraintdef(k.oid) AS definition,
        ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS key (number, place)
              JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = key.number ORDER BY key.place) AS columns
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_class target ON target.oid = k.confrelid
    WHERE n.nspname = ANY ($1) AND NOT c.relispartition AND k.conparentid = 0
"""
INDEXES = """
    SELECT i.relname AS name, c.relname AS table, x.indisunique AS is_unique,
        pg_get_expr(x.indpred, x.indrelid) AS predicate, pg_get_indexdef(x.indexrelid) AS definition
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY ($1) AND NOT c.relispartition
        AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.indexrelid AND k.contype IN ('p', 'u'))
"""
PARTITIONED = """
    SELECT c.relname AS table, pg_get_partkeydef(c.oid) AS key
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ANY ($1) AND c.relkind = 'p'
"""


@dataclass(slots=True)
class FoundTable:
    """A table: columns with their types, and keys as `PK`, `UK` or `UK(a, b)`, `FK:target` by column."""

    schema: str
    columns: dict[str, str] = field(default_factory=dict)
    keys: dict[str, set[str]] = field(default_factory=dict)
    values: dict[str, frozenset[str]] = field(default_factory=dict)
    """What a CHECK allows in a column that stands for an enum."""


@dataclass(slots=True)
class Found:
    tables: dict[str, FoundTable]
    indexes: dict[str, str]
    """Name -> `table(columns)`, with `unique` or `where …` where it is so."""
    partitions: dict[str, str]


def family(sql_type: str) -> str:
    return FAMILIES.get(re.sub(r"^numeric\(.*", "numeric", sql_type), sql_type)


async def read_catalogue(connection: Any) -> Found:
    tables: dict[str, FoundTable] = {}
    for row in await connection.fetch(COLUMNS, SCHEMAS):
        table = tables.setdefault(row["table"], FoundTable(row["schema"]))
        table.columns[row["column"]] = row["type"]
        table.keys[row["column"]] = set()
    for row in await connection.fetch(CONSTRAINTS, SCHEMAS):
        table, columns = tables[row["table"]], row["columns"]
        key = {"p": "PK", "f": f"FK:{row['target']}", "u": "UK" if len(columns) == 1 else f"UK({', '.join(columns)})"}
        if row["kind"] in key:
            for column in columns:
                table.keys[column].add(key[row["kind"]])
        elif len(columns) == 1 and (allowed := re.search(r"= ANY \(ARRAY\[(.*)\]\)", row["definition"])):
            table.values[columns[0]] = frozenset(re.findall(r"'([^']*)'", allowed[1]))
    indexes = {}
    for row in await connection.fetch(INDEXES, SCHEMAS):
        method, columns = re.search(r"USING (\w+) \((.*?)\)( WHERE|$)", row["definition"]).group(1, 2)  # type: ignore[union-attr]
        unique = "unique " if row["is_unique"] else ""
        where = f" where {row['predicate']}" if row["predicate"] else ""
        how = "" if method == "btree" else f" {method}"
        indexes[row["name"]] = f"{unique}{row['table']}({columns}){how}{where}"
        if row["is_unique"] and not row["predicate"] and "," not in columns:
            tables[row["table"]].keys[re.sub(r"^lower\((\w+)\)$", r"\1", columns)].add("UK")
    partitions = {row["table"]: row["key"] for row in await connection.fetch(PARTITIONED, SCHEMAS)}
    return Found(tables, indexes, partitions)
