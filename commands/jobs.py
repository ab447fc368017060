"""Long work of the command line: what it calls in which order. cli.py shows it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from adapters.cognito.pool import DEMO_ACCOUNTS, DEMO_PASSWORD, ensure_user
from adapters.cognito.roll import CognitoRoll
from adapters.dynamodb.tables import ensure_tables
from adapters.health import State
from adapters.order_links import HiddenOrderLinks
from adapters.parquet.online_retail import OnlineRetailFile
from adapters.postgres.accounts_recipients import PostgresRecipients
from adapters.postgres.events import PostgresOutbox
from adapters.postgres.events_failures import PostgresFailures
from adapters.postgres.migrate import upgrade_async
from adapters.postgres.notifications import PostgresMails
from adapters.postgres.online_retail import OnlineRetailShop
from commands.reports import Told
from composition.cloud import open_aws, user_pool
from composition.operators import JOB_TIMEOUT_MS, open_admins, open_deletions, open_jobs, open_suspension
from composition.periodic import make_partitions, state_of_workers
from composition.pipeline import ensure_places, open_event_tools, order_mails, places_of, subscribers
from composition.stores import health_of, open_stores
from domain.accounts.repair import Repaired, UserRepair
from domain.events.ports import Failure
from domain.events.upkeep import redrive as reopen_and_send
from domain.imports.ports import Progress as ImportProgress
from domain.imports.service import ImportSummary, OnlineRetailImport
from domain.notifications.orders import OF_ORDERS
from domain.notifications.ports import Mail
from domain.notifications.templates import Letter, letter
from domain.shared.clock import SystemClock
from domain.shared.events import EventId
from domain.shared.refusals import NotFound, Refusal
from infra.demo.load import Summary, load
from settings import Mode, Settings, require


class NotInProduction(Refusal):
    """The demo marketplace has accounts with a published password, an admin's among them."""

    code = "NOT_IN_PRODUCTION"

    def __init__(self) -> None:
        super().__init__("the demo marketplace has accounts with a published password: production takes none of it")


async def migrate(settings: Settings) -> None:
    """Bring PostgreSQL to the newest revision and make the coming partitions, DynamoDB's tables, and queues: once a month at least."""
    require(settings, "database_owner_url", "database_worker_url")
    await upgrade_async(settings.database_owner_url.get_secret_value())
    await make_partitions(settings, SystemClock())
    async with open_aws(settings, JOB_TIMEOUT_MS) as aws:
        await ensure_tables(aws, settings.dynamodb_table_prefix)
    async with open_event_tools(settings, SystemClock()) as tools:
        await ensure_places(tools)


async def seed(settings: Settings, products: int, progress: Told) -> Summary:
    """The demo accounts and the demo marketplace. What is there already stays as it is. Raises NotInProduction."""
    if settings.mode is Mode.PRODUCTION:
        raise NotInProduction
    await migrate(settings)
    async with open_aws(settings, JOB_TIMEOUT_MS) as aws:
        pool = await user_pool(settings, aws)
        subjects = {
            email: await ensure_user(aws, pool, email, DEMO_PASSWORD, group) for email, group in DEMO_ACCOUNTS.items()
        }
    url = settings.database_worker_url.get_secret_value()
    summary = await load(url, products, progress, subjects=subjects)
    await rebuild(settings, progress)
    return summary


async def rebuild(settings: Settings, progress: Told) -> None:
    """Make what is derived from the tables anew: recommendations and the search index."""
    async with open_jobs(settings) as jobs:
        progress("learning recommendations", 0, 0)
        await jobs.recommendations.train(jobs.baskets.baskets())
        progress("learning recommendations", 1, 1)
        total = await jobs.search.reindex(jobs.documents, lambda done: progress("indexing products", done, 0))
        progress("indexing products", total, total)


async def import_online_retail(settings: Settings, path: Path, progress: ImportProgress, after: Told) -> ImportSummary:
    """Take a sheet of UCI "Online Retail II" in; then the index and recommendations follow, if anything is new."""
    require(settings, "database_worker_url")
    summary = await OnlineRetailImport(OnlineRetailShop(settings.database_worker_url.get_secret_value())).run(
        OnlineRetailFile(path), progress
    )
    if not summary.changed_nothing:
        await rebuild(settings, after)
    return summary


async def repair_users(settings: Settings, progress: Told) -> Repaired:
    """Bring the rows of users in line with the user pool. Changes nothing a second time. Raises Unavailable."""
    async with open_jobs(settings) as jobs:
        roll = CognitoRoll(jobs.aws, (await user_pool(settings, jobs.aws)).pool_id)
        return await UserRepair(roll, jobs.user_rows).run(lambda done: progress("looking at users", done, 0))


async def suspend_user(settings: Settings, email: str, reason: str | None) -> bool:
    """Shut a user out and end its sessions; False for one who is shut out already. Raises UserNotFound, InvalidInput, Unavailable."""
    async with open_suspension(settings) as suspension:
        return await suspension.suspend(email, reason)


