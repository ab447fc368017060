"""Transactions that are run once more when another's took something from under them, which is nobody's fault."""

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError

P = ParamSpec("P")
T = TypeVar("T")
TRIES = 3
DEADLOCK, SERIALIZATION = "40P01", "40001"
UNIQUE, FOREIGN_KEY, CHECK = "23505", "23503", "23514"


def state_of(error: DBAPIError) -> str:
    """PostgreSQL's code of what went wrong, as its manual lists them in appendix A; empty where the server said nothing."""
    return getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None) or ""


async def again_where_it_helps(
    attempt: Callable[[], Awaitable[T]], helps: Callable[[DBAPIError], bool] = lambda _: False
) -> T:
    """What `attempt` gives, which is one whole transaction: run anew after a deadlock, a failed serialization, and what `helps`.

    Nothing of an attempt that failed is left, so that whatever it decided is decided anew. Raises whatever the last one does.
    """
    for _ in range(TRIES - 1):
        try:
            return await attempt()
        except DBAPIError as error:
            if state_of(error) not in (DEADLOCK, SERIALIZATION) and not helps(error):
                raise
    return await attempt()


def retried(transaction: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """The same of a method that is one whole transaction."""

    @wraps(transaction)
    async def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return await again_where_it_helps(lambda: transaction(*args, **kwargs))

    return run
