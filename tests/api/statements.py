"""Counts the statements that are sent to PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from sqlalchemy import event
from sqlalchemy.engine import Engine

from adapters.postgres.reading import Prepared, Reader


@contextmanager
def counted(*, standings: bool = False) -> Iterator[list[str]]:
    """The statements that are sent to PostgreSQL meanwhile.

    `standings`: with those that ask how a user stands, of which there is one each half second, whatever is asked.
    """
    statements: list[str] = []

    rows = Reader.rows

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if standings or "accounts.standings" not in statement:
            statements.append(statement)

    async def noted(reader: Reader, prepared: Prepared, given: Any) -> Any:
        note(None, None, prepared.text)
        return await rows(reader, prepared, given)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        with patch.object(Reader, "rows", noted):
            yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)
