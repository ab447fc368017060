"""A gateway and a worker as they are, whose every back end is reached by a relay that can bring about what goes wrong."""

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import asyncpg
import httpx
import redis.asyncio
from pydantic import SecretStr
from sqlalchemy.pool import QueuePool

from adapters.postgres.reading import Reader
from composition.paying import run_payments
from composition.periodic import JOBS, Tools, open_tools, runs_of
from composition.pipeline import run_events
from domain.shared.clock import SystemClock
from gateway import create_app
from infra.worker import Stop, Worker
from settings import STRIPE_WEBHOOKS, Settings
from tests.api.buying import Shopper, guest, pay
from tests.api.sockets import serving
from tests.api.test_killed_checkouts import BOUGHT, STOCK
from tests.factories import Factory, open_factory
from tests.relay import Relay, aws_service, relayed
from tests.sandbox.running import KEY, Sandbox

LIMITS = (
    "database_timeout_ms",
    "redis_timeout_ms",
    "dynamodb_timeout_ms",
    "cognito_timeout_ms",
    "query_timeout_ms",
    "stripe_timeout_ms",
    "events_timeout_ms",
)
JOBS_OF_ORDERS = ("expire-orders", "check-payments")
GRACE_S = 30.0


@dataclass(frozen=True, slots=True)
class BackEnd:
    """One that is to fail: behind which relay, and its name there where that leads to several."""

    relay: Relay
    service: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    """The marketplace, and the ways to it and behind it that nothing goes wrong with."""

    settings: Settings
    http: httpx.AsyncClient
    make: Factory
    connection: Any
    sandbox: Sandbox
    back_ends: Mapping[str, BackEnd]

    async def buyer(self) -> "Buyer":
        """Somebody with a full cart and a quote; a busy machine may take several tries."""
        product = await self.make.product(base_price=1980, stock_quantity=STOCK)
        async with asyncio.timeout(60):
            while True:
                shopper = guest(self.http)
                try:
                    await shopper.add(product, BOUGHT)
                    return Buyer(self, shopper, product, await shopper.input())
                except (AssertionError, TypeError):  # an answer with errors
                    await asyncio.sleep(0.1)


@dataclass(slots=True)
class Buyer:
    running: Running
    shopper: Shopper
    product: UUID
    given: dict[str, Any]

    async def buy(self) -> bool:
        """The same checkout once more, and the payment where it is asked for; whether the order is paid."""
        answer = await self.shopper.client.answer(CHECKOUT, input=self.given)
        outcome = ((answer.get("data") or {}).get("checkout") or {}).get("checkout") or {}
        if outcome.get("clientSecret"):
            stripe = self.running.settings.model_copy(update={"stripe_api_base": self.running.sandbox.url})
            await pay(stripe, outcome["clientSecret"])
        return outcome.get("__typename") == "CheckoutSucceeded"

    async def has_empty_cart(self) -> bool:
        """What the worker's consumer of the paid order brings about."""
        answer = await self.shopper.client.answer("{ cart { totalQuantity } }")
        return bool(answer.get("data") and answer["data"]["cart"] == {"totalQuantity": 0})


CHECKOUT = """
mutation ($input: CheckoutInput!) { checkout(input: $input) {
  checkout { __typename ... on CheckoutActionRequired { clientSecret } }
  userErrors { code retryable }
} }
"""


@asynccontextmanager
async def running(prepared: Settings, sandbox: Sandbox, patience: int = 1) -> AsyncIterator[Running]:
    """On the back ends of `prepared`, with the limits that a marketplace has by itself, or so many times as long ones."""
    database, worker = prepared.database_url.get_secret_value(), prepared.database_worker_url.get_secret_value()
    async with AsyncExitStack() as stack:
        postgres, _ = await stack.enter_async_context(relayed(database))
        cache, redis_url = await stack.enter_async_context(relayed(prepared.redis_url.get_secret_value()))
        aws, aws_url = await stack.enter_async_context(relayed(f"{prepared.aws_endpoint_url}/", aws_service))
        stripe, stripe_url = await stack.enter_async_context(relayed(f"{sandbox.url}/"))
        port = database.rsplit(":", 1)[1].split("/")[0]
        settings = prepared.model_copy(
            update={
                **{name: patience * Settings.model_fields[name].default for name in LIMITS},
                "database_url": SecretStr(database.replace(f":{port}/", f":{postgres.port}/")),
                "database_worker_url": SecretStr(worker.replace(f":{port}/", f":{postgres.port}/")),
                "redis_url": SecretStr(redis_url),
                "aws_endpoint_url": aws_url,
                "stripe_api_base": stripe_url,
                "stripe_secret_key": SecretStr(KEY),
                "event_prefix": f"t{uuid4().hex[:12]}-",
                "mail_from": "",
            }
        )
        make = await stack.enter_async_context(open_factory(worker))
        connection = await asyncpg.connect(worker)
        stack.push_async_callback(connection.close)
        await connection.execute("DELETE FROM events.outbox")
        app = create_app(settings)
        await stack.enter_async_context(app.router.lifespan_context(app))
        host = await stack.enter_async_context(serving(app, settings))
        secret = settings.stripe_webhook_secret.get_secret_value()
        sandbox.post("/_sandbox/gateway", url=f"http://{host}{STRIPE_WEBHOOKS}", secret=secret)
        await stack.enter_async_context(_working(settings))
        http = httpx.AsyncClient(base_url=f"http://{host}", timeout=60, trust_env=False)
        await stack.enter_async_context(http)
        back_ends = {
            "stripe": BackEnd(stripe),
            "redis": BackEnd(cache),
            "dynamodb": BackEnd(aws, "dynamodb"),
            "sqs": BackEnd(aws, "sqs"),
            "eventbridge": BackEnd(aws, "events"),
            "cognito": BackEnd(aws, "cognito-idp"),
            "postgres": BackEnd(postgres),
        }
        yield Running(settings, http, make, connection, sandbox, back_ends)


@asynccontextmanager
async def _working(settings: Settings) -> AsyncIterator[None]:
    """A worker: events, payments, and the jobs that look after orders."""
    stop, clock = Stop(), SystemClock()
    async with open_tools(settings, clock) as tools:
        jobs = [job for job in JOBS if job.name in JOBS_OF_ORDERS]
        worker = Worker[Tools](jobs, tools, runs_of(tools), clock, stop)
        async with asyncio.TaskGroup() as together:
            together.create_task(worker.work(GRACE_S))
            together.create_task(run_events(tools.events, stop, GRACE_S))
            together.create_task(run_payments(tools.payments, stop, GRACE_S))
            try:
                yield
            finally:
                stop.ask()


def tasks() -> Counter[str]:
    """What runs in this process, by what it is; without who asks, and what the relays do."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    names = (getattr(task.get_coro(), "__qualname__", "?") for task in others)
    return Counter(name for name in names if not name.startswith("Relay."))


def connections_in_use() -> Counter[str]:
    """Connections that somebody has taken out of a pool, in all pools of this process, by the kind of pool."""
    found: Counter[str] = Counter()
    for each in gc.get_objects():
        kind = type(each)
        if issubclass(kind, aiohttp.BaseConnector):
            found["aiohttp"] += len(each._acquired)
        elif issubclass(kind, redis.asyncio.ConnectionPool):
            found["redis"] += len(each._in_use_connections)
        elif issubclass(kind, QueuePool):
            found["sqlalchemy"] += each.checkedout()
        elif issubclass(kind, Reader):
            found["reader"] += len(each._open) - len(each._idle)
    return found
