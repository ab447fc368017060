"""The activity lake: changes as Parquet files in S3, by table and day."""

import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
import pyarrow
from pyarrow import parquet

from adapters.aws.clients import S3, Aws
from domain.capture.model import CAPTURED, Change, Value
from domain.capture.ports import ReadBatch

TEXT, WHOLE, FLAG, MOMENT = pyarrow.string(), pyarrow.int64(), pyarrow.bool_(), pyarrow.timestamp("us", "UTC")
AMOUNTS = {"base_price", "sale_price", "price_adjustment", "subtotal", "tax_amount", "shipping_fee", "total_amount"}
COUNTS = {"stock_quantity", "reserved_quantity", "quantity", "version", "rating_count", "rating_total"}
NUMBERS = AMOUNTS | COUNTS | {"unit_price", "total_price"}
"""Whole numbers: amounts are in the currency's smallest unit. A test holds types to those of the database."""
ABOUT = (("_op", TEXT), ("_position", WHOLE), ("_transaction", WHOLE), ("_at", MOMENT), ("_rest", TEXT))
"""What is told of a change, beside its row. `_rest` is JSON: what the row has and this release no column for."""


def type_of(column: str) -> pyarrow.DataType:
    if column in NUMBERS:
        return WHOLE
    if column.startswith("is_"):
        return FLAG
    return MOMENT if column.endswith("_at") else TEXT


SCHEMAS: Mapping[str, pyarrow.Schema] = {
    table: pyarrow.schema([*ABOUT, *((name, type_of(name)) for name in listed.split())])
    for table, listed in CAPTURED.items()
}
"""By table: one column for each that is told."""


class S3Lake:
    """A consumer. A file is named by where its batch begins on the stream, so that a batch that comes twice, however long it is
    then, takes its own place: rows may come twice where it was cut shorter, and are known by key and position."""

    name = "lake"

    def __init__(self, aws: Aws, bucket: str) -> None:
        self._aws = aws
        self._bucket = bucket

    async def consume(self, batch: ReadBatch) -> None:
        """Raises Unavailable."""
        files: dict[tuple[str, str], list[Change]] = defaultdict(list)
        for change in batch.changes:
            files[change.table, change.at.astimezone(UTC).date().isoformat()].append(change)
        for (table, day), changes in files.items():
            name = f"changes/table={table}/date={day}/{batch.place}.parquet"
            async with self._aws.calling(S3):
                await self._aws.s3.put_object(Bucket=self._bucket, Key=name, Body=parquet_of(table, changes))


def parquet_of(table: str, changes: Sequence[Change]) -> bytes:
    """A file of changes of one table. One that is not listed here, as another release may tell, has its rows in `_rest`."""
    schema = SCHEMAS.get(table) or pyarrow.schema(ABOUT)
    rows = [_row(schema, each) for each in changes]
    file = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(rows, schema), file, compression="zstd")
    return file.getvalue()


def _row(schema: pyarrow.Schema, change: Change) -> dict[str, Any]:
    """Of a row that went the key alone. What another release told otherwise is kept as it came."""
    told = change.key if change.after is None else change.after
    row: dict[str, Any] = {}
    rest: dict[str, Value] = {}
    for name, value in told.items():
        index = schema.get_field_index(name)
        fits, typed = (False, None) if index < 0 else _typed(value, schema.field(index).type)
        if fits:
            row[name] = typed
        else:
            rest[name] = value
    about = {
        "_op": change.operation.value,
        "_position": change.position,
        "_transaction": change.transaction,
        "_at": change.at,
        "_rest": orjson.dumps(rest).decode() if rest else None,
    }
    return row | about


def _typed(value: Value, type_: pyarrow.DataType) -> tuple[bool, Any]:
    """Whether a value is of a column's type, and how it is written there."""
    if value is None:
        return True, None
    if type_ == MOMENT:
        try:
            return True, datetime.fromisoformat(str(value))
        except ValueError:
            return False, None
    if type_ == WHOLE:
        return type(value) is int and -(2**63) <= value < 2**63, value
    return isinstance(value, bool if type_ == FLAG else str), value
