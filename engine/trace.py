"""Which operation a piece of work belongs to: a trace id, and the operation's name once it is known.

Kept in context variables, so that whatever runs for an operation can be told by them, tasks that it starts included.
"""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?", re.ASCII)
"""W3C Trace Context, section 3.2."""
MAX_NAME = 64

_trace_id: ContextVar[str] = ContextVar("trace_id", default="")
_operation: ContextVar[str] = ContextVar("operation", default="")


@contextmanager
def traced(traceparent: str | None) -> Iterator[None]:
    """A request: its trace goes on with the id that the caller's header has, else with a new one."""
    sent = TRACEPARENT.fullmatch(traceparent) if traceparent and len(traceparent) <= 256 else None
    token = _trace_id.set(sent[1] if sent else secrets.token_hex(16))
    named = _operation.set("")
    try:
        yield
    finally:
        _trace_id.reset(token)
        _operation.reset(named)


def name_operation(name: str | None) -> None:
    """From here on it is this operation; a client may call its operation anything, at any length."""
    _operation.set((name or "")[:MAX_NAME])


def trace_id() -> str:
    """Thirty-two hexadecimal digits; empty outside of requests."""
    return _trace_id.get()


def operation_name() -> str:
    return _operation.get()
