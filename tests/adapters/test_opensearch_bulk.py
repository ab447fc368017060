"""Documents on their way to OpenSearch, past a server that is busy, or will not have one of them."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from aiohttp import web

from adapters.opensearch.bulk import MOST_BYTES, MOST_DOCUMENTS, PAUSES_S, Bulk, Kept, requests
from adapters.opensearch.client import Client
from domain.shared.refusals import Unavailable
from tests.adapters.test_opensearch_client import server
from tests.contract.search_shop import product

Answer = Callable[[str, int], int]
"""The status of a document, by its id and how often it was sent."""


class Shelf:
    """A server that keeps what it says it keeps. `whole` are the statuses of its first answers, past which it looks at each."""

    def __init__(self, answer: Answer, whole: Sequence[int] = ()) -> None:
        self.kept: dict[str, Any] = {}
        self.sent: dict[str, int] = {}
        self.requests = 0
        self._answer = answer
        self._whole = list(whole)

    async def answer(self, request: web.Request) -> web.Response:
        self.requests += 1
        lines = [json.loads(each) for each in (await request.text()).splitlines()]
        if self._whole:
            return web.json_response({"error": "busy"}, status=self._whole.pop(0))
        return web.json_response({"items": [self._item(*lines[at : at + 2]) for at in range(0, len(lines), 2)]})

    def _item(self, action: dict[str, Any], kept: dict[str, Any]) -> dict[str, Any]:
        id = action["index"]["_id"]
        self.sent[id] = self.sent.get(id, 0) + 1
        status = self._answer(id, self.sent[id])
        if status >= 400:
            return {"index": {"_id": id, "status": status, "error": {"type": "no"}}}
        self.kept[id] = kept
        return {"index": {"_id": id, "status": status}}


@asynccontextmanager
async def bulk(shelf: Shelf) -> AsyncIterator[tuple[Bulk, list[float]]]:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    async with server(shelf.answer) as url:
        client = Client(url, 10_000)
        yield Bulk(client, 10.0, pause), pauses
        await client.close()


def kept(number: int) -> Kept:
    return Kept(product(number), 1, orjson.dumps({"name": f"急須 {number}"}), revision=7, fingerprint=number)


async def test_those_that_a_busy_server_put_off_are_sent_again_and_no_others() -> None:
    late = str(product(2))
    shelf = Shelf(lambda id, time: 429 if id == late and time < 3 else 201)
    async with bulk(shelf) as (sending, pauses):
        assert await sending.send("products", [kept(number) for number in range(4)], "false") == [201] * 4
    assert shelf.sent == {str(product(number)): 3 if number == 2 else 1 for number in range(4)}
    assert [limit <= pause <= 2 * limit for limit, pause in zip(PAUSES_S, pauses, strict=False)] == [True, True]


@pytest.mark.parametrize("status", [429, 503])
async def test_a_request_that_was_put_off_is_sent_again(status: int) -> None:
    shelf = Shelf(lambda id, time: 201, whole=[status, status])
    async with bulk(shelf) as (sending, _):
        assert await sending.send("products", [kept(1), kept(2)], "false") == [201, 201]
    assert shelf.requests == 3


@pytest.mark.parametrize("status", [429, 503])
async def test_a_server_that_stays_busy_is_an_outage_after_some_tries(status: int) -> None:
    shelf = Shelf(lambda id, time: status)
    async with bulk(shelf) as (sending, pauses):
        with pytest.raises(Unavailable):
            await sending.send("products", [kept(1)], "false")
    assert (shelf.requests, len(pauses)) == (len(PAUSES_S) + 1, len(PAUSES_S))


async def test_an_error_of_the_server_s_own_is_an_outage_at_once() -> None:
    shelf = Shelf(lambda id, time: 500)
    async with bulk(shelf) as (sending, _):
        with pytest.raises(Unavailable):
            await sending.send("products", [kept(1)], "false")
    assert shelf.requests == 1


async def test_what_is_refused_leaves_a_tombstone_and_its_name_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    bad = str(product(1))
    shelf = Shelf(lambda id, time: 400 if id == bad and time == 1 else 201)
    async with bulk(shelf) as (sending, _):
        assert await sending.send("products", [kept(0), kept(1), kept(2)], "false") == [201, 400, 201]
    assert shelf.kept[bad] == {"id": bad, "public": False, "revision": 7, "fingerprint": 1}
    assert shelf.sent[str(product(0))] == 1
    [told] = [record for record in caplog.records if record.name == "torii.search"]
    assert told.fields["product"] == bad  # type: ignore[attr-defined]


async def test_a_server_that_refuses_even_tombstones_is_an_outage() -> None:
    shelf = Shelf(lambda id, time: 400)
    async with bulk(shelf) as (sending, _):
        with pytest.raises(Unavailable):
            await sending.send("products", [kept(1)], "false")
    assert shelf.requests == 2


def test_requests_are_bounded_by_bytes_and_by_count_and_hold_everything_once() -> None:
    large = [Kept(product(number), 1, b"x" * (MOST_BYTES // 3)) for number in range(7)]
    larger = Kept(product(7), 1, b"x" * (2 * MOST_BYTES))
    small = [Kept(product(number), 1, b"{}") for number in range(8, 8 + MOST_DOCUMENTS + 1)]
    everything = [*large, larger, *small]

    found = list(requests(everything))

    assert [each for some in found for each in some] == everything
    assert [len(some) for some in found] == [3, 3, 1, 1, MOST_DOCUMENTS, 1]
    assert list(requests([])) == []
