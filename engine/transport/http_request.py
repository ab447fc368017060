"""An HTTP request read as GraphQL over HTTP (draft of the GraphQL Foundation), and what it will accept as an answer."""

import asyncio
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.types import Receive

from engine.exchange import Request
from engine.fairness.resuming import in_time
from engine.reading.bounds import Limits
from engine.transport.accepting import JSON
from engine.transport.asked import Asked
from engine.transport.json_body import TooManyValues, decode

CODES = {
    400: "BAD_REQUEST",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    408: "REQUEST_TIMEOUT",
    409: "CONFLICT",
    413: "REQUEST_SIZE_LIMIT_EXCEEDED",
    414: "URL_SIZE_LIMIT_EXCEEDED",
    415: "UNSUPPORTED_MEDIA_TYPE",
}
"""`extensions.code` of a request that is not read as an operation, by its status."""


ONE = "Send one operation, as a JSON object."
IDENTITY = "identity"
MAX_DIGITS = 18
MAX_ID = 256
UNREAD = frozenset([405, 413, 415])
"""With which a request is answered before all of its body has come."""
PAUSE_S, LET_BY_S, LET_BY_BYTES = 0.05, 1.0, 16 * 1024 * 1024
"""What is let by of such a body: until nothing comes for a moment, for so long, and so much of it, at most."""


class BadRequest(Exception):
    """The request is not GraphQL over HTTP. Carries the status to answer with."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}


async def read(asked: Asked, receive: Receive, limits: Limits) -> Request:
    """The operation a request asks for. Raises BadRequest."""
    sent = await read_any(asked, receive, limits)
    return sent if isinstance(sent, Request) else checked(sent)


async def read_any(asked: Asked, receive: Receive, limits: Limits) -> Request | list[Any]:
    """The same, or what a batch has in it, not yet looked at. Raises BadRequest."""
    if asked.method == "GET":
        return _from_query_string(asked, limits)
    if asked.method != "POST":
        raise BadRequest(405, "GraphQL takes GET and POST.", {"allow": "GET, POST"})
    content = asked.header(b"content-type") or ""
    if content != JSON:
        media, _, parameters = content.lower().partition(";")
        if media.strip() != JSON:
            raise BadRequest(415, f"Send the operation as {JSON}.", {"accept": JSON})
        charset = parameters.partition("charset=")[2].split(";")[0].strip().strip('"')
        if charset not in ("", "utf-8", "utf8"):
            raise BadRequest(415, "Send the operation in UTF-8.")
    if (asked.header(b"content-encoding") or IDENTITY).lower() != IDENTITY:
        raise BadRequest(415, "Send the body as it is, without compressing it.", {"accept-encoding": IDENTITY})
    sent = decoded(await body_of(asked, receive, limits.body_bytes, limits.body_s), limits, "The body")
    return sent if isinstance(sent, list) else checked(sent)


async def body_of(asked: Asked, receive: Receive, most: int, within_s: float) -> bytes:
    """The body, of so many bytes at most, once it came within so many seconds. Raises BadRequest."""
    announced = asked.header(b"content-length") or ""
    if announced.isdecimal() and (len(announced) > MAX_DIGITS or int(announced) > most):
        raise _too_large(most)
    try:
        return await in_time(_received(receive, most), asyncio.get_running_loop().time() + within_s)
    except TimeoutError as error:
        raise BadRequest(408, f"The body did not come within {within_s:g} s.") from error


async def _received(receive: Receive, most: int) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadRequest(400, "The body ended early.")
        chunk = message.get("body", b"")
        if len(body) + len(chunk) > most:
            raise _too_large(most)
        body += chunk
        if not message.get("more_body", False):
            return bytes(body)


async def let_by(asked: Asked, receive: Receive) -> None:
    """Take what a client still sends of a body that is not read, which is dropped.

    Many read the answer when they have sent all, and a connection that ends with bytes unread is reset: they would not be told.
    """
    if asked.header(b"expect"):  # it sends when it is told to
        return
    loop = asyncio.get_running_loop()
    end, came = loop.time() + LET_BY_S, 0
    while came < LET_BY_BYTES and (now := loop.time()) < end:
        try:
            async with asyncio.timeout_at(min(end, now + PAUSE_S)):
                message = await receive()
        except TimeoutError:
            return
        if not message.get("more_body", False):
            return
        came += len(message.get("body", b""))


def _too_large(most: int) -> BadRequest:
    return BadRequest(413, f"The body is larger than {most} bytes.")


def decoded(text: bytes, limits: Limits, what: str) -> Any:
    """JSON that a client sent. Raises BadRequest."""
    try:
        return decode(text, limits.json_values)
    except TooManyValues as error:
        raise BadRequest(413, f"{what} has more than {limits.json_values} values.") from error
    except orjson.JSONDecodeError as error:
        raise BadRequest(400, f"{what} is not JSON: {error}.") from error


def _from_query_string(asked: Asked, limits: Limits) -> Request:
    query: bytes = asked.scope["query_string"]
    if len(query) > limits.url_bytes:
        raise BadRequest(414, f"The query string is longer than {limits.url_bytes} bytes: send the operation by POST.")
    try:
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=20)
    except ValueError as error:
        raise BadRequest(400, "The address has too many parameters.") from error
    sent: dict[str, Any] = dict(pairs)
    if len(sent) < len(pairs):  # which of two would count is another question to each who reads it on the way
        raise BadRequest(400, "The address has a parameter twice.")
    for name in ("variables", "extensions"):
        if sent.get(name):
            sent[name] = decoded(sent[name].encode(), limits, name)
        else:
            sent.pop(name, None)
    return checked({name: value for name, value in sent.items() if value != ""})


def checked(sent: Any) -> Request:
    """The operation in a decoded body. Raises BadRequest."""
    if not isinstance(sent, dict):
        raise BadRequest(400, ONE)
    document_id = _document_id(sent)
    query = sent.get("query") or ("" if document_id else None)
    if not isinstance(query, str) or not (query.strip() or document_id):
        raise BadRequest(400, "query must be a string.")
    name, variables = sent.get("operationName"), sent.get("variables")
    if name is not None and not isinstance(name, str):
        raise BadRequest(400, "operationName must be a string.")
    if variables is not None and not isinstance(variables, dict):
        raise BadRequest(400, "variables must be an object.")
    extensions = sent.get("extensions") or {}
    operation_id = extensions.get("operationId")
    if operation_id is not None and not isinstance(operation_id, str):
        raise BadRequest(400, "extensions.operationId must be a string.")
    return Request(query, variables, name, document_id, extensions.get("trace") is True, operation_id)


def _document_id(sent: dict[str, Any]) -> str | None:
    """What names the document: `documentId`, or the hash of an automatic persisted query. Raises BadRequest."""
    extensions = sent.get("extensions")
    if extensions is not None and not isinstance(extensions, dict):
        raise BadRequest(400, "extensions must be an object.")
    persisted = (extensions or {}).get("persistedQuery")
    if persisted is not None and not (isinstance(persisted, dict) and persisted.get("version", 1) == 1):
        raise BadRequest(400, "persistedQuery must be an object of version 1.")
    id = sent.get("documentId")
    if id is None or id == "":
        id = (persisted or {}).get("sha256Hash")
    if persisted is not None and id is None:
        raise BadRequest(400, "persistedQuery needs a sha256Hash.")
    if id is not None and not (isinstance(id, str) and len(id) <= MAX_ID):
        raise BadRequest(400, f"A document's id is a string of at most {MAX_ID} characters.")
    return id
