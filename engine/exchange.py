"""What goes between transports and the executor: requests, operations that may run, answers."""

from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql import DocumentNode, OperationDefinitionNode

from engine.errors import BAD_REQUEST, TIMEOUT, UNAVAILABLE
from engine.fairness.allowance import Admission
from engine.reading.documents import Document


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks for, whichever transport brought it."""

    query: str
    """Empty where the document is named by `document_id` alone."""
    variables: dict[str, Any] | None = None
    operation_name: str | None = None
    document_id: str | None = None
    """Of a trusted document, or the SHA-256 of an automatic persisted query."""
    wants_trace: bool = False
    """Whether the answer is to tell how it came about; it does where the viewer may know."""
    operation_id: str | None = None
    """By which its answers are told from others' on one stream."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; `ran` tells whether execution began, on which the HTTP status depends. `status` where it is settled."""

    body: dict[str, Any]
    ran: bool
    headers: dict[str, str] = field(default_factory=dict)
    status: int | None = None
    written: bytes | None = None
    """The body as JSON, where it was written already."""

    @property
    def json(self) -> Any:
        """What orjson writes the body from."""
        return self.body if self.written is None else orjson.Fragment(self.written)


@dataclass(frozen=True, slots=True)
class Ready:
    """An operation that may run: paid for, and with a context that knows what it asks for."""

    request: Request
    document: Document
    node: DocumentNode
    operation: OperationDefinitionNode
    cost: int
    admission: Admission
    context: Any


class NotAllowedByGet(Exception):
    """A mutation came by GET, which must change nothing."""


def timed_out(timeout_s: float) -> dict[str, Any]:
    return {"message": f"The operation took longer than {timeout_s:g} s.", "extensions": {"code": TIMEOUT}}


def busy() -> Answer:
    error = {
        "message": "Too many large documents or descriptions of the schema at once: try again.",
        "extensions": {"code": UNAVAILABLE, "retryable": True},
    }
    return Answer({"errors": [error]}, ran=False, status=503)


def invalid(message: str, code: str = BAD_REQUEST) -> Answer:
    """An answer to a request that is not GraphQL over HTTP."""
    return Answer({"errors": [{"message": message, "extensions": {"code": code}}]}, ran=False)
