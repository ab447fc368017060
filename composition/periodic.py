"""What workers do and how often, with the adapters they do it with. infra/worker.py runs it."""

import asyncio
import logging
import signal
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Any, TypeVar

from adapters.aws.clients import Aws
from adapters.cognito.roll import CognitoRoll
from adapters.health import BackEnd, State, ask
from adapters.postgres.accounts_repair import PostgresUserRows
from adapters.postgres.bulk import bulk_load
from adapters.postgres.database import Database
from adapters.postgres.events import forget_done, forget_streams
from adapters.postgres.idempotency import forget_old_keys
from adapters.postgres.jobs import PostgresRuns, last_sign_of_life
from adapters.postgres.notifications import forget_mails
from adapters.postgres.payments import forget_handled
from adapters.redis.client import RedisClient, connect
from composition import search_upkeep
from composition.capturing import run_capture, watch_capture
from composition.cloud import open_aws, user_pool
from composition.database import worker_database
from composition.operators import JOB_REDIS_MS, JOB_TIMEOUT_MS, account_deletion, admins
from composition.paying import PaymentTools, open_payment_tools, run_payments
from composition.pipeline import EventTools, open_event_tools, run_events, settle_events, upkeep_of
from domain.accounts.deletion import LATE
from domain.accounts.repair import UserRepair
from domain.shared.clock import Clock, SystemClock
from domain.shared.periodic import Run
from domain.shared.refusals import Refusal, Unavailable
from infra.logs import log_stray
from infra.worker import Job, Result, Stop, Worker
from settings import Settings, require

log = logging.getLogger("torii.worker")

MONTHS_AHEAD = 2
"""Months whose partition of orders is there before the month is."""
SILENT = timedelta(minutes=5)
"""Workers that have begun nothing for so long are not there: one of the jobs comes every minute."""

Counts = AsyncGenerator[int, None]
Given = TypeVar("Given")


@dataclass(frozen=True, slots=True)
class Tools:
    """What the jobs work with, as the worker role, open for as long as the worker runs."""

    settings: Settings
    database: Database
    aws: Aws
    redis: RedisClient
    clock: Clock
    events: EventTools
    payments: PaymentTools

    async def pool_id(self) -> str:
        """Asked for anew: a worker that starts before the pool can be reached is not to end for it. Raises Unavailable."""
        return (await user_pool(self.settings, self.aws)).pool_id


class UnknownJob(Refusal):
    """There is no job of this name."""

    code = "UNKNOWN_JOB"

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no job {name}: there are {', '.join(job.name for job in JOBS)}")


class JobIsTaken(Refusal):
    """A worker runs the job now, or the database cannot be reached."""

    code = "JOB_IS_TAKEN"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} was not run: a worker is at it, or the database was lost, which the log would say")


async def _erase(tools: Tools, again_for: timedelta) -> Counts:
    prefix, pool_id = tools.settings.dynamodb_table_prefix, await tools.pool_id()
    deletion = account_deletion(tools.database, tools.aws, prefix, tools.redis, pool_id, tools.clock)
    async for erased in deletion.batches(again_for):
        yield erased


async def _repair_users(tools: Tools) -> Counts:
    repair = UserRepair(CognitoRoll(tools.aws, await tools.pool_id()), PostgresUserRows(tools.database))
    async for repaired in repair.pages():
        yield repaired.seen


async def _follow_admins(tools: Tools) -> Counts:
    yield await admins(tools.database, tools.aws, await tools.pool_id()).follow()


async def _make_partitions(tools: Tools) -> Counts:
    await make_partitions(tools.settings, tools.clock)
    yield MONTHS_AHEAD + 1


JOBS: Sequence[Job[Tools]] = (
    Job(
        "erase-users",
        timedelta(minutes=1),
        "finishes deletions of accounts that were interrupted",
        lambda tools: _erase(tools, timedelta(0)),
    ),
    Job(
        "erase-users-again",
        timedelta(hours=1),
        "erases what was written behind a deletion of the last day",
        lambda tools: _erase(tools, LATE),
    ),
    Job(
        "follow-admins",
        timedelta(minutes=1),
        "takes away from rows what the user pool's group of admins does not have any more",
        _follow_admins,
    ),
    Job("repair-users", timedelta(hours=1), "brings users' rows in line with the user pool", _repair_users),
    Job(
        "forget-idempotency-keys",
        timedelta(hours=1),
        "deletes keys that have had their time",
        lambda tools: forget_old_keys(tools.database, tools.clock.now()),
    ),
    Job(
        "verify-search-index",
        timedelta(hours=1),
        "compares the search index, and the texts that the database searches by, with the database, and puts right what differs",
        lambda tools: search_upkeep.keep(tools.settings, tools.database),
    ),
    Job(
        "watch-capture",
        timedelta(minutes=5),
        "warns where much of the database's log is held back for the capture of changes, or without a bound",
        lambda tools: watch_capture(tools.settings, tools.database),
    ),
    Job("make-order-partitions", timedelta(days=1), "makes the partitions of the coming months", _make_partitions),
    Job(
        "forget-sent-events",
        timedelta(days=1),
        "deletes events that every consumer had long ago",
        lambda tools: forget_done(tools.database, tools.clock.now()),
    ),
    Job(
        "settle-events",
        timedelta(minutes=1),
        "marks events that all consumers had, and sends again what one did not get",
        lambda tools: settle_events(tools.events),
    ),
    Job(
        "return-dead-letters",
        timedelta(seconds=30),
        "sends messages back whose worker was killed",
        lambda tools: upkeep_of(tools.events).return_dead_letters(),
    ),
    Job(
        "forget-event-streams",
        timedelta(days=1),
        "deletes the counters of streams in which nothing happened for long",
        lambda tools: forget_streams(tools.database, tools.clock.now()),
    ),
    Job(
        "forget-mails",
        timedelta(days=1),
        "deletes what is known of mails of long ago",
        lambda tools: forget_mails(tools.database, tools.clock.now()),
    ),
    Job(
        "forget-payment-events",
        timedelta(days=1),
        "deletes what Stripe told and was handled long ago",
        lambda tools: forget_handled(tools.database, tools.clock.now()),
    ),
    Job(
        "expire-orders",
        timedelta(seconds=30),
        "ends orders that were not paid in time, and lets others buy what they set aside",
        lambda tools: tools.payments.reconciliation.expire(),
    ),
    Job(
        "check-payments",
        timedelta(minutes=1),
        "asks Stripe for payments of which it has not told us",
        lambda tools: tools.payments.reconciliation.check(),
    ),
    Job(
        "fetch-payment-events",
        timedelta(hours=1),
        "asks Stripe for what it told of refunds and disputes, and nobody heard",
        lambda tools: tools.payments.missed.fetch(),
    ),
)


