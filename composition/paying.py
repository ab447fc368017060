"""Payments, put together: what follows them up in gateways and in workers."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from adapters.postgres.database import Database
from adapters.postgres.orders_disputes import PostgresDisputeBook
from adapters.postgres.orders_made_there import PostgresMadeThere
from adapters.postgres.orders_payment import PostgresPaymentBook
from adapters.postgres.orders_refunding import PostgresRefundBook
from adapters.postgres.payments import CHANNEL, PostgresPaymentEvents, PostgresToldEvents
from adapters.stripe.connection import StripeConnection
from adapters.stripe.events import StripeEvents
from adapters.stripe.payments import StripePayments
from adapters.stripe.subjects import StripeSubjects
from composition.database import worker_database
from domain.payments.disputes import DisputeDesk
from domain.payments.finaliser import Finaliser
from domain.payments.inbox import PaymentInbox
from domain.payments.missed import MissedEvents
from domain.payments.reconciliation import Bringing, Reconciliation
from domain.payments.refunds import RefundDesk
from domain.payments.troubles import OpenProblem, Troubled
from domain.shared.clock import Clock, SystemClock
from infra.woken import Bell, Trouble, WokenLoop, until_stopped
from infra.worker import Stop
from settings import Settings, require

DATABASE_MS = 10_000
STRIPE_MS = 10_000
"""A worker waits longer for Stripe than a buyer does."""
CONNECTIONS = 10


def finaliser_of(database: Database, stripe: StripeConnection, clock: Clock) -> Finaliser:
    """`database` is a gateway's, or a worker's."""
    return Finaliser(StripePayments(stripe), PostgresPaymentBook(database), clock)


@dataclass(frozen=True, slots=True)
class PaymentTools:
    """What a worker follows payments up with."""

    url: str
    inbox: PaymentInbox
    refunds: RefundDesk
    reconciliation: Reconciliation
    missed: MissedEvents
    troubled: Sequence[Troubled]
    """Where what failed is looked for."""

    async def work(self) -> int:
        """Act on what the provider told, and give back what is decided; how many things that were. Raises Unavailable."""
        return sum(await asyncio.gather(self.inbox.work(), self.refunds.work()))


@asynccontextmanager
async def open_payment_tools(settings: Settings, clock: Clock) -> AsyncIterator[PaymentTools]:
    """As the worker role. Raises MissingSettings."""
    require(settings, "database_worker_url", "stripe_secret_key")
    url = settings.database_worker_url.get_secret_value()
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(worker_database(settings, CONNECTIONS, DATABASE_MS))
        key = settings.stripe_secret_key.get_secret_value()
        stripe = StripeConnection(key, api_base=settings.stripe_api_base, timeout_ms=STRIPE_MS)
        stack.push_async_callback(stripe.close)
        finaliser = finaliser_of(database, stripe, clock)
        told, back = PostgresToldEvents(database), PostgresRefundBook(database)
        refunds = RefundDesk(StripePayments(stripe), back, clock)
        disputed = PostgresDisputeBook(database)
        bringing = Bringing(finaliser, refunds, DisputeDesk(StripePayments(stripe), disputed))
        inbox = PaymentInbox(told, StripeSubjects(), bringing, clock)
        payments = PostgresPaymentBook(database)
        reconciliation = Reconciliation(finaliser, payments, clock)
        troubled = told, back, payments, PostgresMadeThere(database), disputed
        missed = MissedEvents(StripeEvents(stripe), PostgresPaymentEvents(database), clock)
        yield PaymentTools(url, inbox, refunds, reconciliation, missed, troubled)


async def run_payments(tools: PaymentTools, stop: Stop, grace_s: float) -> None:
    """Until it is asked to stop; what is at work then has `grace_s` to be finished."""

    async def nothing_to_make() -> None:
        """There are no places here that could be gone."""

    trouble = Trouble("following payments up", stop, nothing_to_make)
    loop = WokenLoop(tools.work, Bell(tools.url, CHANNEL, "torii payments"), stop, trouble)
    await until_stopped([asyncio.create_task(loop.run())], stop, grace_s)


async def troubles(settings: Settings, limit: int) -> Sequence[OpenProblem]:
    """What waits because it failed, the oldest first. Raises MissingSettings, Unavailable."""
    async with open_payment_tools(settings, SystemClock()) as tools:
        found = await asyncio.gather(*(each.troubles(limit) for each in tools.troubled))
    return sorted((trouble for some in found for trouble in some), key=lambda trouble: trouble.since)[:limit]


async def try_again(settings: Settings) -> int:
    """Let what failed have its turn now; how much that is. Raises MissingSettings, Unavailable."""
    clock = SystemClock()
    async with open_payment_tools(settings, clock) as tools:
        trying = (each.try_again(clock.now()) for each in tools.troubled)
        done = await asyncio.gather(*trying, return_exceptions=True)  # one that fails keeps none of the others from it
    for each in done:
        if isinstance(each, BaseException):
            raise each
    return sum(each for each in done if isinstance(each, int))
