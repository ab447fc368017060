"""The connection to Redis that all requests share: answers find those who asked, however the connection fares."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import uvloop
from hiredis import ReplyError
from redis.asyncio import ConnectionPool
from redis.credentials import CredentialProvider

from adapters.redis.client import Missed, RedisClient, Script, connect
from adapters.redis.wire import MAX_WAITING, Wire
from settings import Settings
from tests.relay import Relay, relayed

LIMIT_MS = 200
TIMES_TO_OPEN = 5
NAME = "rotating"


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[RedisClient]:
    redis = connect(settings.redis_url.get_secret_value(), timeout_ms=5_000)
    yield RedisClient(redis, timeout_ms=5_000)
    await redis.aclose()


@pytest.fixture
async def frozen(settings: Settings) -> AsyncIterator[tuple[Relay, RedisClient]]:
    async with relayed(settings.redis_url.get_secret_value()) as (relay, url):
        redis = connect(url, timeout_ms=LIMIT_MS)
        yield relay, RedisClient(redis, timeout_ms=LIMIT_MS)
        await redis.aclose()


async def test_each_of_a_crowd_gets_its_own_answer(client: RedisClient) -> None:
    words = [uuid4().hex for _ in range(500)]
    assert await asyncio.gather(*(client.call("ECHO", word) for word in words)) == [word.encode() for word in words]


async def test_who_gives_up_leaves_the_answers_of_the_others_in_their_order(client: RedisClient) -> None:
    asking = [asyncio.create_task(client.call("ECHO", str(number))) for number in range(20)]
    await asyncio.sleep(0)
    for task in asking[::2]:
        task.cancel()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert answers[1::2] == [str(number).encode() for number in range(1, 20, 2)]


async def test_an_error_is_its_askers_alone(client: RedisClient) -> None:
    wrong, right = await asyncio.gather(
        client.call("NO-SUCH-COMMAND"), client.call("ECHO", "here"), return_exceptions=True
    )
    assert isinstance(wrong, Missed)
    assert isinstance(wrong.__cause__, ReplyError)
    assert right == b"here"


async def test_a_script_runs_also_where_redis_has_never_seen_it(
    client: RedisClient, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(8):  # more than the breaker bears of failures: none of these is one
        script = Script(f"return '{uuid4()}' .. '{number}'")
        with caplog.at_level(logging.WARNING, "torii.redis"):
            assert (await client.run(script, (), ())).endswith(str(number).encode())
            assert await client.run(script, (), ())
    assert caplog.records == []


async def test_a_connection_that_was_cut_is_replaced(client: RedisClient) -> None:
    killed = client.call("CLIENT", "KILL", "ID", int(await client.call("CLIENT", "ID")), "SKIPME", "no")
    await asyncio.gather(killed, return_exceptions=True)
    async with asyncio.timeout(60):
        while True:  # whoever asked in the moment of the cut was missed
            try:
                assert await client.call("ECHO", "again") == b"again"
            except Missed:
                continue
            break


async def test_a_silent_connection_costs_each_call_its_limit_and_is_given_up(
    frozen: tuple[Relay, RedisClient],
) -> None:
    relay, client = frozen
    assert await client.call("ECHO", "before") == b"before"
    relay.flowing.clear()
    for _ in range(TIMES_TO_OPEN):
        with pytest.raises(Missed):
            await client.call("ECHO", "lost")
    relay.flowing.set()
    assert await client.redis.wire.call("ECHO", "after") == b"after"  # and not what was asked before


async def test_no_more_wait_than_there_is_room_for(frozen: tuple[Relay, RedisClient]) -> None:
    relay, client = frozen
    await client.call("ECHO", "before")
    relay.flowing.clear()
    asking = [asyncio.create_task(client.redis.wire.call("ECHO", "x")) for _ in range(MAX_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(ConnectionError):
        await client.redis.wire.call("ECHO", "one more")
    client.redis.wire.lose()
    assert {type(each) for each in await asyncio.gather(*asking, return_exceptions=True)} == {ConnectionError}


def test_it_works_on_the_event_loop_that_serves(settings: Settings) -> None:
    async def asked() -> object:
        redis = connect(settings.redis_url.get_secret_value(), timeout_ms=5_000)
        try:
            return await RedisClient(redis, timeout_ms=5_000).call("ECHO", "here")
        finally:
            await redis.aclose()

    assert uvloop.run(asked()) == b"here"


async def test_a_connection_that_is_still_being_made_is_closed_with_the_others(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_connect, connecting = asyncio.Event(), asyncio.Event()
    opened: list[asyncio.StreamWriter] = []
    open_connection = asyncio.open_connection

    async def slowly(*address: Any, **options: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        connecting.set()
        await may_connect.wait()
        reader, writer = await open_connection(*address, **options)
        opened.append(writer)
        return reader, writer

    monkeypatch.setattr(asyncio, "open_connection", slowly)
    redis = connect(settings.redis_url.get_secret_value(), timeout_ms=60_000)
    with pytest.raises(Missed):
        await RedisClient(redis, timeout_ms=1).ask(redis.get("x"))
    await connecting.wait()
    closing = asyncio.create_task(redis.aclose())
    await asyncio.sleep(0)
    may_connect.set()
    await closing
    [writer] = opened
    assert writer.is_closing()


class Rotating(CredentialProvider):
    """A password that is another one for each connection."""

    def __init__(self) -> None:
        self.given: list[str] = []

    def get_credentials(self) -> tuple[str, str]:
        self.given.append(f"word-{len(self.given)}")
        return NAME, self.given[-1]


async def test_whoever_provides_credentials_is_asked_for_each_connection(
    client: RedisClient, settings: Settings
) -> None:
    rotating = Rotating()
    await client.call("ACL", "SETUSER", NAME, "on", ">word-0", ">word-1", "+@all", "~*")
    url = settings.redis_url.get_secret_value()
    async with ConnectionPool.from_url(url, credential_provider=rotating) as pool:
        wire = Wire(pool)
        for _ in range(2):
            assert await wire.call("ACL", "WHOAMI") == NAME.encode()
            wire.lose()
        with pytest.raises(ReplyError):
            await wire.call("ACL", "WHOAMI")  # word-2 is none of theirs
    assert len(rotating.given) == 3
    await client.call("ACL", "DELUSER", NAME)
