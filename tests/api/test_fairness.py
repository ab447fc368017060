"""One greedy address beside a polite one: it takes its turns, and its sockets and operations are so many."""

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from settings import Settings
from tests.api import test_rate_limits as rates
from tests.api.sockets import PROTOCOL, begin
from tests.api.sockets import serving as on_socket

GREEDY = 40
POLITE = "{ products(first: 3) { nodes { id name } } }"
WITHIN_S = 1.0
"""What the polite one waits at most for each of its answers, on a machine that runs other tests beside."""


def heavy(number: int) -> str:
    """Nine statements, none of them like another's."""
    pages = (
        f"a{n}: products(first: 50, filter: {{ price: {{ max: {9_000_000 + n * 100 + number} }} }}) {{ nodes {{ id name description }} }}"
        for n in range(9)
    )
    return f"{{ {' '.join(pages)} }}"


async def test_a_polite_client_waits_for_its_turn_and_not_for_all_that_a_greedy_one_asked(prepared: Settings) -> None:
    async with rates.serving(prepared, database_pool_size=2, rate_requests_burst=10_000) as app:
        greedy, polite = rates.client(app, rates.somewhere()), rates.client(app, rates.somewhere())
        await polite.data(POLITE)
        asked = [asyncio.create_task(greedy.post(heavy(number))) for number in range(GREEDY)]
        await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        took = []
        for _ in range(5):
            began = time.monotonic()
            await polite.data(POLITE)
            took.append(time.monotonic() - began)
        still_waiting = sum(not task.done() for task in asked)
        answers = await asyncio.gather(*asked)
        assert {answer.status_code for answer in answers} == {200}
        assert still_waiting > GREEDY / 2, "five answers took less than half of the greedy one's forty"
        assert min(took) < WITHIN_S


async def test_so_many_sockets_of_one_address_are_open_and_no_more(prepared: Settings) -> None:
    async with sockets_of(prepared, websockets_per_address=3) as (stack, open_one):
        for _ in range(3):
            last = await stack.enter_async_context(open_one())
            await begin(last)
        with pytest.raises(InvalidStatus) as refused:
            await open_one()
        assert refused.value.response.status_code == 429
        assert refused.value.response.headers["retry-after"] == "10"
        assert b"RATE_LIMITED" in (refused.value.response.body or b"")
        await last.close()
        await begin(await stack.enter_async_context(await until_open(open_one)))


async def test_behind_a_trusted_proxy_the_sockets_of_its_clients_are_counted(prepared: Settings) -> None:
    few = {"websockets_per_address": 1, "connections_per_address": 1, "trusted_proxies": "127.0.0.0/8"}
    async with sockets_of(prepared, **few) as (stack, open_one):
        for client in range(30):
            await begin(await stack.enter_async_context(open_one(f"192.0.2.{client}")))
        with pytest.raises(InvalidStatus):
            await open_one("192.0.2.7")


async def test_a_thousand_sockets_of_one_machine_are_open_where_that_is_allowed(prepared: Settings) -> None:
    async with sockets_of(prepared, websockets_per_address=1_000) as (stack, open_one):
        opened = [await stack.enter_async_context(open_one()) for _ in range(1_000)]
        await begin(opened[0])
        await begin(opened[-1])


class sockets_of:  # noqa: N801  (used as a function)
    """A gateway on a real socket, and how to open a WebSocket to it, from an address that a proxy names."""

    def __init__(self, settings: Settings, **changes: Any) -> None:
        self._settings = settings.model_copy(update={"websocket_init_s": 60} | changes)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> tuple[AsyncExitStack, Any]:
        app = await self._stack.enter_async_context(rates.serving(self._settings))
        host = await self._stack.enter_async_context(on_socket(app, self._settings))

        def open_one(client: str | None = None) -> Any:
            headers = {"x-forwarded-for": client} if client else {}
            return connect(f"ws://{host}/graphql", subprotocols=[PROTOCOL], additional_headers=headers)  # type: ignore[list-item]

        return await self._stack.enter_async_context(AsyncExitStack()), open_one

    async def __aexit__(self, *error: Any) -> None:
        await self._stack.aclose()


async def until_open(open_one: Any) -> Any:
    """Once the gateway has noticed that one was closed."""
    async with asyncio.timeout(60):
        while True:
            opening = open_one()
            try:
                return await opening
            except InvalidStatus:
                await asyncio.sleep(0.01)
