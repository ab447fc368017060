"""Gateway and worker killed with -9 at random points while people buy: nobody loses an order, or has two, or pays twice.

`KILLED_CHECKOUTS=200` makes it long, and has it say how far it is; `KILLED_SEED` makes it the same again.
"""

import asyncio
import itertools
import math
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import httpx
import pytest

from settings import STRIPE_WEBHOOKS, Settings
from tests.api.buying import Shopper, key_of
from tests.api.client import Client
from tests.factories import Factory
from tests.infra.running import ROOT, free_port
from tests.sandbox.running import KEY, Sandbox, running

CHECKOUTS = int(os.environ.get("KILLED_CHECKOUTS", "6"))
SEED = int(os.environ.get("KILLED_SEED", str(random.SystemRandom().randrange(10_000))))
AT_ONCE, STOCK, BOUGHT = 4, 5, 2
MOST_KILLS = CHECKOUTS
PATIENCE_S = 300.0
"""The longest that nothing goes forward: how long it all takes is the machine's."""
LONG, TELL_EVERY = 20, 10
PAUSE_S = 0.1
"""How long a client waits before it asks once more."""
TORII = "import sys, cli; sys.argv = ['torii', {command!r}]; cli.main()"

T = TypeVar("T")


class Program:
    """A gateway or a worker as a process, killed and started again."""

    def __init__(self, command: str, folder: Path, environment: dict[str, str]) -> None:
        self._command, self._folder, self._environment = command, folder, environment
        self._log = folder / f"{command}.log"
        self.kills = 0
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", TORII.format(command=self._command)],
                cwd=self._folder,
                env={**os.environ, **self._environment, "PYTHONPATH": str(ROOT)},
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """Returns when it is dead, and gives nobody a chance to give up the test's killer before it has started it again."""
        self.process.kill()
        self.process.wait()
        self.kills += 1

    def said(self) -> str:
        return self._log.read_text()[-4000:]


@dataclass(slots=True)
class Marketplace:
    """A gateway, a worker and a sandbox of this test's own, on the session's other back ends."""

    gateway: Program
    worker: Program
    sandbox: Sandbox
    url: str
    port: int
    steps: int = 0
    """Requests of shoppers that were answered, and waiting events that were done."""
    stepped: asyncio.Event = field(default_factory=asyncio.Event)
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def again_and_again(self, step: Callable[[], Awaitable[T]]) -> T:
        """What a client does whose answer does not come: the same once more."""
        while True:
            try:
                answer = await step()
            except httpx.TransportError:
                await self._listens()
            except Unanswered:
                await asyncio.sleep(PAUSE_S)
            else:
                self.steps += 1
                self.stepped.set()
                return answer

    async def _listens(self) -> None:
        """When the gateway is there again. One looks for all: they would take more of the machine than its start."""
        async with self._looking:
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(PAUSE_S)
                else:
                    writer.close()
                    await writer.wait_closed()
                    return

    def said(self) -> str:
        return f"{self.gateway.said()}\n{self.worker.said()}"


class Unanswered(Exception):
    """There was an answer, which asks to come again."""


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("stripe") / "data") as started:
        yield started


@pytest.fixture
async def marketplace(
    prepared: Settings, corner: dict[str, str], sandbox: Sandbox, tmp_path: Path
) -> AsyncIterator[Marketplace]:
    port = free_port()
    environment = corner | {
        "PORT": str(port),
        "TORII_COGNITO_USER_POOL_ID": prepared.cognito_user_pool_id,
        "TORII_COGNITO_CLIENT_ID": prepared.cognito_client_id,
        "TORII_STRIPE_API_BASE": sandbox.url,
        "TORII_STRIPE_SECRET_KEY": KEY,
        "TORII_RATE_LIMITS": "false",
        "TORII_DATABASE_TIMEOUT_MS": "10000",
        "TORII_DYNAMODB_TIMEOUT_MS": "10000",
        "TORII_QUERY_TIMEOUT_MS": "20000",
    }
    url = f"http://127.0.0.1:{port}"
    secret = prepared.stripe_webhook_secret.get_secret_value()
    sandbox.post("/_sandbox/gateway", url=f"{url}{STRIPE_WEBHOOKS}", secret=secret)
    programs = [Program(command, tmp_path, environment) for command in ("serve", "worker")]
    yield Marketplace(programs[0], programs[1], sandbox, url, port)
    for program in programs:
        program.kill()


