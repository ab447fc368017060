"""Logs: a JSON object a line, told apart by trace and operation, and silent about what exceptions were about."""

import asyncio
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from adapters.postgres.database import Database
from domain.shared.refusals import NotFound
from engine.watching.trace import name_operation, traced
from infra.logs import JsonLines, log_stray
from settings import Settings

SECRET = "taro@example.jp"


class Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.written: list[str] = []
        self.setFormatter(JsonLines())

    def emit(self, record: logging.LogRecord) -> None:
        self.written.append(self.format(record))

    @property
    def last(self) -> dict[str, Any]:
        line: dict[str, Any] = json.loads(self.written[-1])
        return line


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler = Lines()
    log = logging.getLogger("torii")
    log.addHandler(handler)
    yield handler
    log.removeHandler(handler)


log = logging.getLogger("torii.tests")


def test_a_line_names_its_trace_and_operation(lines: Lines) -> None:
    with traced("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"):
        name_operation("Feed")
        log.warning("slow: %d ms", 812)
    assert lines.last | {"time": ""} == {
        "time": "",
        "level": "warning",
        "logger": "torii.tests",
        "message": "slow: 812 ms",
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "operation": "Feed",
    }


@pytest.mark.parametrize("sent", [None, "", "garbage", "00-" + "0" * 32 + "-b7ad6b7169203331-01", "x" * 10_000])
def test_a_trace_id_that_is_none_is_replaced(lines: Lines, sent: str | None) -> None:
    with traced(sent):
        log.warning("here")
    assert len(lines.last["traceId"]) == 32
    assert set(lines.last["traceId"]) != {"0"}


def test_outside_of_requests_there_is_no_trace(lines: Lines) -> None:
    log.warning("alone")
    assert "traceId" not in lines.last


def test_a_line_break_in_what_a_client_sent_makes_no_second_line(lines: Lines) -> None:
    with traced(None):
        name_operation('a\n{"level":"info"}')
        log.warning("one\ntwo")
    assert "\n" not in lines.written[-1]


def test_what_an_exception_says_is_not_written(lines: Lines) -> None:
    try:
        raise ValueError(f"no such user {SECRET}") from NotFound(f"nor {SECRET}")
    except ValueError:
        log.exception("failed")
    assert SECRET not in lines.written[-1]
    assert lines.last["error"]["type"] == "builtins.ValueError"
    assert lines.last["error"]["cause"] == {"type": "domain.shared.refusals.NotFound", "code": "NOT_FOUND"}
    assert "test_logs.py" in lines.last["error"]["stack"][-1]


def test_an_exception_among_the_arguments_is_not_printed(lines: Lines) -> None:
    log.warning("lost: %r (%s)", ValueError(SECRET), ConnectionRefusedError("127.0.0.1:1"))
    assert SECRET not in lines.written[-1]
    assert "127.0.0.1:1" in lines.last["message"]


def test_a_group_of_exceptions_is_told_one_by_one(lines: Lines) -> None:
    log.error("all", exc_info=ExceptionGroup(SECRET, [ValueError(SECRET), KeyError(SECRET)]))
    assert SECRET not in lines.written[-1]
    assert [each["type"] for each in lines.last["error"]["errors"]] == ["builtins.ValueError", "builtins.KeyError"]


async def test_the_database_is_told_by_names_and_not_by_its_row(lines: Lines, settings: Settings) -> None:
    database = Database(settings.database_url.get_secret_value(), pool_size=1, timeout_ms=5_000)
    try:
        with pytest.raises(DBAPIError) as failed:
            await database.public(text("SELECT CAST(:value AS uuid)"), {"value": SECRET})
    finally:
        await database.close()
    assert "SQL parameters hidden" in str(failed.value)  # for whoever prints it all the same
    assert SECRET not in str(failed.value)
    log.error("unexpected", exc_info=failed.value)
    assert SECRET not in lines.written[-1]


async def test_what_nobody_awaited_is_told_without_its_text(lines: Lines) -> None:
    async def fails() -> None:
        raise ValueError(SECRET)

    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    loop.set_exception_handler(log_stray)
    try:
        task = asyncio.create_task(fails())
        await asyncio.wait({task})
        loop.call_exception_handler({"message": "never retrieved", "exception": task.exception(), "future": task})
    finally:
        loop.set_exception_handler(before)
    assert SECRET not in lines.written[-1]
    assert lines.last["error"]["type"] == "builtins.ValueError"
