"""Whether those behind open sockets may still ask: looked at for all connections of a process together."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

from engine.transport.contexts import ContextRefused
from engine.transport.socket_messages import Close, Closing

C = TypeVar("C")
Verdict = str | ContextRefused | None
"""Why a context is no longer good; ContextRefused where that cannot be told now; None where all is well."""
StillAllowed = Callable[[Sequence[C]], Awaitable[Sequence[Verdict]]]
"""The verdict on each context, all of them looked up together."""

WATCH_EVERY_S = 0.4
"""What may be asked half a second late by then closes a socket within a second."""


async def always_allowed(contexts: Sequence[object]) -> Sequence[Verdict]:
    """For gateways whose contexts stay good."""
    return [None] * len(contexts)


class SocketWatch(Generic[C]):
    """The connections that are open, by what ends them. `watch` has to run as long as there are any."""

    def __init__(self, still_allowed: StillAllowed[C], every_s: float = WATCH_EVERY_S) -> None:
        self._still_allowed = still_allowed
        self._every_s = every_s
        self._open: dict[asyncio.Future[Closing], C] = {}

    @contextmanager
    def over(self, context: C) -> Iterator[asyncio.Future[Closing]]:
        """Watch over a connection's context within the block. The future says that and why it has to close."""
        ending: asyncio.Future[Closing] = asyncio.get_running_loop().create_future()
        self._open[ending] = context
        try:
            yield ending
        finally:
            del self._open[ending]
            ending.cancel()

    def end_all(self) -> None:
        """The process stops: whoever is connected does well to come again, to another."""
        for ending in list(self._open):
            if not ending.done():
                ending.set_result(Closing(Close.RESTARTING, "the server stops: connect again"))

    async def check(self, context: C) -> None:
        """Before anything is done or told under a context. Raises Closing where it is no longer good, ContextRefused."""
        [verdict] = await self._still_allowed([context])
        if isinstance(verdict, ContextRefused):
            raise verdict
        if verdict is not None:
            raise Closing(Close.FORBIDDEN, verdict)

    async def watch(self) -> None:
        """End those that are no longer good, for ever. Where that cannot be told they stay open: `check` lets nothing through."""
        while True:
            await asyncio.sleep(self._every_s)
            watched = dict(self._open)
            if not watched:
                continue
            verdicts = await self._still_allowed(list(watched.values()))
            for ending, verdict in zip(watched, verdicts, strict=True):
                if isinstance(verdict, str) and not ending.done():
                    ending.set_result(Closing(Close.FORBIDDEN, verdict))