@dataclass(slots=True)
class Buyer:
    """A guest with a full cart and a quote, and what they were told."""

    shopper: Shopper
    product: UUID
    given: dict[str, Any]
    orders: set[UUID] = field(default_factory=set)

    async def buy(self, marketplace: Marketplace, chance: random.Random) -> None:
        """The same checkout again and again, as a browser does, until it is paid."""
        cards = ["pm_card_chargeDeclined", "pm_card_visa"] if chance.random() < 0.25 else ["pm_card_visa"]
        while True:
            outcome = await marketplace.again_and_again(self._send)
            self.orders.add(key_of(outcome["order"]))
            if outcome["__typename"] == "CheckoutSucceeded":
                return
            secret = outcome.get("clientSecret") or outcome.get("retryClientSecret")
            if secret is None:
                assert outcome["__typename"] == "CheckoutProcessing", outcome
                await asyncio.sleep(PAUSE_S)
                continue
            card = cards.pop(0) if len(cards) > 1 else cards[0]
            intent = secret.split("_secret_")[0]
            await asyncio.to_thread(
                marketplace.sandbox.post, f"/v1/payment_intents/{intent}/confirm", payment_method=card
            )

    async def _send(self) -> Any:
        answer = await self.shopper.client.answer(CHECKOUT_OF, input=self.given)
        if "errors" in answer:
            codes = {error["extensions"]["code"] for error in answer["errors"]}
            assert codes <= {"SERVICE_UNAVAILABLE", "QUERY_TIMEOUT"}, answer["errors"]
            raise Unanswered
        payload = answer["data"]["checkout"]
        if payload["userErrors"]:
            assert all(each["retryable"] for each in payload["userErrors"]), payload
            raise Unanswered
        return payload["checkout"]


CHECKOUT_OF = """
mutation ($input: CheckoutInput!) { checkout(input: $input) {
  checkout {
    __typename
    ... on CheckoutSucceeded { order { id } }
    ... on CheckoutProcessing { order { id } }
    ... on CheckoutActionRequired { order { id } clientSecret }
    ... on CheckoutFailed { order { id } retryClientSecret }
  }
  userErrors { code retryable }
} }
"""


@asynccontextmanager
async def buyers(marketplace: Marketplace, make: Factory) -> AsyncIterator[Sequence[Buyer]]:
    """Each with a product of their own, which is in their cart by now."""
    limits = httpx.Limits(max_connections=AT_ONCE)
    async with httpx.AsyncClient(base_url=marketplace.url, timeout=30, trust_env=False, limits=limits) as http:
        await marketplace.again_and_again(lambda: http.get("/health"))
        found = []
        for _ in range(CHECKOUTS):
            product = await make.product(base_price=1980, stock_quantity=STOCK)
            shopper = Shopper(Client(http))
            await shopper.add(product, BOUGHT)
            found.append(Buyer(shopper, product, await shopper.input()))
        yield found


async def kill_at_random(marketplace: Marketplace, chance: random.Random) -> None:
    """At some request of some shopper, and some milliseconds into it."""
    at = 0
    for _ in range(MOST_KILLS):
        at += chance.randrange(1, 2 + AT_ONCE)
        while marketplace.steps < at:
            marketplace.stepped.clear()
            await marketplace.stepped.wait()
        await asyncio.sleep(chance.random() * 0.15)
        program = chance.choice([marketplace.gateway, marketplace.worker])
        program.kill()
        program.start()
        at = marketplace.steps


@asynccontextmanager
async def going_forward(marketplace: Marketplace) -> AsyncIterator[None]:
    """Fails when nothing was answered, and no waiting event done, for `PATIENCE_S`."""
    loop = asyncio.get_running_loop()

    async def put_off(limit: asyncio.Timeout) -> None:
        seen = -1
        while True:
            if marketplace.steps != seen:
                seen = marketplace.steps
                limit.reschedule(loop.time() + PATIENCE_S)
            await asyncio.sleep(1)

    try:
        async with asyncio.timeout(PATIENCE_S) as limit:
            watching = asyncio.create_task(put_off(limit))
            try:
                yield
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
    except TimeoutError:
        pytest.fail(f"seed {SEED}: nothing went forward for {PATIENCE_S:.0f} s\n{marketplace.said()}")


