"""Mails of events, through SES: in the user's language, to those who may be written to, and never twice."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from adapters.aws.mailer import SesMailer
from adapters.dynamodb.preferences import DynamoPreferences
from adapters.dynamodb.tables import ensure_tables
from adapters.postgres.accounts_recipients import PostgresRecipients
from adapters.postgres.events_failures import PostgresFailures
from adapters.postgres.notifications import PostgresMails
from composition.pipeline import EventTools, ensure_places, open_event_tools, places_of
from domain.accounts.preferences import Preferences, PreferredLanguages
from domain.events.ports import Delivery, GivenUp
from domain.events.upkeep import redrive
from domain.notifications.ports import MayBeSent
from domain.notifications.service import NOT_KNOWN, Notifications
from domain.notifications.templates import LETTERS, Letter, Template, letter
from domain.shared.clock import SystemClock
from domain.shared.ids import UserId
from domain.shared.languages import Language
from domain.shared.refusals import Unavailable
from settings import Settings
from tests.events.conftest import at_work, until
from tests.events.places import Deliveries, all_events, mails_to, queues
from tests.postgres.shop import Shop
from tests.watch import Watch


@pytest.fixture
async def tools(settings: Settings, worker: Any) -> AsyncIterator[EventTools]:
    mine = settings.model_copy(update={"mail_from": "Torii <no-reply@torii.example>", "revalidate_url": ""})
    async with open_event_tools(mine, SystemClock()) as tools:
        await ensure_places(tools)
        await ensure_tables(tools.aws, mine.dynamodb_table_prefix)
        yield tools


@pytest.fixture
def kept(worker: Any) -> Deliveries:
    return Deliveries(worker, Notifications.name)


@pytest.fixture
def address() -> str:
    return f"{uuid4().hex}@example.com"


async def registered(shop: Shop, worker: Any, address: str, **columns: Any) -> UUID:
    """A user who was seen for the first time."""
    verified = {"email_verified_at": SystemClock().now()} | columns
    user = await shop.user(email=address, **verified)
    await worker.execute(
        "INSERT INTO events.outbox (type, aggregate_type, aggregate_id) VALUES ('UserRegistered', 'user', $1)", user
    )
    return user


async def is_handled(kept: Deliveries, count: int) -> bool:
    return len(await kept.processed()) == count


class TestWelcome:
    @pytest.mark.parametrize("language", list(Language))
    async def test_in_the_users_language_once(
        self, tools: EventTools, shop: Shop, worker: Any, kept: Deliveries, address: str, language: Language
    ) -> None:
        user = await registered(shop, worker, address)
        store = DynamoPreferences(tools.aws, tools.settings.dynamodb_table_prefix)
        await store.store(UserId(user), Preferences(language=language, version=1, updated_at=SystemClock().now()))
        records = await all_events(tools)
        await queues(tools, Notifications.name)[0].send([*records, *records])
        async with at_work(tools), at_work(tools):
            await until(lambda: is_handled(kept, 1))

            async def is_drained() -> bool:
                return await queues(tools, Notifications.name)[0].waiting() == 0

            await until(is_drained)
        subject = LETTERS[Template.WELCOME][language].subject
        assert await mails_to(tools.settings.aws_endpoint_url, address) == [subject]

    @pytest.mark.parametrize(
        "columns",
        [{"email_verified_at": None}, {"status": "suspended"}, {"deletion_requested_at": SystemClock().now()}],
        ids=["unverified", "suspended", "leaving"],
    )
    async def test_nobody_is_written_to_who_may_not_be(
        self, tools: EventTools, shop: Shop, worker: Any, kept: Deliveries, address: str, columns: dict[str, Any]
    ) -> None:
        await registered(shop, worker, address, **columns)
        async with at_work(tools):
            await until(lambda: is_handled(kept, 1))
        assert await mails_to(tools.settings.aws_endpoint_url, address) == []

    def test_a_name_is_only_a_name(self) -> None:
        text = letter(Template.WELCOME, Language.EN, "{text} {0}").text
        assert text.startswith("Dear {text} {0},")

    @pytest.mark.parametrize("template", list(Template))
    def test_every_template_is_there_in_every_language(self, template: Template) -> None:
        assert LETTERS[template].keys() == set(Language)


class Postman:
    """A mailer that fails on demand, as SES does not."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.fault: Exception | None = None

    async def send(self, to: str, letter: Letter, key: str) -> str:
        if self.fault is not None:
            raise self.fault
        self.sent.append(to)
        return f"message-{len(self.sent)}"


