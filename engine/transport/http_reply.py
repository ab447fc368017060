"""Replies: what goes back over HTTP, written to ASGI by itself. A transport that streams brings a class of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Protocol

from starlette.types import Send

RawHeaders = list[tuple[bytes, bytes]]


class Reply(Protocol):
    """What a request is answered with."""

    async def write(self, send: Send) -> None: ...


@dataclass(frozen=True, slots=True)
class Whole:
    """A reply whose body is there."""

    status: int
    headers: RawHeaders
    body: bytes

    async def write(self, send: Send) -> None:
        headers = [*self.headers, (b"content-length", b"%d" % len(self.body))]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


def headers_of(media: str, status: int, own: Mapping[str, str]) -> RawHeaders:
    """The headers of an answer of a media type; `own` are those of this one, and win."""
    shared = _shared(media, status == HTTPStatus.UNAUTHORIZED)
    encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in own.items()]
    names = {name for name, _ in encoded}
    return [each for each in shared if each[0] not in names] + encoded


@lru_cache(maxsize=64)
def _shared(media: str, asks_for_bearer: bool) -> RawHeaders:
    # What an answer shows may be the viewer's own, and browsers get another answer at the same address.
    headers = [
        (b"content-type", (media if ";" in media else f"{media}; charset=utf-8").encode()),
        (b"cache-control", b"no-store"),
        (b"vary", b"Accept"),
    ]
    return [*headers, (b"www-authenticate", b"Bearer")] if asks_for_bearer else headers
