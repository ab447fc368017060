"""Settling for a caller who does not wait, and a provider that fails in each of its ways."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from adapters.breaker import FAILURES_TO_OPEN, OPEN_FOR_S, Breaker
from adapters.postgres.database import Database
from adapters.postgres.orders_payment import PostgresPaymentBook
from adapters.stripe.connection import StripeConnection
from adapters.stripe.payments import StripePayments
from domain.orders.ports import SettlementKind
from domain.payments.finaliser import Finaliser
from domain.payments.model import IntentId
from domain.payments.refusals import ProviderAway
from domain.payments.settlements import Settlements
from domain.shared.clock import SystemClock
from domain.shared.refusals import NotFound
from tests.payments.conftest import PATIENT_MS, Till
from tests.payments.loops import until
from tests.payments.scene import Placed, someones_key
from tests.relay import Relay, relayed
from tests.sandbox.running import KEY, Sandbox
from tests.watch import Seconds

SOON_S, LONG_S = 0.2, 30.0


@dataclass
class Counter:
    """A checkout's way to the finaliser, and how it fares with Stripe."""

    settlements: Settlements
    connection: StripeConnection
    clock: Seconds
    relay: Relay


@pytest.fixture
async def counter(database: Database, sandbox: Sandbox) -> AsyncIterator[Counter]:
    """Stripe is reached by a relay that can be frozen."""
    clock = Seconds()
    async with relayed(f"{sandbox.url}/") as (relay, url):
        connection = StripeConnection(KEY, api_base=url, timeout_ms=PATIENT_MS, breaker=Breaker(clock))
        finaliser = Finaliser(StripePayments(connection), PostgresPaymentBook(database), SystemClock())
        settlements = Settlements(finaliser.settle, clock)
        yield Counter(settlements, connection, clock, relay)
        relay.flowing.set()
        await settlements.close()
        await connection.close()
        sandbox.post("/_sandbox/faults/clear")


class TestSlow:
    async def test_a_slow_provider_is_processing_and_finished_without_the_caller(
        self, till: Till, counter: Counter
    ) -> None:
        placed = await till.scene.place()
        await _warm(till, counter)
        counter.relay.flowing.clear()
        told = await counter.settlements.settle(placed.id, SOON_S)
        assert told.kind is SettlementKind.PROCESSING
        counter.relay.flowing.set()
        await until(lambda: _has_intent(till, placed))

    async def test_who_asks_again_hears_of_what_was_finished_meanwhile(self, till: Till, counter: Counter) -> None:
        """Else a provider that always takes longer than callers wait would be asked for ever."""
        placed = await till.scene.place()
        await _warm(till, counter)
        counter.relay.flowing.clear()
        await counter.settlements.settle(placed.id, SOON_S)
        counter.relay.flowing.set()
        await until(lambda: _has_intent(till, placed))
        counter.relay.flowing.clear()
        told = await counter.settlements.settle(placed.id, SOON_S)
        assert told.kind is SettlementKind.ACTION_REQUIRED
        again = await counter.settlements.settle(placed.id, SOON_S)  # told once: what comes now is asked for
        assert again.kind is SettlementKind.PROCESSING

    async def test_what_was_kept_too_long_is_asked_for_again(self, till: Till, counter: Counter) -> None:
        placed = await till.scene.place()
        await _warm(till, counter)
        counter.relay.flowing.clear()
        await counter.settlements.settle(placed.id, SOON_S)
        counter.relay.flowing.set()
        await until(lambda: _has_intent(till, placed))
        await till.pay(placed)
        counter.clock.now += 6
        assert (await counter.settlements.settle(placed.id, LONG_S)).kind is SettlementKind.SUCCEEDED

    async def test_many_who_ask_at_once_are_one_question(self, till: Till, counter: Counter) -> None:
        placed = await till.scene.place()
        told = await asyncio.gather(*(counter.settlements.settle(placed.id, LONG_S) for _ in range(20)))
        assert len({(each.kind, each.client_secret) for each in told}) == 1
        assert len(await till.provider.intents_of(placed.id)) == 1

    async def test_a_caller_who_goes_away_ends_nothing(self, till: Till, counter: Counter) -> None:
        placed = await till.scene.place()
        await _warm(till, counter)
        counter.relay.flowing.clear()
        caller = asyncio.create_task(counter.settlements.settle(placed.id, LONG_S))
        await asyncio.sleep(0)
        caller.cancel()
        await asyncio.gather(caller, return_exceptions=True)
        counter.relay.flowing.set()
        await until(lambda: _has_intent(till, placed))


