"""The way of events, put together: who acts on which, and what a worker runs for it. infra/messages.py has the loops."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from adapters.aws.clients import DYNAMODB, OF_EVENTS, Aws
from adapters.aws.event_bus import EventBridgeBus
from adapters.aws.event_places import EventPlaces, PlaceNames, Subscription
from adapters.aws.mailer import SesMailer
from adapters.aws.queues import SqsQueue
from adapters.dynamodb.carts import DynamoCarts
from adapters.dynamodb.preferences import DynamoPreferences
from adapters.order_links import HiddenOrderLinks, MailedOrderLinks, OrderLinks
from adapters.page_cache import HttpPageCache
from adapters.postgres.accounts_recipients import PostgresRecipients
from adapters.postgres.catalog_low_stock import PostgresLowStock
from adapters.postgres.database import Database
from adapters.postgres.events import PostgresOutbox
from adapters.postgres.events_deliveries import PostgresDeliveries
from adapters.postgres.events_streams import PostgresUntold
from adapters.postgres.locks import one_at_a_time
from adapters.postgres.notifications import PostgresMails
from adapters.postgres.orders_checkout import PostgresOrderBook
from adapters.postgres.orders_told import PostgresOrdersTold
from adapters.postgres.sellers_told import PostgresSellersTold
from adapters.redis.client import connect
from adapters.redis.live import RedisAnnouncer
from composition.cloud import open_aws
from composition.database import worker_database
from composition.search_upkeep import open_upkeep
from domain.accounts.preferences import PreferredLanguages
from domain.catalog.revalidation import Revalidation
from domain.catalog.stock_alerts import StockAlerts
from domain.events.batches import BatchHandling
from domain.events.handling import Handling
from domain.events.ports import BatchConsumer, Consumer
from domain.events.relay import Relay
from domain.events.telling import Teller
from domain.events.upkeep import EventUpkeep, Places
from domain.notifications.orders import OrderMails
from domain.notifications.service import Notifications
from domain.notifications.shipping import ShippingMails
from domain.orders.leaving import CartLeaving
from domain.search.following import SearchFollower, SearchSweep
from domain.shared.clock import Clock
from domain.shared.refusals import Refusal
from infra.batches import BatchLoop
from infra.messages import QueueLoop, RelayLoop, TellingLoop
from infra.woken import Ensure, until_stopped
from infra.worker import Stop
from settings import Settings, require

log = logging.getLogger("torii.events")

DATABASE_MS = 10_000
"""Longest statement or transaction; a relay's has the calls to the bus in it."""


@dataclass(frozen=True, slots=True)
class EventTools:
    """What events go through, as the worker role."""

    settings: Settings
    database: Database
    aws: Aws
    clock: Clock

    @property
    def names(self) -> PlaceNames:
        return PlaceNames(self.settings.event_prefix)


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A consumer as it is declared. One whose settings are empty is not there: it gets no queue, and no event waits for it."""

    subscription: Subscription
    is_on: Callable[[Settings], bool]
    open: Callable[[EventTools], AbstractAsyncContextManager[Consumer]]


class UnknownConsumer(Refusal):
    """There is no consumer of this name, or its settings are empty."""

    code = "UNKNOWN_CONSUMER"

    def __init__(self, name: str, others: Sequence[str]) -> None:
        super().__init__(f"there is no consumer {name}: there are {', '.join(others) or 'none'}")


@asynccontextmanager
async def _revalidation(tools: EventTools) -> AsyncIterator[Consumer]:
    settings = tools.settings
    secret = settings.revalidate_secret.get_secret_value()
    async with HttpPageCache(settings.revalidate_url, secret, tools.clock) as pages:
        yield Revalidation(pages)


@asynccontextmanager
async def _notifications(tools: EventTools) -> AsyncIterator[Consumer]:
    languages = PreferredLanguages(DynamoPreferences(tools.aws, tools.settings.dynamodb_table_prefix))
    mailer = SesMailer(tools.aws, tools.settings.mail_from)
    yield Notifications(
        PostgresRecipients(tools.database), languages, PostgresMails(tools.database), mailer, tools.clock
    )


@asynccontextmanager
async def _carts(tools: EventTools) -> AsyncIterator[Consumer]:
    carts = DynamoCarts(tools.aws, tools.settings.dynamodb_table_prefix, tools.clock)
    yield CartLeaving(PostgresOrderBook(tools.database), carts)


@asynccontextmanager
async def _order_mails(tools: EventTools) -> AsyncIterator[Consumer]:
    yield order_mails(tools, links_of(tools))


@asynccontextmanager
async def _shipping_mails(tools: EventTools) -> AsyncIterator[Consumer]:
    yield ShippingMails(order_mails(tools, links_of(tools)))


def links_of(tools: EventTools) -> MailedOrderLinks:
    """A worker without the gateway's secret makes none."""
    secret = tools.settings.secret_key.get_secret_value()
    return MailedOrderLinks(OrderLinks(secret, tools.clock) if secret else None, tools.settings.order_page_url)


