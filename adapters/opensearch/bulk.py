"""Documents on their way to OpenSearch: in requests of bounded size, tried again while the server is busy, and whatever is
wrong with one of them costs the others nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from random import random
from typing import Any

import orjson
from opensearchpy.exceptions import TransportError

from adapters.opensearch.client import Client
from adapters.opensearch.documents import refusal, tombstone
from adapters.search_refusing import tell_refused
from domain.shared.ids import ProductId
from domain.shared.refusals import Unavailable

MOST_BYTES = 4_000_000
"""Of one request; a node takes 100 MB, and keeps all of it in memory meanwhile."""
MOST_DOCUMENTS = 500

PAUSES_S = (0.1, 0.4, 1.6, 6.4)
"""Before each further try, and up to as much again: then it is an outage."""

BUSY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
CONFLICT, NOT_FOUND = HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND
REFUSED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE})
"""What the server says to one document that it can never take as it is."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is to be kept of a product: JSON. `revision` and `fingerprint` are what stays of it where it is refused."""

    product_id: ProductId
    version: int
    json: bytes
    revision: int = 0
    fingerprint: int = 0

    @classmethod
    def gone(cls, product_id: ProductId, version: int) -> "Kept":
        return cls(product_id, version, orjson.dumps(tombstone(product_id)))

    def refused(self, reason: str) -> "Kept":
        """What takes the place of it, told to who looks after the index."""
        tell_refused(self.product_id, reason)
        return replace(self, json=orjson.dumps(refusal(self.product_id, self.revision, self.fingerprint)))


class Bulk:
    """`pause` waits so many seconds."""

    def __init__(
        self, client: Client, timeout_s: float, pause: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        self._client = client
        self._timeout_s = timeout_s
        self._pause = pause

    async def send(self, target: str, documents: Sequence[Kept], refresh: str) -> list[int]:
        """The status of each: 200 or 201, a CONFLICT where a newer one is there, NOT_FOUND where there is no such alias, or the
        one that it was refused with. Raises Unavailable."""
        answers = await self._answers(target, documents, refresh)
        wrong = [number for number, each in enumerate(answers) if each["status"] in REFUSED]
        if wrong:
            left = [documents[number].refused(str(answers[number]["error"])) for number in wrong]
            for each in await self._answers(target, left, refresh):
                if each["status"] in REFUSED:
                    raise Unavailable("search") from RuntimeError(str(each["error"]))
        return [each["status"] for each in answers]

    async def _answers(self, target: str, documents: Sequence[Kept], refresh: str) -> list[Any]:
        """What the server said of each in the end. Raises Unavailable where one could not be written for a reason of its own."""
        answers: list[Any] = [None] * len(documents)
        waiting = list(range(len(documents)))
        for pause_s in (*PAUSES_S, None):
            given = await self._request(target, [documents[number] for number in waiting], refresh)
            for number, each in zip(waiting, given, strict=True):
                answers[number] = each
            waiting = [number for number in waiting if answers[number]["status"] in BUSY]
            if not waiting:
                break
            if pause_s is not None:
                await self._pause(pause_s * (1 + random()))
        for each in answers:
            if each["status"] >= HTTPStatus.BAD_REQUEST and each["status"] not in (CONFLICT, NOT_FOUND, *REFUSED):
                raise Unavailable("search") from RuntimeError(str(each["error"]))
        return answers

    async def _request(self, target: str, documents: Sequence[Kept], refresh: str) -> list[Any]:
        body = b"\n".join([line for each in documents for line in (_action(each), each.json)])
        params = {"refresh": refresh, "require_alias": "true"}
        async with self._client.working(self._timeout_s) as api:
            try:
                answer = await api.bulk(body=body, index=target, params=params)
            except TransportError as error:
                if error.status_code in BUSY:  # the whole of it
                    return [{"status": error.status_code, "error": error.error} for _ in documents]
                raise
        return [item["index"] for item in answer["items"]]


def requests(documents: Sequence[Kept]) -> Iterator[Sequence[Kept]]:
    """All of them in order, as many at once as one request may hold; one that is larger than that goes alone."""
    some: list[Kept] = []
    size = 0
    for each in documents:
        if some and (len(some) == MOST_DOCUMENTS or size + len(each.json) > MOST_BYTES):
            yield some
            some, size = [], 0
        some.append(each)
        size += len(each.json)
    if some:
        yield some


def _action(kept: Kept) -> bytes:
    meta = {"_id": str(kept.product_id), "version": kept.version, "version_type": "external_gte"}
    return orjson.dumps({"index": meta})
