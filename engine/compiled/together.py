"""What one operation does side by side: coroutines, all of which come to an end before one's exception is raised.

So what they loaded is in the journal of the run, should graphql-core take over.
"""

import asyncio
from collections.abc import Awaitable, Coroutine, Iterable, Sequence
from contextvars import Context, copy_context
from typing import Any

from engine.fairness.resuming import resumed
from engine.loading import LEVEL

AGAIN = 100
"""Times that tasks are made at once, after one had to wait."""

Work = Coroutine[Any, Any, Any]


async def together(waited: Sequence[Work]) -> list[Any]:
    """What each gives, each but one in a task of its own. Raises what the first of those that failed has raised."""
    if len(waited) < 2:
        return [await each for each in waited]
    *others, last = waited
    around = LEVEL.set(object())
    loop = asyncio.get_running_loop()
    begun = [loop.create_task(each) for each in others]
    try:
        own = await ended(last)  # a task less
        return _sound([*[await ended(each) for each in begun], own])
    except BaseException:  # given up
        for each in begun:
            each.cancel()
        raise
    finally:
        LEVEL.reset(around)


class Together:
    """The same, of one place of a plan: without tasks, one after the other, for as long as none of them has to wait.

    A task costs some microseconds and a round of the event loop. Where one did wait, tasks are made at once the next times, so that all
    begin in one round, and what they ask of a back end in it goes there together.
    """

    def __init__(self) -> None:
        self._left = 0
        """Times that tasks are made at once."""

    async def all(self, waited: Sequence[Work]) -> list[Any]:
        """As `together`. Those after the first that waits go on in tasks."""
        if self._left or len(waited) < 2:
            self._left = max(0, self._left - 1)
            return await together(waited)
        around = LEVEL.set(object())
        context = copy_context()  # as none of them has changed it
        came: list[Any] = []
        rest = iter(waited)
        try:
            for each in rest:
                try:
                    waits_for = each.send(None)
                except StopIteration as end:
                    came.append(end.value)
                except Exception as error:  # noqa: BLE001  (as in `ended`)
                    came.append(error)
                else:
                    came += await self._in_tasks(ended(resumed(each, waits_for)), rest, context)
            return _sound(came)
        except BaseException:  # given up
            for each in rest:
                each.close()
            raise
        finally:
            LEVEL.reset(around)

    async def _in_tasks(self, first: Awaitable[Any], rest: Iterable[Work], context: Context) -> list[Any]:
        self._left = AGAIN
        loop = asyncio.get_running_loop()
        begun = [loop.create_task(each, context=context.copy()) for each in rest]
        try:
            return [await first, *[await ended(each) for each in begun]]
        except BaseException:  # given up
            for task in begun:
                task.cancel()
            raise


async def ended(result: Awaitable[Any]) -> Any:
    """What an awaitable comes to, an exception included."""
    try:
        return await result
    except Exception as error:  # noqa: BLE001  (it is told where it belongs, once the others have ended)
        return error


def _sound(came: list[Any]) -> list[Any]:
    for each in came:
        if isinstance(each, Exception):
            raise each
    return came
