"""Jobs that run beside requests for as long as a process serves."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

log = logging.getLogger("torii.background")

AGAIN_S = 1.0

Job = Callable[[], Awaitable[None]]


@asynccontextmanager
async def running(job: Job, again_s: float = AGAIN_S) -> AsyncIterator[None]:
    """A job for as long as the block lasts. One that ends by itself is a fault: it is logged, and the job begins anew."""
    task = asyncio.create_task(_again_and_again(job, again_s))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _again_and_again(job: Job, again_s: float) -> None:
    while True:
        fault: Exception | None = None
        try:
            await job()
        except Exception as error:  # noqa: BLE001  (a fault ends here, logged: others wait for what the job does)
            fault = error
        log.critical("a background job ended by itself, and begins anew", exc_info=fault)
        await asyncio.sleep(again_s)
