from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from adapters.parquet.online_retail import COLUMNS, OnlineRetailFile
from domain.imports.ports import UnreadableFile
from domain.imports.rows import entry_of
from tests.imports.invoice_rows import GOOD, SAMPLE, file_of, sample_table, table_of


def refusal(path: Path) -> str:
    with pytest.raises(UnreadableFile) as refused:
        for _ in OnlineRetailFile(path).batches():
            pass
    assert "\n" not in refused.value.message
    assert str(path) in refused.value.message
    return refused.value.message


def test_batches_hold_every_row_in_order() -> None:
    file = OnlineRetailFile(SAMPLE)
    rows = [row for batch in file.batches() for row in batch]
    assert len(rows) == file.row_count
    assert [row.invoice for row in rows] == sample_table()["Invoice"].to_pylist()


def test_times_and_codes_may_be_typed_columns(tmp_path: Path) -> None:
    table = table_of([GOOD])
    times = pyarrow.array(["2009-12-01 07:45:00"]).cast(pyarrow.timestamp("ns"))
    table = table.set_column(4, "InvoiceDate", times).set_column(0, "Invoice", pyarrow.array([489434]))
    ((row,),) = file_of(table, tmp_path / "typed.parquet").batches()
    assert entry_of(row) == entry_of(GOOD)


def test_folder_is_called_a_folder(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"{tmp_path} is a folder: name the Parquet file in it"


def test_missing_file_is_refused(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "nothing.parquet")


def test_folder_is_refused(tmp_path: Path) -> None:
    refusal(tmp_path)


def test_file_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sheet.parquet"
    path.write_text("Invoice,StockCode\n1,2\n" * 100)
    assert "not a readable Parquet file" in refusal(path)


def test_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.parquet"
    path.touch()
    refusal(path)


def test_file_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "short.parquet"
    path.write_bytes(SAMPLE.read_bytes()[:-1000])
    refusal(path)


def test_damaged_page_is_refused(tmp_path: Path) -> None:
    whole = bytearray(SAMPLE.read_bytes())
    whole[200:4000] = b"\xff" * 3800
    path = tmp_path / "damaged.parquet"
    path.write_bytes(whole)
    refusal(path)


def test_missing_columns_are_named(tmp_path: Path) -> None:
    path = tmp_path / "other.parquet"
    parquet.write_table(sample_table().drop_columns(["Price"]).rename_columns({"Customer ID": "CustomerID"}), path)
    assert "Price, Customer ID" in refusal(path)


def test_sheet_without_rows_is_readable(tmp_path: Path) -> None:
    file = file_of(sample_table().slice(0, 0), tmp_path / "none.parquet")
    assert file.row_count == 0
    assert [row for batch in file.batches() for row in batch] == []


def test_more_columns_than_needed_do_no_harm(tmp_path: Path) -> None:
    table = (
        sample_table().append_column("Extra", pyarrow.nulls(sample_table().num_rows)).select(["Extra", *COLUMNS[::-1]])
    )
    file = file_of(table, tmp_path / "more.parquet")
    assert next(file.batches())[0] == next(OnlineRetailFile(SAMPLE).batches())[0]
