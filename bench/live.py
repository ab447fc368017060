"""`python -m bench.live`: how long it takes from an event's commit to those who watch, with a thousand of them connected.

One gateway and one worker of a throwaway marketplace. Each subscriber has a WebSocket of its own and watches one order; they are
spread over so many orders, and events come at a steady pace, each of an order in turn. A time runs from
just before the transaction begins to the moment at which the subscriber's message has come, for each message of each subscriber.
"""

import asyncio
import itertools
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import orjson
import typer
import uvloop
from rich.console import Console
from sqlalchemy import select
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from adapters.cognito.pool import DEMO_PASSWORD
from adapters.postgres import tables
from adapters.postgres.database import Database
from adapters.postgres.events import put_out
from bench.torii import in_throwaway
from composition.cloud import token
from domain.shared.events import Event
from domain.shared.viewer import ANONYMOUS
from engine.transport.socket_messages import PROTOCOL
from infra.backends import load_settings, running_backends
from resolvers.global_ids import encode
from settings import Settings

ADMIN = "admin@example.com"
"""Who may watch any order, and so a different one on each socket."""
ORDER = "subscription ($id: ID!) { orderStatusChanged(orderId: $id) { cursor type occurredAt orderStatus } }"
AT_ONCE = 20
"""Sockets that are opened side by side."""
GOAL_MS = 1000.0
PATIENCE_S = 60.0

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


class Subscriber:
    """A WebSocket that watches one order, and how long each event took to it, in seconds."""

    def __init__(self, order: UUID, sent: Sequence[float]) -> None:
        """`sent`: when each event of the order was, in their order, which is the one in which they come."""
        self.order = order
        self.took: list[float] = []
        self._sent = sent
        self._socket: ClientConnection | None = None

    async def begin(self, url: str, bearer: str) -> None:
        self._socket = await connect(url, subprotocols=[Subprotocol(PROTOCOL)], compression=None, ping_interval=None)
        await self._say({"type": "connection_init", "payload": {"Authorization": f"Bearer {bearer}"}})
        await self._socket.recv()
        asked = {"query": ORDER, "variables": {"id": encode("Order", self.order)}}
        await self._say({"type": "subscribe", "id": "1", "payload": asked})
        assert (await self._event())["type"] == "CURRENT"

    async def listen(self, count: int) -> None:
        """Until so many events came."""
        for number in range(count):
            await self._event()
            self.took.append(time.monotonic() - self._sent[number])

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()

    async def _event(self) -> dict[str, Any]:
        assert self._socket is not None
        while True:
            message = orjson.loads(await self._socket.recv())
            if message["type"] == "next":
                shown: dict[str, Any] = message["payload"]["data"]["orderStatusChanged"]
                return shown

    async def _say(self, message: dict[str, Any]) -> None:
        assert self._socket is not None
        await self._socket.send(orjson.dumps(message).decode())


async def measure(settings: Settings, plan: "Plan") -> Sequence[float]:
    """Each time, in seconds, sorted."""
    database = Database(settings.database_worker_url.get_secret_value(), pool_size=4, timeout_ms=30_000)
    bearer = await token(settings, ADMIN, DEMO_PASSWORD)
    found = await database.fresh(select(tables.orders.c.id).order_by(tables.orders.c.id).limit(plan.orders))
    sent: dict[UUID, list[float]] = {row.id: [] for row in found}
    orders = itertools.islice(itertools.cycle(sent), plan.subscribers)
    watching = [Subscriber(order, sent[order]) for order in orders]
    url = f"ws://127.0.0.1:{settings.port}/graphql"
    for start in range(0, plan.subscribers, AT_ONCE):
        await asyncio.gather(*(each.begin(url, bearer) for each in watching[start : start + AT_ONCE]))
    async with asyncio.timeout(PATIENCE_S + plan.events / plan.per_second), asyncio.TaskGroup() as tasks:
        for each in watching:
            tasks.create_task(each.listen(plan.events // len(sent)))
        for order in itertools.islice(itertools.cycle(sent), plan.events // len(sent) * len(sent)):
            sent[order].append(time.monotonic())
            async with database.transaction(ANONYMOUS) as connection:
                told = {"orderId": str(order), "orderStatus": "processing"}
                await put_out(connection, [Event("OrderPaid", "order", order, told, f"order/{order}")])
            await asyncio.sleep(1 / plan.per_second)
    await asyncio.gather(*(each.close() for each in watching))
    await database.close()
    return sorted(itertools.chain.from_iterable(each.took for each in watching))


@dataclass(frozen=True, slots=True)
class Plan:
    subscribers: int
    orders: int
    events: int
    per_second: float


@app.command()
def main(
    subscribers: Annotated[int, typer.Option(min=1, max=4_000, help="How many are connected.")] = 1000,
    orders: Annotated[int, typer.Option(min=1, max=1000, help="Over how many orders they are spread, at most.")] = 1000,
    events: Annotated[int, typer.Option(min=1, max=100_000, help="How many happen.")] = 1000,
    per_second: Annotated[float, typer.Option(min=0.1, max=1000, help="At most.")] = 20,
    goal_ms: Annotated[float, typer.Option(min=1, help="What the 99th of a hundred has to stay below.")] = GOAL_MS,
    here: Annotated[bool, typer.Option(help="In the marketplace that runs, instead of a throwaway one.")] = False,
) -> None:
    """Status 1 where the 99th of a hundred takes as long as the goal, or longer."""
    console = Console(highlight=False, soft_wrap=True)
    if not here:
        raise typer.Exit(in_throwaway("bench.live", 600, sys.argv[1:]))
    with running_backends(load_settings(), must_run=True) as settings:
        took = uvloop.run(measure(settings, Plan(subscribers, orders, events, per_second)))
    shown = ", ".join(f"p{each} {at(took, each) * 1000:.0f}" for each in (50, 95, 99))
    console.print(f"{len(took):,} messages to {subscribers:,} subscribers: {shown}, most {took[-1] * 1000:.0f} ms")
    if at(took, 99) * 1000 >= goal_ms:
        raise typer.Exit(1)


def at(took: Sequence[float], percent: int) -> float:
    return took[min(len(took) * percent // 100, len(took) - 1)]


if __name__ == "__main__":
    app()