def order_mails(tools: EventTools, links: MailedOrderLinks | HiddenOrderLinks) -> OrderMails:
    languages = PreferredLanguages(DynamoPreferences(tools.aws, tools.settings.dynamodb_table_prefix))
    return OrderMails(
        PostgresOrdersTold(tools.database),
        PostgresSellersTold(tools.database),
        PostgresLowStock(tools.database),
        links,
        PostgresRecipients(tools.database),
        languages,
        PostgresMails(tools.database),
        SesMailer(tools.aws, tools.settings.mail_from),
        tools.clock,
    )


@asynccontextmanager
async def _stock_alerts(tools: EventTools) -> AsyncIterator[Consumer]:
    yield StockAlerts(PostgresLowStock(tools.database), tools.clock)


@asynccontextmanager
async def _search_index(tools: EventTools) -> AsyncIterator[Consumer]:
    async with open_upkeep(tools.settings, tools.database) as upkeep:
        yield SearchFollower(upkeep)


@asynccontextmanager
async def _search_sweep(tools: EventTools) -> AsyncIterator[Consumer]:
    async with open_upkeep(tools.settings, tools.database) as upkeep:
        yield SearchSweep(upkeep)


SUBSCRIBERS: Sequence[Subscriber] = (
    Subscriber(
        Subscription(Revalidation.name, Revalidation.types, Revalidation.behind_s),
        lambda settings: bool(settings.revalidate_url),
        _revalidation,
    ),
    Subscriber(
        Subscription(Notifications.name, Notifications.types), lambda settings: bool(settings.mail_from), _notifications
    ),
    Subscriber(
        Subscription(OrderMails.name, OrderMails.types), lambda settings: bool(settings.mail_from), _order_mails
    ),
    Subscriber(
        Subscription(ShippingMails.name, ShippingMails.types, ShippingMails.behind_s),
        lambda settings: bool(settings.mail_from),
        _shipping_mails,
    ),
    Subscriber(Subscription(StockAlerts.name, StockAlerts.types), lambda _: True, _stock_alerts),
    Subscriber(Subscription(CartLeaving.name, CartLeaving.types), lambda _: True, _carts),
    Subscriber(Subscription(SearchFollower.name, SearchFollower.types), lambda _: True, _search_index),
    Subscriber(Subscription(SearchSweep.name, SearchSweep.types), lambda _: True, _search_sweep),
)
"""Who acts on which events. Queues, rules and targets are made from this; docs/events.md says how to add one."""


def subscribers(settings: Settings) -> Sequence[Subscriber]:
    return [each for each in SUBSCRIBERS if each.is_on(settings)]


@asynccontextmanager
async def open_event_tools(settings: Settings, clock: Clock) -> AsyncIterator[EventTools]:
    """Raises MissingSettings."""
    require(settings, "database_worker_url")
    async with AsyncExitStack() as stack:
        # the relay, who tells those who watch, and for each consumer what it does at most at once
        database = await stack.enter_async_context(worker_database(settings, 3 + len(SUBSCRIBERS), DATABASE_MS))
        aws = await stack.enter_async_context(open_aws(settings, settings.events_timeout_ms, (*OF_EVENTS, DYNAMODB)))
        yield EventTools(settings, database, aws, clock)


