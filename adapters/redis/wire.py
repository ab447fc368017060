"""One connection to Redis that all requests share: what is asked in one turn of the event loop goes in one write.

redis-py gives each call a connection for itself and takes five times the CPU of what is here, which the calls of every request would
pay. Addresses, passwords and certificates are still its own. Answers come in the order of the questions, so one that nobody waits
for any more is dropped when it comes.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar, cast

import hiredis
from redis.asyncio import ConnectionPool, SSLConnection
from redis.credentials import UsernamePasswordCredentialProvider

MAX_WAITING = 10_000
"""Answers that are still to come: whoever asks for more is refused at once."""

Word = bytes | str | int


class Link(asyncio.Protocol):
    """A connection, from its first byte to its last."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader()
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._unsent: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self.is_lost = False

    def ask(self, words: tuple[Word, ...]) -> asyncio.Future[Any]:
        """The answer to come; an error of Redis is an answer, too."""
        answer: asyncio.Future[Any] = self._loop.create_future()
        if self.is_lost or len(self._waiting) >= MAX_WAITING:
            answer.set_exception(ConnectionError("the connection to Redis is lost, or too many wait for it"))
            return answer
        if not self._unsent:
            self._loop.call_soon(self._send)
        self._unsent.append(hiredis.pack_command(words))  # type: ignore[arg-type]  # its stub knows one word alone
        self._waiting.append(answer)
        return answer

    def tell(self, *words: Word) -> None:
        """Send a command whose answer nobody waits for here: it comes to `unasked`."""
        if self._transport is not None and not self.is_lost:
            self._transport.write(hiredis.pack_command(words))  # type: ignore[arg-type]  # as above

    def unasked(self, answer: Any) -> None:
        """What came without a question that is waited for."""

    def lose(self) -> None:
        """Have nothing to do with it any more: whoever waits is told."""
        if self._transport is not None:
            self._transport.abort()
        self.connection_lost(None)

    def _send(self) -> None:
        if self._transport is not None and not self.is_lost:
            self._transport.write(b"".join(self._unsent))
        self._unsent.clear()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one without being of its class

    def data_received(self, data: bytes) -> None:
        try:
            self._reader.feed(data)
            while (answer := self._reader.gets()) is not False:
                if not self._waiting:
                    self.unasked(answer)
                elif not (waiting := self._waiting.popleft()).done():
                    waiting.set_result(answer)
        except hiredis.ProtocolError:
            self.lose()

    def connection_lost(self, _exc: Exception | None) -> None:
        self.is_lost = True
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_exception(ConnectionError("the connection to Redis was lost"))
                waiting.exception()  # it is no fault that nobody waits for it any more


L = TypeVar("L", bound=Link)


class Wire:
    """Opens the connection when it is first needed, and another where it was lost. `pool` is redis-py's, of the same server."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._link: Link | None = None
        self._opening: asyncio.Task[Link] | None = None

    async def call(self, *words: Word) -> Any:
        """What Redis answers. Raises OSError, and RedisError where it answers with an error."""
        link = self._link
        if link is None or link.is_lost:
            link = await self._opened()
        answer = await link.ask(words)
        if isinstance(answer, hiredis.ReplyError):
            raise answer
        return answer

    def lose(self) -> None:
        """Give the connection up: it is silent. The next call makes another."""
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
        if self._link is not None:
            self._link.lose()
            self._link = None

    async def _opened(self) -> Link:
        if self._opening is None or self._opening.done():
            self._opening = asyncio.create_task(self._open())
            self._opening.add_done_callback(_heard)
        return await asyncio.shield(self._opening)  # who gives up takes it from nobody else

    async def _open(self) -> Link:
        self._link = await self.opened(Link)
        return self._link

    async def opened(self, make: Callable[[], L]) -> L:
        """A connection of its own, to which Redis listens. Raises OSError, and RedisError where Redis lets nobody in."""
        options, loop = self._pool.connection_kwargs, asyncio.get_running_loop()
        link: L
        if "path" in options:
            _, link = await loop.create_unix_connection(make, options["path"])
        else:
            host, port = options.get("host", "localhost"), options.get("port", 6379)
            _, link = await loop.create_connection(make, host, port, ssl=self._certificates())
        try:
            for words in await self._greeting(options):
                answer = await link.ask(words)
                if isinstance(answer, hiredis.ReplyError):
                    raise answer
        except BaseException:
            link.lose()
            raise
        return link

    def _certificates(self) -> ssl.SSLContext | None:
        """What redis-py makes of the address's parameters; None where nothing is encrypted."""
        if not issubclass(self._pool.connection_class, SSLConnection):
            return None
        return self._pool.connection_class(**self._pool.connection_kwargs).ssl_context.get()

    @staticmethod
    async def _greeting(options: dict[str, Any]) -> list[tuple[Word, ...]]:
        """Asked for each connection: whoever provides credentials may give others by now."""
        number, provider = options.get("db"), options.get("credential_provider")
        if provider is None and (options.get("username") or options.get("password")):
            provider = UsernamePasswordCredentialProvider(options.get("username"), options.get("password"))
        known = [("AUTH", *await provider.get_credentials_async())] if provider is not None else []
        return [*known, *([("SELECT", int(number))] if number else [])]


def _heard(opening: asyncio.Task[Link]) -> None:
    """Take note of how it ended, also where nobody waits for it any more."""
    if not opening.cancelled():
        opening.exception()