async def test_nothing_is_lost_or_done_twice(
    marketplace: Marketplace, make: Factory, prepared: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    async with going_forward(marketplace):
        await buy_and_kill(marketplace, make, prepared, capsys)


async def buy_and_kill(
    marketplace: Marketplace, make: Factory, prepared: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(SEED)
    async with buyers(marketplace, make) as people:
        killing = asyncio.create_task(kill_at_random(marketplace, chance))
        places = asyncio.Semaphore(AT_ONCE)
        done = itertools.count(1)

        async def buy(buyer: Buyer) -> None:
            async with places:
                await buyer.buy(marketplace, chance)
            if (number := next(done)) % TELL_EVERY == 0 and CHECKOUTS >= LONG:
                with capsys.disabled():
                    kills = marketplace.gateway.kills, marketplace.worker.kills
                    print(
                        f"{number} of {CHECKOUTS} paid, killed {kills[0]} gateways and {kills[1]} workers", flush=True
                    )

        await asyncio.gather(*map(buy, people))
        killing.cancel()
        await asyncio.gather(killing, return_exceptions=True)
        kills = marketplace.gateway.kills, marketplace.worker.kills
        with capsys.disabled():
            print(f"\nseed {SEED}: {CHECKOUTS} checkouts, killed {kills[0]} gateways and {kills[1]} workers")
        connection = await asyncpg.connect(prepared.database_worker_url.get_secret_value())
        try:
            await all_told(marketplace, connection, people)
            await books_are_right(connection, people)
        finally:
            await connection.close()
        for buyer in people:
            charged_once(marketplace.sandbox, buyer)


async def all_told(marketplace: Marketplace, connection: Any, people: Sequence[Buyer]) -> None:
    """Stripe has told all that it has to tell, and all of it was acted on; every event of ours was sent."""
    orders = [order for buyer in people for order in buyer.orders]
    least = math.inf
    while True:
        waiting = await asyncio.to_thread(lambda: marketplace.sandbox.post("/_sandbox/calls/count").json())
        unhandled = await connection.fetchval(UNHANDLED, orders)
        unsent = await connection.fetchval(
            "SELECT count(*) FROM events.outbox WHERE payload ->> 'orderId' = ANY ($1) AND sent_at IS NULL",
            list(map(str, orders)),
        )
        if (left := waiting["waiting_events"] + unhandled + unsent) == 0:
            return
        marketplace.steps += left < least
        least = min(least, left)
        await asyncio.sleep(0.2)


UNHANDLED = """
SELECT count(*) FROM payments.webhook_events w JOIN orders.order_payments p
    ON position(p.stripe_payment_intent_id IN w.payload::text) > 0
WHERE w.handled_at IS NULL AND p.order_id = ANY ($1)
"""


async def books_are_right(connection: Any, people: Sequence[Buyer]) -> None:
    for buyer in people:
        (order,) = buyer.orders  # whatever was killed, the same key is the same order
        row = await connection.fetchrow(BOOKS, order, buyer.product)
        assert dict(row) == RIGHT | {"handled": ["settled"]}


RIGHT = {
    "orders": 1,
    "status": "processing",
    "payment": "succeeded",
    "reservations": ["consumed"],
    "stock": STOCK - BOUGHT,
    "reserved": 0,
    "sales": 1,
    "ledger": 0,
    "paid": 1,
}
"""What `BOOKS` finds of an order that was placed and paid once, but for what Stripe told of it."""
BOOKS = """
SELECT
    (SELECT count(DISTINCT order_id) FROM orders.order_items WHERE product_id = $2) AS orders,
    (SELECT status FROM orders.orders WHERE id = $1) AS status,
    (SELECT status FROM orders.order_payments WHERE order_id = $1) AS payment,
    (SELECT array_agg(state) FROM orders.reservations WHERE order_id = $1) AS reservations,
    (SELECT stock_quantity FROM catalog.products WHERE id = $2) AS stock,
    (SELECT reserved_quantity FROM catalog.products WHERE id = $2) AS reserved,
    (SELECT count(*) FROM payments.ledger_transactions WHERE order_id = $1 AND kind = 'sale') AS sales,
    (SELECT sum(amount) FROM payments.ledger_entries e JOIN payments.ledger_transactions t ON t.id = e.transaction_id
        WHERE t.order_id = $1)::bigint AS ledger,
    (SELECT count(*) FROM events.outbox WHERE stream = 'order/' || $1::text AND type = 'OrderPaid') AS paid,
    (SELECT array_agg(DISTINCT w.outcome) FROM payments.webhook_events w JOIN orders.order_payments p
        ON w.payload #>> '{data,object,id}' = p.stripe_payment_intent_id WHERE p.order_id = $1) AS handled
"""


def charged_once(sandbox: Sandbox, buyer: Buyer) -> None:
    (order,) = buyer.orders
    query = f"metadata['order_id']:'{order}'"
    intents = sandbox.get("/v1/payment_intents/search", query=query, limit=100).json()["data"]
    assert [each["status"] for each in intents if each["status"] != "canceled"] == ["succeeded"]
    charges = [
        charge
        for intent in intents
        for charge in sandbox.get("/v1/charges", payment_intent=intent["id"]).json()["data"]
        if charge["paid"]
    ]
    assert [(charge["amount"], charge["amount_refunded"]) for charge in charges] == [(charges[0]["amount"], 0)]
