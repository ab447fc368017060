"""How often an operation asks each back end: the gateway runs in this process, and every call is counted where it leaves.

    python -m bench.lookups   < operations and variables as JSON   > Lookups as JSON

Statements are counted as the tests count them: by SQLAlchemy's `before_cursor_execute`, so that BEGIN and COMMIT are not among
them, and public reads where they are sent; commands of Redis and calls of AWS at the one method of their clients that all of
them pass through.
"""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import httpx
import msgspec
from aiobotocore.client import AioBaseClient
from redis.asyncio import Redis
from sqlalchemy import event
from sqlalchemy.engine import Engine

from adapters.postgres.reading import Reader
from adapters.redis.wire import Wire
from bench.generator import OPERATIONS
from bench.operations import DYNAMODB, KINDS, REDIS, SQL, STATES, Lookups, Operation, Variables
from gateway import create_app
from infra.backends import running_backends
from settings import Settings
from settings import loading as configuration

IN_STEP_WITHIN_S = 10.0

PROBE = Operation("categories", lambda _: None, "{ categories { name } }")
"""Asks Redis for the category tree as soon as the cache is in use."""


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """The calls that leave this process meanwhile."""
    calls: Counter[str] = Counter()

    def statement(*_: Any) -> None:
        calls[SQL] += 1

    def counting(kind: str, method: Any) -> Any:
        def call(self: Any, *arguments: Any, **named: Any) -> Any:
            calls[kind] += 1
            return method(self, *arguments, **named)

        return call

    event.listen(Engine, "before_cursor_execute", statement)
    try:
        with (
            patch.object(Reader, "rows", counting(SQL, Reader.rows)),
            patch.object(Redis, "execute_command", counting(REDIS, Redis.execute_command)),
            patch.object(Wire, "call", counting(REDIS, Wire.call)),
            patch.object(AioBaseClient, "_make_api_call", counting(DYNAMODB, AioBaseClient._make_api_call)),
        ):
            yield calls
    finally:
        event.remove(Engine, "before_cursor_execute", statement)


async def count(settings: Settings, asked: Mapping[str, Variables]) -> Lookups:
    """Calls of each operation on an empty cache, then on a warm one, by a gateway that has just started.

    Empties the cache of the back ends that `settings` name.
    """
    app = create_app(settings)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://bench") as http,
        Redis.from_url(settings.redis_url.get_secret_value()) as redis,
    ):
        await _until_in_step(http)
        found = {}
        for name, variables in asked.items():
            await redis.flushdb()
            found[name] = {state: await _calls(http, OPERATIONS[name], variables) for state in STATES}
        return found


async def _calls(http: httpx.AsyncClient, operation: Operation, variables: Variables) -> dict[str, int]:
    with counted() as calls:
        answer = await http.post(
            "/graphql", content=operation.body(variables), headers={"content-type": "application/json"}
        )
    operation.check(answer.content)
    return {kind: calls[kind] for kind in KINDS}


async def _until_in_step(http: httpx.AsyncClient) -> None:
    """The gateway uses its cache only once it hears of changes, which is a moment after it started."""
    deadline = time.monotonic() + IN_STEP_WITHIN_S
    while not (await _calls(http, PROBE, {}))[REDIS]:
        if time.monotonic() > deadline:
            raise TimeoutError("the gateway does not use its cache")
        await asyncio.sleep(0.02)


def main() -> None:
    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=dict[str, dict[str, str | None]])
    with running_backends(configuration.load()) as settings:
        lookups = asyncio.run(count(settings, asked))
    sys.stdout.buffer.write(msgspec.json.encode(lookups))


if __name__ == "__main__":
    main()
