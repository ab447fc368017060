"""Logs as JSON lines: when, what, for which trace and operation.

What clients send and what people own must not get into a log. Nothing is masked by what it looks like: an exception is told
by its type, and its text is written only where the type is known to carry nothing of the kind.
"""

import asyncio
import logging
import os
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

import orjson
from redis.exceptions import ConnectionError as RedisGone
from redis.exceptions import TimeoutError as RedisSlow
from sqlalchemy.exc import DBAPIError

from domain.shared.refusals import Refusal
from engine.watching.trace import operation_name, trace_id

MAX_FRAMES = 40
log = logging.getLogger("torii.loop")
TEXT_IS_HARMLESS = (OSError, TimeoutError, ImportError, RedisGone, RedisSlow)
"""Exceptions whose text the system writes about itself: addresses of back ends, names of files and modules."""


OURS = ("torii", "adapters", "infra")
"""Loggers that the level is for."""
SERVERS = ("uvicorn", "alembic")
"""Heard from info on: at debug uvicorn writes out the frames of WebSockets."""


def configure(level: str) -> None:
    """Send all logs of the process to standard error, a JSON object a line.

    Libraries are heard from warnings on, whatever the level: below, many write out requests and answers, headers and bodies,
    whole, and Stripe's what it was told of its errors.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    handler.addFilter(_is_no_access_log)
    chosen = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(level=max(chosen, logging.WARNING), handlers=[handler], force=True)
    for name in OURS:
        logging.getLogger(name).setLevel(chosen)
    for name in SERVERS:
        logging.getLogger(name).setLevel(max(chosen, logging.INFO))


def _is_no_access_log(record: logging.LogRecord) -> bool:
    """uvicorn tells of each WebSocket with the client's address and the query string."""
    return record.levelno > logging.INFO or f"uvicorn{os.sep}protocols" not in record.pathname


def log_stray(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """For what nobody awaited: asyncio's own handler would print the task, and with it the text of the exception."""
    error = context.get("exception")
    log.error("in the event loop: %s", context.get("message"), exc_info=error)


class JsonLines(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
        }
        if trace_id():
            line |= {"traceId": trace_id(), "operation": operation_name() or None}
        line |= getattr(record, "fields", {})
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = describe(record.exc_info[1])
        return orjson.dumps(line, default=_by_type).decode()


def _message(record: logging.LogRecord) -> str:
    """The text with its arguments; exceptions among them are described, not printed."""
    if not record.args:
        return str(record.msg)
    if isinstance(record.args, dict):
        return str(record.msg % record.args)
    return str(record.msg) % tuple(_named(each) if isinstance(each, BaseException) else each for each in record.args)


def _named(error: BaseException) -> str:
    told = describe(error)
    return f"{told['type']}: {told['text']}" if "text" in told else str(told["type"])


def describe(error: BaseException) -> dict[str, Any]:
    """An exception by its type, where it happened and what caused it: never what it was about."""
    told: dict[str, Any] = {"type": f"{type(error).__module__}.{type(error).__qualname__}"} | _details(error)
    frames = traceback.extract_tb(error.__traceback__)[-MAX_FRAMES:]
    if frames:
        told["stack"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    if isinstance(error, BaseExceptionGroup):
        told["errors"] = [describe(each) for each in error.exceptions[:5]]
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        told["cause"] = describe(cause)
    return told


def _details(error: BaseException) -> dict[str, Any]:
    if isinstance(error, DBAPIError):
        return _of_database(error.orig)
    response = getattr(error, "response", None)
    if isinstance(response, dict):  # botocore's: the text may repeat what was asked for, the code does not
        return {
            "code": str(response.get("Error", {}).get("Code", "")),
            "operation": getattr(error, "operation_name", ""),
        }
    if isinstance(error, Refusal):
        return {"code": error.code}
    return {"text": str(error)} if isinstance(error, TEXT_IS_HARMLESS) else {}


def _of_database(error: BaseException | None) -> dict[str, Any]:
    """SQLSTATE and names of the schema. The server's own text quotes the row ("Key (email)=(...) already exists")."""
    cause = error.__cause__ if error is not None else None
    names = ("sqlstate", "schema_name", "table_name", "column_name", "constraint_name")
    return {name: value for name in names for value in [getattr(cause or error, name, None)] if value}


def _by_type(value: object) -> str:
    return type(value).__name__
