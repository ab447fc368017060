"""Rows and files for the import's tests."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow import parquet

from adapters.parquet.online_retail import COLUMNS, OnlineRetailFile
from domain.imports.books import Books, Contents
from domain.imports.rows import Row

SAMPLE = Path(__file__).parents[1] / "data" / "online-retail-sample.parquet"

GOOD = Row("489434", "85048", "GLASS BALL 20 LIGHTS", 12, "2009-12-01 07:45:00", 6.95, 13085.0, "United Kingdom")


def row(**changes: Any) -> Row:
    """A row that is a sale, but for the changes."""
    return GOOD._replace(**changes)


def contents_of(*rows: Row) -> Contents:
    books = Books()
    books.add(rows)
    return books.close()


def sample_table() -> pyarrow.Table:
    return parquet.read_table(SAMPLE)


def file_of(table: pyarrow.Table, path: Path) -> OnlineRetailFile:
    parquet.write_table(table, path)
    return OnlineRetailFile(path)


def table_of(rows: Sequence[Row]) -> pyarrow.Table:
    return pyarrow.table(dict(zip(COLUMNS, ([*column] for column in zip(*rows, strict=True)), strict=True)))
