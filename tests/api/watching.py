"""Events of orders, put out as a use case does, and watched as a client does."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from websockets.asyncio.client import ClientConnection

from adapters.postgres.database import Database
from adapters.postgres.events import put_out
from composition import pipeline
from composition.pipeline import open_event_tools, open_teller
from domain.shared.clock import SystemClock
from domain.shared.events import Event
from domain.shared.viewer import ANONYMOUS
from infra.worker import Stop
from resolvers.global_ids import encode
from settings import Settings

ORDER = """subscription ($id: ID!, $after: String) {
  orderStatusChanged(orderId: $id, after: $after) { cursor type orderStatus itemStatus order { status } }
}"""
SELLER = """subscription ($id: ID, $after: String) {
  sellerOrderItems(sellerId: $id, after: $after) { cursor type orderId itemStatus items { name } product { name } }
}"""


def order_event(order_id: UUID, kind: str = "OrderPaid", status: str = "processing", **told: Any) -> Event:
    return Event(
        kind, "order", order_id, {"orderId": str(order_id), "orderStatus": status, **told}, f"order/{order_id}"
    )


def seller_event(seller_id: UUID, kind: str = "OrderItemShipped", **told: Any) -> Event:
    return Event(kind, "seller", seller_id, told, f"seller/{seller_id}")


class Outlet:
    """Puts events out, as the worker role."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, *events: Event) -> None:
        """In one transaction."""
        async with self._database.transaction(ANONYMOUS) as connection:
            await put_out(connection, events)

    @asynccontextmanager
    async def late(self, *events: Event) -> AsyncIterator[None]:
        """In a transaction that goes on for the block."""
        async with self._database.transaction(ANONYMOUS) as connection:
            await put_out(connection, events)
            yield


@asynccontextmanager
async def telling(settings: Settings) -> AsyncIterator[None]:
    """Those who watch are told by a worker, for the block."""
    stop = Stop()
    async with open_event_tools(settings, SystemClock()) as tools, open_teller(tools) as teller:
        loop = asyncio.create_task(pipeline.telling(tools, teller, stop).run())
        try:
            yield
        finally:
            stop.ask()
            await loop


async def watch(socket: ClientConnection, query: str, variables: dict[str, Any], id: str = "1") -> None:
    await socket.send(json.dumps({"type": "subscribe", "id": id, "payload": {"query": query, "variables": variables}}))


async def watch_order(socket: ClientConnection, order: UUID, after: str | None = None, id: str = "1") -> None:
    await watch(socket, ORDER, {"id": encode("Order", order), "after": after}, id)


async def message(socket: ClientConnection, within_s: float = 20) -> dict[str, Any]:
    """The next one, pings aside."""
    while True:
        told: dict[str, Any] = json.loads(await asyncio.wait_for(socket.recv(), within_s))
        if told["type"] != "ping":
            return told


async def told(socket: ClientConnection) -> Any:
    """What the next event shows."""
    found = await message(socket)
    assert found["type"] == "next", found
    assert "errors" not in found["payload"], found
    [shown] = found["payload"]["data"].values()
    return shown


async def refused(socket: ClientConnection) -> str:
    """The code with which a subscription ends."""
    found = await message(socket)
    [error] = found["payload"]["errors"] if found["type"] == "next" else found["payload"]
    code: str = error["extensions"]["code"]
    return code


async def types(socket: ClientConnection, count: int) -> Sequence[str]:
    return [(await told(socket))["type"] for _ in range(count)]
