"""Waiting until a server answers its own protocol: an open port only says that someone listens."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from infra.embedded.process import POLL_S, Part
from infra.embedded.refusals import PartNotReady


async def until_ready(
    part: Part, answers: Callable[[], Awaitable[bool]], not_yet: tuple[type[Exception], ...], within_s: float
) -> None:
    """Ask until `answers` says yes. `not_yet` are the errors of a server that is still starting.

    Raises PartDied as soon as the process ends and PartNotReady after `within_s` seconds.
    """
    deadline = time.monotonic() + within_s
    last_error: Exception | None = None
    while time.monotonic() < deadline:
        part.raise_if_dead()
        try:
            if await answers():
                return
        except not_yet as error:
            last_error = error
        await asyncio.sleep(POLL_S)
    raise PartNotReady(part.name, within_s, part.log) from last_error
