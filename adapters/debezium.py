"""Changes as Debezium's PostgreSQL connector writes them, without schemas (`schemas.enable=false`).

Source: Debezium's documentation of its PostgreSQL connector, "Change event values"; `source.table` says whose row it is, since
all tables share one stream.
"""

from datetime import UTC, datetime
from typing import Any

import orjson

from domain.capture.model import Change, Operation

CONNECTOR = "postgresql"
NAME = "torii"
LONGEST = 1_000_000
"""Bytes of a record that a stream takes, its key included, a little rounded down."""
LEFT_OUT = "__torii_left_out"
"""In the place of a value that is too long for a record."""


class MalformedChange(Exception):
    """What is on the stream is no change of ours."""


def key_of(change: Change) -> str:
    """By which a row's changes stay in order."""
    return orjson.dumps({"table": change.table, **change.key}, option=orjson.OPT_SORT_KEYS).decode()[:256]


def record_of(change: Change) -> bytes:
    record = orjson.dumps(_envelope(change, dict(change.after) if change.after is not None else None))
    if len(record) <= LONGEST or change.after is None:
        return record
    short = {
        name: LEFT_OUT if isinstance(value, str) and len(value) > 1_000 else value
        for name, value in change.after.items()
    }
    return orjson.dumps(_envelope(change, short))


def _envelope(change: Change, after: dict[str, Any] | None) -> dict[str, Any]:
    schema, _, table = change.table.partition(".")
    ms = int(change.at.timestamp() * 1000)
    return {
        "before": None if change.before is None else dict(change.before),
        "after": after,
        "source": {
            "version": "1",
            "connector": CONNECTOR,
            "name": NAME,
            "ts_ms": ms,
            "snapshot": "true" if change.operation is Operation.READ else "false",
            "schema": schema,
            "table": table,
            "txId": change.transaction,
            "lsn": change.position,
            "key": dict(change.key),
        },
        "transaction": None,
        "op": change.operation.value,
        "ts_ms": ms,
    }


def change_of(record: bytes) -> Change:
    """Raises MalformedChange."""
    try:
        told = orjson.loads(record)
        source = told["source"]
        return Change(
            f"{source['schema']}.{source['table']}",
            Operation(told["op"]),
            source["key"],
            told["before"],
            told["after"],
            int(source["lsn"]),
            int(source["txId"]),
            datetime.fromtimestamp(source["ts_ms"] / 1000, UTC),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise MalformedChange from error