async def make_partitions(settings: Settings, clock: Clock) -> None:
    """The partitions of orders of this month, the next ones, and those that were missed: of what the default one holds."""
    today = clock.now().astimezone(UTC)
    months = [
        date(today.year + (today.month - 1 + n) // 12, (today.month - 1 + n) % 12 + 1, 1)
        for n in range(MONTHS_AHEAD + 1)
    ]
    async with bulk_load(settings.database_worker_url.get_secret_value()) as bulk:
        await bulk.ensure_months([*months, *await bulk.months_without_partition()])


@asynccontextmanager
async def open_tools(settings: Settings, clock: Clock) -> AsyncIterator[Tools]:
    """Clients with a job's patience. Raises MissingSettings."""
    require(settings, "database_worker_url", "redis_url")
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(worker_database(settings, 4, JOB_TIMEOUT_MS))
        aws = await stack.enter_async_context(open_aws(settings, JOB_TIMEOUT_MS))
        connected = connect(settings.redis_url.get_secret_value(), timeout_ms=JOB_REDIS_MS)
        stack.push_async_callback(connected.aclose)
        events = await stack.enter_async_context(open_event_tools(settings, clock))
        payments = await stack.enter_async_context(open_payment_tools(settings, clock))
        redis = RedisClient(connected, timeout_ms=JOB_REDIS_MS)
        yield Tools(settings, database, aws, redis, clock, events, payments)


def runs_of(tools: Tools) -> PostgresRuns:
    return PostgresRuns(tools.database, tools.settings.database_worker_url.get_secret_value())


async def work(settings: Settings) -> None:
    """Run jobs when they are due, until SIGTERM or SIGINT; the second one ends also what is at work."""
    stop, clock = Stop(), SystemClock()
    async with open_tools(settings, clock) as tools:
        worker = Worker(JOBS, tools, runs_of(tools), clock, stop)
        await _heeding_signals(stop, _work(worker, tools, stop, settings.shutdown_grace_s))


async def _work(worker: Worker[Tools], tools: Tools, stop: Stop, grace_s: float) -> None:
    """Jobs, relay and consumers, what follows payments up, and the capture of changes, side by side. Where one of them fails
    for good, all end."""
    async with asyncio.TaskGroup() as together:
        together.create_task(worker.work(grace_s))
        together.create_task(run_events(tools.events, stop, grace_s))
        together.create_task(run_payments(tools.payments, stop, grace_s))
        together.create_task(run_capture(tools.events.settings, stop, grace_s))


async def run_once(settings: Settings, name: str) -> Result:
    """Run one job now, due or not. Raises UnknownJob, JobIsTaken."""
    job = next((job for job in JOBS if job.name == name), None)
    if job is None:
        raise UnknownJob(name)
    stop, clock = Stop(), SystemClock()
    async with open_tools(settings, clock) as tools:
        worker = Worker(JOBS, tools, runs_of(tools), clock, stop)
        result = await _heeding_signals(stop, worker.take(job, even_early=True))
    if result is None:
        raise JobIsTaken(name)
    return result


async def last_runs(settings: Settings) -> Sequence[tuple[Job[Tools], Run | None]]:
    """Each job, and its last run. Raises Unavailable."""
    async with open_tools(settings, SystemClock()) as tools:
        found = await runs_of(tools).looked_at()
    return [(job, found.get(job.name)) for job in JOBS]


async def state_of_workers(database: Database, clock: Clock) -> State:
    """Whether jobs are run by somebody, as the gateway's role may know it."""

    async def check() -> str:
        seen = await last_sign_of_life(database)
        if seen is None:
            raise Unavailable("a worker") from TimeoutError("no job has run yet")
        ago = clock.now() - seen
        told = f"last seen at work {seen:%Y-%m-%d %H:%M:%S} UTC"
        if ago > SILENT:
            raise Unavailable("a worker") from TimeoutError(told)
        return told

    return await ask(BackEnd("worker", check, "run `torii worker` beside the gateways; its log says what it meets"))


async def _heeding_signals(stop: Stop, doing: Coroutine[Any, Any, Given]) -> Given:
    """Asked once, what runs may get to the end of a batch; asked twice, it is given up."""
    task = asyncio.ensure_future(doing)

    def heard() -> None:
        if stop.is_asked:
            task.cancel()
        stop.ask()
        log.info("asked to end: what is at work gets to the end of its batch, unless asked once more")

    loop = asyncio.get_running_loop()
    loop.set_exception_handler(log_stray)
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, heard)
    return await task
