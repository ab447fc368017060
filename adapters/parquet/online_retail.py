"""A sheet of UCI "Online Retail II" as a Parquet file."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow import parquet

from domain.imports.ports import UnreadableFile
from domain.imports.rows import Row

COLUMNS = ("Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID", "Country")
"""The sheet's columns, in the order of Row."""

BATCH_ROWS = 10_000
MAX_ROWS = 5_000_000
"""Ten times the real file. Its sales are held in memory until the last row is read, at about 130 bytes each."""


class OnlineRetailFile:
    """Opens the file and looks at its columns. Raises UnreadableFile, which says what is wrong."""

    def __init__(self, path: Path) -> None:
        self._path = path
        if path.is_dir():  # pyarrow calls it damaged
            raise UnreadableFile(f"{path} is a folder: name the Parquet file in it")
        with _refusing(path):
            self._file = parquet.ParquetFile(path)
            columns, self._rows = self._file.schema_arrow.names, self._file.metadata.num_rows
        missing = [name for name in COLUMNS if columns.count(name) != 1]
        if missing:
            raise UnreadableFile(f"{path} needs each of these columns once: {', '.join(missing)}")
        if self._rows > MAX_ROWS:
            raise UnreadableFile(f"{path} has {self._rows:,} rows: more than {MAX_ROWS:,} are not imported at once")

    @property
    def row_count(self) -> int:
        return int(self._rows)

    def batches(self) -> Iterator[Sequence[Row]]:
        """Raises UnreadableFile where a page of the file is damaged."""
        with _refusing(self._path):
            for batch in self._file.iter_batches(BATCH_ROWS, columns=list(COLUMNS)):
                columns = [_values(batch.column(name)) for name in COLUMNS]
                yield [Row._make(values) for values in zip(*columns, strict=True)]


def _values(column: Any) -> list[object]:
    if pyarrow.types.is_timestamp(column.type):
        # Python's times end at microseconds
        column = column.cast(pyarrow.timestamp("us", column.type.tz), safe=False)
    values: list[object] = column.to_pylist()
    return values


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # pyarrow puts a file it cannot decode into the same class as one it cannot open, without a number
        reason = error.strerror if error.errno else f"it is damaged ({_first_line(error)})"
        raise UnreadableFile(f"cannot read {path}: {reason}") from error
    except (pyarrow.ArrowException, UnicodeDecodeError) as error:
        raise UnreadableFile(f"{path} is not a readable Parquet file: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0]