class TestAway:
    @pytest.mark.parametrize("kind", ["rate_limit", "server_error", "lost_answer"])
    async def test_is_processing_for_the_buyer_and_right_afterwards(
        self, till: Till, counter: Counter, kind: str
    ) -> None:
        placed = await till.scene.place()
        till.sandbox.post("/_sandbox/faults", kind=kind, path="/v1/payment_intents")
        told = await counter.settlements.settle(placed.id, LONG_S)
        assert told.kind is SettlementKind.PROCESSING
        assert (await counter.settlements.settle(placed.id, LONG_S)).kind is SettlementKind.ACTION_REQUIRED
        assert len(await till.provider.intents_of(placed.id)) == 1

    async def test_what_is_no_outage_is_told(self, counter: Counter) -> None:
        with pytest.raises(NotFound):
            await counter.settlements.settle(someones_key(), LONG_S)


class TestBreaker:
    async def test_it_opens_after_five_failures_and_lets_one_try_half_a_minute_later(
        self, till: Till, counter: Counter
    ) -> None:
        placed = await till.scene.place()
        till.sandbox.post("/_sandbox/faults", kind="rate_limit", path="/v1/payment_intents", times=100)
        for _ in range(FAILURES_TO_OPEN):
            assert not counter.connection.breaker.has_opened
            await counter.settlements.settle(placed.id, LONG_S)
            counter.clock.now += 1
        assert counter.connection.breaker.has_opened
        till.sandbox.post("/_sandbox/faults/clear")
        with pytest.raises(ProviderAway):  # at once, and without a call
            await StripePayments(counter.connection).intents_of(placed.id)
        assert (await counter.settlements.settle(placed.id, LONG_S)).kind is SettlementKind.PROCESSING
        counter.clock.now += OPEN_FOR_S
        assert (await counter.settlements.settle(placed.id, LONG_S)).kind is SettlementKind.ACTION_REQUIRED
        assert not counter.connection.breaker.has_opened

    async def test_a_refusal_is_no_failure(self, counter: Counter) -> None:
        for _ in range(FAILURES_TO_OPEN + 1):
            with pytest.raises(NotFound):
                await StripePayments(counter.connection).cancel_intent(IntentId("pi_none"))
            counter.clock.now += 1
        assert not counter.connection.breaker.has_opened

    async def test_a_half_open_provider_opens_it_too(self, till: Till, counter: Counter) -> None:
        """It accepts, and never answers."""
        placed = await till.scene.place()
        await _warm(till, counter)
        counter.relay.flowing.clear()
        impatient = StripeConnection(KEY, api_base=_url(counter), timeout_ms=100, breaker=counter.connection.breaker)
        for _ in range(FAILURES_TO_OPEN):
            with pytest.raises(ProviderAway):
                await StripePayments(impatient).create_intent(placed.id, placed.amount)
            counter.clock.now += 1
        assert counter.connection.breaker.has_opened
        await impatient.close()


async def _warm(till: Till, counter: Counter) -> None:
    """Stripe's library is imported by now, and a connection is open."""
    await counter.settlements.settle((await till.scene.place()).id, LONG_S)


async def _has_intent(till: Till, placed: Placed) -> bool:
    return (await till.scene.payment(placed))["stripe_payment_intent_id"] is not None


def _url(counter: Counter) -> str:
    return counter.connection._api_base