async def reinstate_user(settings: Settings, email: str) -> bool:
    """Let a user in again; False for one who is not shut out. Raises UserNotFound, Unavailable."""
    async with open_suspension(settings) as suspension:
        return await suspension.reinstate(email)


async def grant_admin(settings: Settings, email: str) -> bool:
    """Make a user of the pool an admin; False for one who is. Raises UserNotFound, AddressTaken, Unavailable."""
    async with open_admins(settings) as admins:
        return await admins.grant(email)


async def revoke_admin(settings: Settings, email: str) -> bool:
    """Make an admin a user like others; False for one who is. Raises UserNotFound, Unavailable."""
    async with open_admins(settings) as admins:
        return await admins.revoke(email)


async def erase_users(settings: Settings) -> int:
    """Finish deletions of accounts that were interrupted; how many accounts were looked at. Raises Unavailable."""
    async with open_deletions(settings) as deletions:
        return await deletions.resume()


async def doctor(settings: Settings) -> Sequence[State]:
    """How each back end is, and whether there is a worker."""
    async with open_stores(settings) as stores:
        worker = state_of_workers(stores.database, SystemClock())
        states, at_work = await asyncio.gather(health_of(settings, stores).states(), worker)
        return [*states, at_work]


@dataclass(frozen=True, slots=True)
class QueueState:
    """What waits for a consumer, in its queues and in the table of failures."""

    consumer: str
    waiting: int
    dead_letters: int
    undelivered: int
    failures: int
    oldest: datetime | None


async def queue_states(settings: Settings) -> Sequence[QueueState]:
    """Of each consumer. Raises Unavailable, PlacesAreGone."""
    async with open_event_tools(settings, SystemClock()) as tools:
        counts = await PostgresFailures(tools.database).counts()

        async def state(consumer: str) -> QueueState:
            places = places_of(tools, consumer)
            queues = (places.queue, places.dead_letters, places.undelivered)
            waiting, dead, undelivered = await asyncio.gather(*(queue.waiting() for queue in queues))
            failures, oldest = counts.get(consumer, (0, None))
            return QueueState(consumer, waiting, dead, undelivered, failures, oldest)

        return await asyncio.gather(*(state(each.subscription.consumer) for each in subscribers(settings)))


async def failures_of(settings: Settings, consumer: str, limit: int) -> Sequence[Failure]:
    """The newest failures. Raises UnknownConsumer, Unavailable."""
    async with open_event_tools(settings, SystemClock()) as tools:
        return await PostgresFailures(tools.database).newest(places_of(tools, consumer).consumer, limit)


async def failure_of(settings: Settings, consumer: str, event_id: UUID) -> Failure:
    """Raises UnknownConsumer, NotFound, Unavailable."""
    async with open_event_tools(settings, SystemClock()) as tools:
        found = await PostgresFailures(tools.database).find(places_of(tools, consumer).consumer, EventId(event_id))
    if found is None:
        raise NotFound(f"{consumer} has no failure of the event {event_id}")
    return found


async def redrive(settings: Settings, consumer: str, ids: Sequence[UUID] | None, limit: int) -> int:
    """Give a consumer failed events once more; how many. Raises UnknownConsumer, NotFound, Unavailable."""
    async with open_event_tools(settings, SystemClock()) as tools:
        places, failures = places_of(tools, consumer), PostgresFailures(tools.database)
        chosen = None if ids is None else [EventId(each) for each in ids]
        again = await reopen_and_send(places, failures, tools.clock, chosen, limit)
    if ids is not None and not again:
        raise NotFound(f"{consumer} has no failure of the event {ids[0]}")
    return len(again)


async def mails(settings: Settings, limit: int) -> Sequence[Mail]:
    """The newest mails. Raises Unavailable."""
    async with open_event_tools(settings, SystemClock()) as tools:
        return await PostgresMails(tools.database).newest(limit)


async def mail(settings: Settings, mail_id: UUID) -> tuple[Mail, str | None, Letter]:
    """A mail, whom it goes to now, and its text. Raises NotFound, Unavailable."""
    async with open_event_tools(settings, SystemClock()) as tools:
        found = await PostgresMails(tools.database).find(mail_id)
        if found is None:
            raise NotFound(f"there is no mail {mail_id}")
        if found.template in OF_ORDERS:
            record = await PostgresOutbox(tools.database).find(EventId(UUID(found.key.partition(":")[2])))
            written = None if record is None else await order_mails(tools, HiddenOrderLinks()).written(record)
            told = letter(found.template, found.language, None) if written is None else written.letter
            return found, None if written is None else written.address, told
        to = None if found.user_id is None else await PostgresRecipients(tools.database).recipient(found.user_id)
    name = None if to is None else to.name
    return found, None if to is None else to.email, letter(found.template, found.language, name)