async def ensure_places(tools: EventTools) -> None:
    """Bus, rules, queues and dead-letter queues of all consumers. Raises Unavailable, PlacesRefused."""
    subscriptions = [each.subscription for each in subscribers(tools.settings)]
    async with one_at_a_time(tools.database, f"event places {tools.settings.event_prefix}"):
        await EventPlaces(tools.aws, tools.names, subscriptions).ensure()


def places_of(tools: EventTools, consumer: str) -> Places:
    """Raises UnknownConsumer."""
    found = next((each for each in subscribers(tools.settings) if each.subscription.consumer == consumer), None)
    if found is None:
        raise UnknownConsumer(consumer, [each.subscription.consumer for each in subscribers(tools.settings)])
    names = tools.names
    queues = (SqsQueue(tools.aws, name(consumer)) for name in (names.queue, names.dead_letters, names.undelivered))
    return Places(consumer, found.subscription.types, *queues)


def upkeep_of(tools: EventTools) -> EventUpkeep:
    places = [places_of(tools, each.subscription.consumer) for each in subscribers(tools.settings)]
    return EventUpkeep(places, PostgresDeliveries(tools.database), tools.clock)


async def settle_events(tools: EventTools) -> AsyncGenerator[int, None]:
    """Mark events done, and send again what a consumer did not get. Raises Unavailable, PlacesAreGone."""
    upkeep = upkeep_of(tools)
    async for settled in upkeep.settle():
        yield settled
    async for sent in upkeep.send_forgotten():
        yield sent


async def run_events(tools: EventTools, stop: Stop, grace_s: float) -> None:
    """Relay and consumers, until it is asked to stop; what is at work then has `grace_s` to be finished."""

    async def ensure() -> None:
        await ensure_places(tools)

    try:
        await ensure()
    except Refusal as outage:  # they may be there all the same; what misses them has them made again
        log.error("the places that events go through could not be looked at", exc_info=outage)
    async with AsyncExitStack() as stack:
        teller = await stack.enter_async_context(open_teller(tools))
        loops: list[RelayLoop | TellingLoop | QueueLoop | BatchLoop] = [
            _relay(tools, stop, ensure),
            telling(tools, teller, stop),
        ]
        for each in subscribers(tools.settings):
            consumer = await stack.enter_async_context(each.open(tools))
            loops.append(_consumer(tools, consumer, stop, ensure))
        await until_stopped([asyncio.create_task(loop.run()) for loop in loops], stop, grace_s)


def _relay(tools: EventTools, stop: Stop, ensure: Ensure) -> RelayLoop:
    relay = Relay(PostgresOutbox(tools.database), EventBridgeBus(tools.aws, tools.names.bus), tools.clock)
    return RelayLoop(relay, tools.settings.database_worker_url.get_secret_value(), stop, ensure)


def telling(tools: EventTools, teller: Teller, stop: Stop) -> TellingLoop:
    return TellingLoop(teller, tools.settings.database_worker_url.get_secret_value(), stop)


@asynccontextmanager
async def open_teller(tools: EventTools) -> AsyncIterator[Teller]:
    """Who tells those who watch. Raises MissingSettings."""
    require(tools.settings, "redis_url")
    timeout_ms = tools.settings.events_timeout_ms
    redis = connect(tools.settings.redis_url.get_secret_value(), timeout_ms=timeout_ms)
    try:
        yield Teller(PostgresUntold(tools.database), RedisAnnouncer(redis, timeout_ms=timeout_ms))
    finally:
        await redis.aclose()


def _consumer(tools: EventTools, consumer: Consumer, stop: Stop, ensure: Ensure) -> QueueLoop | BatchLoop:
    deliveries = PostgresDeliveries(tools.database)
    handling = Handling(consumer, deliveries, tools.clock, stop.within)
    queue = SqsQueue(tools.aws, tools.names.queue(consumer.name))
    if isinstance(consumer, BatchConsumer):
        together = BatchHandling(consumer, deliveries, tools.clock, handling)
        return BatchLoop(consumer, queue, together, stop, ensure)
    return QueueLoop(consumer.name, queue, handling, stop, ensure)
