"""Worker loops on a test's own sandbox, and what Stripe tells as the gateway takes it in."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from adapters.postgres.database import Database
from adapters.postgres.payments import PostgresPaymentEvents
from adapters.stripe.webhooks import StripeWebhooks
from composition.paying import PaymentTools, open_payment_tools, run_payments
from domain.payments.service import PaymentEvents
from domain.shared.clock import SystemClock
from infra.sandbox.stripe.delivery import signature
from infra.worker import Stop
from settings import Settings
from tests.sandbox.running import KEY, Sandbox

PATIENCE_S = 90.0
Event = dict[str, Any]


@asynccontextmanager
async def tools_of(settings: Settings, sandbox: Sandbox, clock: Any) -> AsyncIterator[PaymentTools]:
    there = {"stripe_api_base": sandbox.url, "stripe_secret_key": KEY}
    ours = Settings(_env_file=None, **settings.model_dump() | there)
    async with open_payment_tools(ours, clock) as opened:
        yield opened


@asynccontextmanager
async def at_work(*tools: PaymentTools) -> AsyncIterator[None]:
    """Loops of as many workers."""
    stop = Stop()
    loops = [asyncio.create_task(run_payments(each, stop, PATIENCE_S)) for each in tools]
    yield
    stop.ask()
    await asyncio.gather(*loops)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await holds():
            await asyncio.sleep(0.02)


class Door:
    """Where the gateway takes in what Stripe sends."""

    def __init__(self, database: Database, secret: str) -> None:
        self._secret = secret
        self._receiving = PaymentEvents(StripeWebhooks(secret, SystemClock()), PostgresPaymentEvents(database))

    async def put_in(self, event: Event) -> None:
        body = json.dumps(event)
        signed = signature(body, self._secret, int(SystemClock().now().timestamp()))
        await self._receiving.receive(body.encode(), signed)


def told_of(sandbox: Sandbox, intent_id: str) -> list[Event]:
    """All events of Stripe's about an intent."""
    found = sandbox.get("/v1/events", limit=100).json()["data"]
    return [each for each in found if intent_id in json.dumps(each)]
