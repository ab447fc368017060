"""Which operation a piece of work belongs to: a trace id, and the operation's name once it is known.

Kept in a context variable, so that whatever runs for an operation can be told by them, tasks that it starts included.
"""

import re
import secrets
from contextvars import ContextVar, Token
from types import TracebackType

TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?", re.ASCII)
"""W3C Trace Context, section 3.2."""
MAX_NAME = 64
MAX_TRACEPARENT = 256


class traced:  # noqa: N801  (used as a function is)
    """Around a request: its trace goes on with the id that the caller's header has, else with a new one.

    Neither is worked out before somebody asks: most requests write no line in the log.
    """

    __slots__ = ("_before", "_id", "_sent", "operation")

    def __init__(self, traceparent: str | None) -> None:
        self._sent = traceparent
        self._id = ""
        self.operation = ""
        self._before: Token[traced | None] | None = None

    @property
    def id(self) -> str:
        if not self._id:
            sent = self._sent
            found = TRACEPARENT.fullmatch(sent) if sent and len(sent) <= MAX_TRACEPARENT else None
            self._id = found[1] if found else secrets.token_hex(16)
        return self._id

    def __enter__(self) -> None:
        self._before = _present.set(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._before is not None
        _present.reset(self._before)


_present: ContextVar[traced | None] = ContextVar("trace", default=None)


def name_operation(name: str | None) -> None:
    """From here on it is this operation; a client may call its operation anything, at any length."""
    present = _present.get()
    if present is not None:
        present.operation = (name or "")[:MAX_NAME]


def trace_id() -> str:
    """Thirty-two hexadecimal digits; empty outside of requests."""
    present = _present.get()
    return present.id if present else ""


def operation_name() -> str:
    present = _present.get()
    return present.operation if present else ""
