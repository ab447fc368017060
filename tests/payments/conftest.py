"""A sandbox of this folder's own, for its faults would meet others; the worker's own database."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from adapters.breaker import Breaker
from adapters.postgres.database import Database
from adapters.postgres.orders_payment import PostgresPaymentBook
from adapters.stripe.connection import StripeConnection
from adapters.stripe.payments import StripePayments
from composition.paying import PaymentTools
from domain.payments.finaliser import Finaliser
from domain.payments.model import IntentId
from domain.shared.clock import SystemClock
from settings import Settings
from tests.payments.loops import Door, tools_of
from tests.payments.scene import MovingClock, Placed, Scene
from tests.postgres.shop import connect
from tests.sandbox.running import KEY, Sandbox, running

PATIENT_MS = 20_000


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("stripe") / "data") as started:
        yield started


@pytest.fixture
async def worker(settings: Settings) -> AsyncIterator[Any]:
    connection = await connect(settings.database_worker_url.get_secret_value())
    yield connection
    await connection.close()


@pytest.fixture
def scene(worker: Any) -> Scene:
    return Scene(worker)


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    """The gateway's way to it."""
    opened = Database(settings.database_url.get_secret_value(), timeout_ms=PATIENT_MS)
    yield opened
    await opened.close()


@dataclass(frozen=True, slots=True)
class Till:
    """The finaliser on real servers, and what a buyer does in their browser."""

    finaliser: Finaliser
    provider: StripePayments
    book: PostgresPaymentBook
    sandbox: Sandbox
    scene: Scene
    clock: MovingClock

    async def intent_id(self, placed: Placed) -> IntentId:
        return IntentId((await self.scene.payment(placed))["stripe_payment_intent_id"])

    async def pay(self, placed: Placed, card: str = "pm_card_visa") -> None:
        self.sandbox.post(f"/v1/payment_intents/{await self.intent_id(placed)}/confirm", payment_method=card)


@pytest.fixture
async def till(database: Database, sandbox: Sandbox, scene: Scene) -> AsyncIterator[Till]:
    connection = StripeConnection(KEY, api_base=sandbox.url, timeout_ms=PATIENT_MS, breaker=Breaker())
    provider, book, clock = StripePayments(connection), PostgresPaymentBook(database), MovingClock()
    yield Till(Finaliser(provider, book, clock), provider, book, sandbox, scene, clock)
    sandbox.post("/_sandbox/faults/clear")
    await connection.close()


@pytest.fixture
async def tools(settings: Settings, sandbox: Sandbox) -> AsyncIterator[PaymentTools]:
    async with tools_of(settings, sandbox, SystemClock()) as opened:
        yield opened


@pytest.fixture
async def later(settings: Settings, sandbox: Sandbox) -> AsyncIterator[tuple[PaymentTools, MovingClock]]:
    """With a clock that the test moves."""
    clock = MovingClock()
    async with tools_of(settings, sandbox, clock) as opened:
        yield opened, clock


@pytest.fixture
def door(database: Database, settings: Settings) -> Door:
    return Door(database, settings.stripe_webhook_secret.get_secret_value())
