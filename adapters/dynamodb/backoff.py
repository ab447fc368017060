"""Waiting before another try."""

import asyncio
import random

ATTEMPTS = 6
FIRST_WAIT_S = 0.01


async def back_off(attempt: int) -> None:
    """Wait after try number `attempt` (from 0): up to 10 ms, doubling; 0.3 s at most over ATTEMPTS tries.

    Anything up to that is as likely, so that those who lost together do not meet again.
    """
    await asyncio.sleep(random.uniform(0, FIRST_WAIT_S * 2**attempt))
