"""Calls to Redis that end in time: a limit on each, never tried again, and none while Redis is known to be away."""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar, cast

from hiredis import HiredisError, ReplyError
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from adapters.breaker import Breaker
from adapters.redis.wire import Wire, Word
from domain.shared.refusals import Unavailable

T = TypeVar("T")
log = logging.getLogger("torii.redis")

PROBE_S = 0.9
"""How long health waits for Redis."""


class Missed(Exception):
    """Redis could not be asked."""


class UnknownScript(Missed):
    """Redis is there, and has not heard of the script."""


class Client(Redis):
    """redis-py's client, with a connection beside its pool for the calls that every request makes."""

    wire: Wire
    left_alone: set[asyncio.Future[Any]]
    """Calls that nobody may wait for any more, each until its own time limit."""

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """Close every connection. One that is being made would come after that, and stay open: it is waited for."""
        self.wire.lose()
        if self.left_alone:
            await asyncio.wait(self.left_alone)
        await super().aclose(close_connection_pool)


def connect(url: str, *, timeout_ms: int, max_connections: int = 50) -> Client:
    """A client whose every call ends within `timeout_ms` and is not tried again."""
    timeout_s = timeout_ms / 1000
    pool = BlockingConnectionPool.from_url(
        url,
        timeout=timeout_s,  # for a free connection
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        retry=Retry(NoBackoff(), 0),
        max_connections=max_connections,
    )
    client = cast("Client", Client.from_pool(pool))
    client.wire = Wire(pool)
    client.left_alone = set()
    return client


async def server_version(url: str) -> str:
    """The server's version, asked for on a connection of its own and with health's patience. Raises Unavailable.

    A cold process takes longer to connect than a request may wait.
    """
    probe = Redis.from_url(
        url,
        socket_timeout=PROBE_S,
        socket_connect_timeout=PROBE_S,
        retry=Retry(NoBackoff(), 0),
        single_connection_client=True,
    )
    try:
        info = await probe.info("server")
    except (RedisError, OSError, TimeoutError) as error:
        raise Unavailable("Redis") from error
    finally:
        await probe.aclose()
    return str(info.get("valkey_version") or info["redis_version"])


class Script:
    """One that runs in Redis, which knows it by its hash once it has run there."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


class RedisClient:
    """A client and the breaker that all its users share. Whoever calls goes through `ask`, or `call` where every request does."""

    def __init__(self, redis: Client, *, timeout_ms: int, breaker: Breaker | None = None) -> None:
        self.redis = redis
        self._timeout_s = timeout_ms / 1000
        self._breaker = breaker or Breaker()

    async def ask(self, call: Awaitable[T]) -> T:
        """What a call answers. Raises Missed."""
        if self._breaker.is_open:
            if asyncio.iscoroutine(call):
                call.close()
            raise Missed
        # Shielded: a redis-py call that is cancelled half-way can lose its connection to the pool for good, or swallow the
        # cancellation. Left alone it ends within its own socket timeout.
        asking = asyncio.ensure_future(call)
        self.redis.left_alone.add(asking)
        asking.add_done_callback(self.redis.left_alone.discard)
        asking.add_done_callback(_heard)
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await asyncio.shield(asking)
        except (RedisError, OSError, TimeoutError) as error:
            self._breaker.failed()
            log.warning("Redis skipped: %r", error)
            raise Missed from error
        self._breaker.succeeded()
        return answer

    async def call(self, *words: Word) -> Any:
        """What Redis answers to a command. Raises Missed, UnknownScript."""
        if self._breaker.is_open:
            raise Missed
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self.redis.wire.call(*words)
        except (HiredisError, RedisError, OSError, TimeoutError) as error:
            if isinstance(error, ReplyError) and str(error).startswith("NOSCRIPT"):
                self._breaker.succeeded()
                raise UnknownScript from error
            self._breaker.failed()
            if self._breaker.has_opened:
                self.redis.wire.lose()  # it may be one that nothing comes back on, and nobody would ever find out
            log.warning("Redis skipped: %r", error)
            raise Missed from error
        self._breaker.succeeded()
        return answer

    async def run(self, script: Script, keys: Sequence[Word], arguments: Sequence[Word]) -> Any:
        """What a script answers. Raises Missed."""
        try:
            return await self.call("EVALSHA", script.sha, len(keys), *keys, *arguments)
        except UnknownScript:
            pass
        return await self.call("EVAL", script.text, len(keys), *keys, *arguments)


def _heard(asking: asyncio.Future[Any]) -> None:
    """Take note of how a call ended that nobody waits for any more."""
    if not asking.cancelled():
        asking.exception()
