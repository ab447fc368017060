"""The activity lake: changes as Parquet files in S3, by table and day."""

import io
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC

import orjson
import pyarrow
from pyarrow import parquet

from adapters.aws.clients import S3, Aws
from domain.capture.model import Change
from domain.capture.ports import ReadBatch

SCHEMA = pyarrow.schema(
    [
        ("op", pyarrow.string()),
        ("key", pyarrow.string()),
        ("position", pyarrow.int64()),
        ("transaction", pyarrow.int64()),
        ("at", pyarrow.timestamp("us", "UTC")),
        ("row", pyarrow.string()),
    ]
)
"""`key` and `row` are JSON; `row` is null where it went. The newest state of a row has the highest `position`."""


class S3Lake:
    """A consumer. A file is named by where its batch begins on the stream, so that a batch that comes twice, however long it is
    then, takes its own place: rows may come twice where it was cut shorter, and are known by key and position."""

    name = "lake"

    def __init__(self, aws: Aws, bucket: str) -> None:
        self._aws = aws
        self._bucket = bucket

    async def consume(self, batch: ReadBatch) -> None:
        """Raises Unavailable."""
        files: dict[str, list[Change]] = defaultdict(list)
        for change in batch.changes:
            day = change.at.astimezone(UTC).date().isoformat()
            files[f"changes/table={change.table}/date={day}/{batch.place}.parquet"].append(change)
        for name, changes in files.items():
            async with self._aws.calling(S3):
                await self._aws.s3.put_object(Bucket=self._bucket, Key=name, Body=parquet_of(changes))


def parquet_of(changes: Sequence[Change]) -> bytes:
    rows = [
        {
            "op": each.operation.value,
            "key": orjson.dumps(dict(each.key)).decode(),
            "position": each.position,
            "transaction": each.transaction,
            "at": each.at,
            "row": None if each.after is None else orjson.dumps(dict(each.after)).decode(),
        }
        for each in changes
    ]
    file = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(rows, SCHEMA), file, compression="zstd")
    return file.getvalue()
