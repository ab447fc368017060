"""Changes as rows of Parquet files: typed columns, and nothing lost of what another release tells."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pyarrow
from pyarrow import dataset, parquet

from adapters.aws.lake import FLAG, MOMENT, SCHEMAS, TEXT, WHOLE, parquet_of
from domain.capture.model import CAPTURED, Change, Operation
from settings import Settings
from tests.postgres.shop import connect

AT = datetime(2026, 4, 1, 3, 30, tzinfo=UTC)
OF_THE_DATABASE = {
    "bigint": WHOLE,
    "integer": WHOLE,
    "smallint": WHOLE,
    "boolean": FLAG,
    "timestamp with time zone": MOMENT,
    "text": TEXT,
    "uuid": TEXT,
    "character": TEXT,
    "jsonb": TEXT,
}


def change(table: str = "catalog.brands", after: dict[str, Any] | None = None, **columns: Any) -> Change:
    return Change(table, Operation.UPDATE, {"id": "1"}, None, after or {"id": "1", **columns}, 7, 4711, AT)


def read(table: str, *changes: Change) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = parquet.read_table(io.BytesIO(parquet_of(table, changes))).to_pylist()
    return rows


async def test_columns_have_the_types_of_the_database(settings: Settings) -> None:
    connection = await connect(settings.database_owner_url.get_secret_value())
    rows = await connection.fetch(
        "SELECT table_schema || '.' || table_name AS name, column_name, data_type FROM information_schema.columns"
    )
    await connection.close()
    types = {(row["name"], row["column_name"]): row["data_type"] for row in rows}
    for table, listed in CAPTURED.items():
        for name in listed.split():
            type_ = types[table, name]
            assert SCHEMAS[table].field(name).type == OF_THE_DATABASE.get(type_, TEXT), f"{table}.{name} is {type_}"


def test_a_row_has_its_values_as_they_are() -> None:
    [row] = read("catalog.brands", change(name="藍窯", is_active=True, created_at="2026-04-01T03:30:15.123456Z"))
    assert (row["id"], row["name"], row["is_active"]) == ("1", "藍窯", True)
    assert row["created_at"] == datetime(2026, 4, 1, 3, 30, 15, 123456, tzinfo=UTC)
    assert (row["_op"], row["_position"], row["_transaction"], row["_at"], row["_rest"]) == ("u", 7, 4711, AT, None)


def test_of_a_row_that_went_there_is_its_key() -> None:
    gone = Change("catalog.brands", Operation.DELETE, {"id": "1"}, {"id": "1"}, None, 8, 4712, AT)
    [row] = read("catalog.brands", gone)
    assert (row["_op"], row["id"], row["name"]) == ("d", "1", None)


def test_what_another_release_tells_is_kept_as_it_came() -> None:
    told = change(name=5, is_active="yes", created_at="soon", motto="long", updated_at=None)
    [row] = read("catalog.brands", told)
    assert (row["name"], row["is_active"], row["created_at"], row["updated_at"]) == (None, None, None, None)
    assert orjson.loads(row["_rest"]) == {"name": 5, "is_active": "yes", "created_at": "soon", "motto": "long"}
    [row] = read("catalog.shelves", change("catalog.shelves", width=2))
    assert orjson.loads(row["_rest"]) == {"id": "1", "width": 2}


def test_files_of_before_a_column_came_are_read_with_those_of_after(tmp_path: Path) -> None:
    table = "catalog.brands"
    folder = tmp_path / f"changes/table={table}"
    (folder / "date=2026-04-01").mkdir(parents=True)
    (folder / "date=2026-04-01/new.parquet").write_bytes(parquet_of(table, [change(name="藍窯")]))
    older = parquet.read_table(io.BytesIO(parquet_of(table, [change(name="白窯")]))).drop_columns(["updated_at"])
    parquet.write_table(older, folder / "date=2026-04-01/old.parquet")
    schema = SCHEMAS[table].append(pyarrow.field("date", TEXT))
    found = dataset.dataset(folder, schema=schema, partitioning="hive").to_table().to_pylist()
    assert {(row["name"], row["updated_at"], row["date"]) for row in found} == {
        ("藍窯", None, "2026-04-01"),
        ("白窯", None, "2026-04-01"),
    }
