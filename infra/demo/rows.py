"""What the marketplace is written as: rows of tables, made only when they are asked for."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import Table

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """The rows of one table. `total` is how many there will be; both are called only when their turn comes."""

    table: Table
    columns: tuple[str, ...]
    rows: Callable[[], Iterable[Row]]
    total: Callable[[], int]

    @property
    def name(self) -> str:
        return self.table.name