class TestNeverTwice:
    @pytest.fixture
    def watch(self) -> Watch:
        return Watch(SystemClock().now())

    @pytest.fixture
    def postman(self) -> Postman:
        return Postman()

    @pytest.fixture
    def notifications(self, tools: EventTools, postman: Postman, watch: Watch) -> Notifications:
        languages = PreferredLanguages(DynamoPreferences(tools.aws, tools.settings.dynamodb_table_prefix))
        mails = PostgresMails(tools.database)
        return Notifications(PostgresRecipients(tools.database), languages, mails, postman, watch)

    @pytest.fixture
    async def delivery(self, tools: EventTools, shop: Shop, worker: Any, address: str) -> Delivery:
        await registered(shop, worker, address)
        (record,) = await all_events(tools)
        return Delivery(record)

    async def test_a_second_delivery_sends_nothing(
        self, notifications: Notifications, postman: Postman, delivery: Delivery
    ) -> None:
        for _ in range(3):
            await notifications.consume(delivery)
        assert len(postman.sent) == 1

    async def test_refused_or_not_reached_it_is_sent_later(
        self, notifications: Notifications, postman: Postman, delivery: Delivery
    ) -> None:
        for fault in (Unavailable("SES"), GivenUp("SES refuses the mail")):
            postman.fault = fault
            with pytest.raises(type(fault)):
                await notifications.consume(delivery)
        postman.fault = None
        await notifications.consume(delivery)
        assert len(postman.sent) == 1

    async def test_where_it_may_have_gone_out_people_decide(
        self, notifications: Notifications, postman: Postman, delivery: Delivery, watch: Watch
    ) -> None:
        postman.fault = MayBeSent("x")
        with pytest.raises(GivenUp, match=NOT_KNOWN):
            await notifications.consume(delivery)
        postman.fault = None
        watch.wind(timedelta(minutes=2))
        with pytest.raises(GivenUp, match=NOT_KNOWN):
            await notifications.consume(delivery)
        assert postman.sent == []
        asked_again = replace(delivery, reopened_at=watch.now())
        watch.wind(timedelta(seconds=1))
        await notifications.consume(asked_again)
        await notifications.consume(asked_again)
        assert len(postman.sent) == 1

    async def test_while_another_worker_sends_it_one_waits(
        self, notifications: Notifications, postman: Postman, delivery: Delivery, watch: Watch
    ) -> None:
        postman.fault = ZeroDivisionError()  # as killed: nothing is said any more
        with pytest.raises(ZeroDivisionError):
            await notifications.consume(delivery)
        postman.fault = None
        with pytest.raises(Unavailable):
            await notifications.consume(delivery)
        watch.wind(timedelta(minutes=2))
        with pytest.raises(GivenUp, match=NOT_KNOWN):
            await notifications.consume(delivery)
        assert postman.sent == []


class TestSes:
    async def test_a_mailer_that_is_not_reached_took_nothing(self, tools: EventTools) -> None:
        from adapters.aws.clients import SES, Aws

        async with Aws("ap-northeast-1", "http://127.0.0.1:9", 2000, services=(SES,)) as nowhere:
            with pytest.raises(Unavailable):
                await SesMailer(nowhere, "a@example.com").send("b@example.com", Letter("s", "t"), "k")

    async def test_what_ses_refuses_is_hopeless(self, tools: EventTools) -> None:
        with pytest.raises(GivenUp, match="SES refuses the mail"):
            await SesMailer(tools.aws, "a@example.com").send("no address", Letter("s", "t"), "k")

    async def test_redriven_a_mail_of_unknown_fate_is_sent(
        self, tools: EventTools, shop: Shop, worker: Any, kept: Deliveries, address: str
    ) -> None:
        """As when a worker was killed between SES and the row that says so."""
        user = await registered(shop, worker, address)
        event = await worker.fetchval("SELECT id FROM events.outbox")
        await worker.execute(
            "INSERT INTO notifications.mails (key, template, language, user_id, begun_at)"
            " VALUES ($1, 'welcome', 'ja', $2, now() - interval '1 hour')",
            f"welcome:{event}",
            user,
        )

        async def is_recorded() -> bool:
            return await kept.failed() == {event: NOT_KNOWN}

        async with at_work(tools):
            await until(is_recorded)
            assert await mails_to(tools.settings.aws_endpoint_url, address) == []
            await redrive(places_of(tools, Notifications.name), PostgresFailures(tools.database), tools.clock, [event])
            await until(lambda: is_handled(kept, 1))
        assert len(await mails_to(tools.settings.aws_endpoint_url, address)) == 1
