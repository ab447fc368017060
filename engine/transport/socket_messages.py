"""The messages of graphql-transport-ws, read from a client and written to it.

Source: enisdenjo/graphql-ws, PROTOCOL.md (the sub-protocol `graphql-transport-ws`).
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import orjson

from engine.errors import UNAUTHENTICATED, UNAVAILABLE
from engine.exchange import Answer, Request
from engine.fragments.rendered import written
from engine.transport import json_body
from engine.transport.http_request import BadRequest, checked

PROTOCOL = "graphql-transport-ws"
MAX_ID = 128
MAX_REASON_BYTES = 120
"""RFC 6455, 5.5.1: a close frame has room for 123 bytes beside its code."""


class Close(IntEnum):
    """Why a socket is closed. Those from 4400 are the protocol's own."""

    NORMAL = 1000
    POLICY = 1008
    RESTARTING = 1012
    TRY_AGAIN = 1013
    INVALID = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    PROTOCOL_NOT_ACCEPTED = 4406
    INIT_TIMEOUT = 4408
    ID_TAKEN = 4409
    TOO_MANY_INITS = 4429


class Closing(Exception):
    """The socket has to be closed, with this code and reason."""

    def __init__(self, code: Close, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason.encode()[:MAX_REASON_BYTES].decode("utf-8", "ignore")

    @property
    def error(self) -> dict[str, Any]:
        """The same as a GraphQL error, for streams that have no close codes."""
        if self.code is Close.RESTARTING:
            return {"message": self.reason, "extensions": {"code": UNAVAILABLE, "retryable": True}}
        return {"message": self.reason, "extensions": {"code": UNAUTHENTICATED}}


@dataclass(frozen=True, slots=True)
class Message:
    """What a client said. `id` and `request` are there where the kind of message has them."""

    kind: str
    id: str = ""
    payload: Any = None
    request: Request | None = None


def decode(text: str, max_values: int) -> Message:
    """A message of the protocol. Raises Closing(4400) for what is none."""
    try:
        sent = json_body.decode(text.encode(), max_values)
    except json_body.TooManyValues as error:
        raise _invalid(f"a message has at most {max_values} values") from error
    except orjson.JSONDecodeError as error:
        raise _invalid("a message is JSON") from error
    if not isinstance(sent, dict):
        raise _invalid("a message is an object")
    kind, payload = sent.get("type"), sent.get("payload")
    if kind in ("connection_init", "ping", "pong"):
        if payload is not None and not isinstance(payload, dict):
            raise _invalid(f"the payload of {kind} is an object")
        return Message(kind, payload=payload)
    if kind not in ("subscribe", "complete"):
        raise _invalid("there is no message of this type")
    id = sent.get("id")
    if not isinstance(id, str) or not 0 < len(id) <= MAX_ID:
        raise _invalid(f"an id is a string of 1 to {MAX_ID} characters")
    if kind == "complete":
        return Message(kind, id)
    try:
        return Message(kind, id, request=checked(payload))
    except BadRequest as error:
        raise _invalid(error.message) from error


def answer_of(id: str, answer: Answer) -> bytes:
    """`next` for what ran; `error` for what could not begin, which ends the operation."""
    if answer.ran:
        return encode({"type": "next", "id": id, "payload": answer.json})
    return encode({"type": "error", "id": id, "payload": answer.body["errors"]})


def encode(message: dict[str, Any]) -> bytes:
    return orjson.dumps(message, default=written)


def _invalid(problem: str) -> Closing:
    return Closing(Close.INVALID, problem)
