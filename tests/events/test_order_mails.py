"""Mails of orders: to buyers and guests what became of theirs, to sellers what they have to send and what runs low."""

import re
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from adapters.dynamodb.preferences import DynamoPreferences
from adapters.dynamodb.tables import ensure_tables
from adapters.order_links import HiddenOrderLinks, OrderLinks
from adapters.postgres.events import put_out
from commands import jobs
from composition.pipeline import EventTools, ensure_places, links_of, open_event_tools, order_mails
from domain.accounts.preferences import Preferences
from domain.events.ports import Delivery
from domain.notifications.orders import OF_ORDERS, OrderMails, shown
from domain.notifications.shipping import TOGETHER, ShippingMails
from domain.notifications.templates import LETTERS, PLACE, Template
from domain.shared.clock import SystemClock
from domain.shared.events import Event
from domain.shared.ids import UserId
from domain.shared.languages import Language
from domain.shared.money import Money
from domain.shared.refusals import Unavailable
from domain.shared.viewer import ANONYMOUS
from settings import Settings
from tests.events.conftest import at_work, until
from tests.events.places import Deliveries, all_events, mails_to, queues
from tests.postgres.shop import Shop


@pytest.fixture
async def tools(settings: Settings, worker: Any) -> AsyncIterator[EventTools]:
    mine = settings.model_copy(update={"mail_from": "Torii <no-reply@torii.example>", "revalidate_url": ""})
    async with open_event_tools(mine, SystemClock()) as tools:
        await ensure_places(tools)
        await ensure_tables(tools.aws, mine.dynamodb_table_prefix)
        yield tools


@pytest.fixture
def address() -> str:
    return f"{uuid4().hex}@example.com"


@pytest.fixture
def kept(worker: Any) -> Deliveries:
    return Deliveries(worker, OrderMails.name)


async def put(tools: EventTools, kind: str, stream: str, **told: Any) -> None:
    aggregate, _, key = stream.partition("/")
    async with tools.database.transaction(ANONYMOUS) as connection:
        await put_out(connection, [Event(kind, aggregate, UUID(key), told, stream)])


async def written(tools: EventTools) -> list[Any]:
    """What is written of each event there is."""
    return [
        await order_mails(tools, links_of(tools)).written(record)
        for record in await all_events(tools)
        if record.event.stream
    ]


class TestBuyers:
    @pytest.fixture
    async def seller(self, shop: Shop) -> UUID:
        return await shop.seller()

    @pytest.fixture
    async def product(self, shop: Shop, seller: UUID) -> UUID:
        return await shop.product(seller, await shop.category())

    @pytest.fixture
    async def buyer(self, shop: Shop, address: str) -> UUID:
        return await shop.user(email=address, email_verified_at=SystemClock().now())

    async def test_is_written_to_once_in_the_buyers_language(
        self, tools: EventTools, shop: Shop, worker: Any, kept: Deliveries, buyer: UUID, address: str
    ) -> None:
        store = DynamoPreferences(tools.aws, tools.settings.dynamodb_table_prefix)
        await store.store(UserId(buyer), Preferences(language=Language.EN, version=1, updated_at=SystemClock().now()))
        order = await shop.order(buyer, order_number=f"E-{uuid4()}")
        number = await worker.fetchval("SELECT order_number FROM orders.orders WHERE id = $1", order)
        await put(tools, "OrderPlaced", f"order/{order}", orderStatus="pending")
        records = [record for record in await all_events(tools) if record.event.stream]
        await queues(tools, OrderMails.name)[0].send([*records, *records])
        async with at_work(tools), at_work(tools):

            async def is_handled() -> bool:
                is_empty = await queues(tools, OrderMails.name)[0].waiting() == 0
                return is_empty and len(await kept.processed()) == 1

            await until(is_handled)
        assert await mails_to(tools.settings.aws_endpoint_url, address) == [f"We have your order {number}"]
        [mail] = [each for each in await jobs.mails(tools.settings, 50) if each.order_id == order]
        assert (mail.template, mail.user_id) == (Template.ORDER_PLACED, buyer)
        assert mail.id is not None
        _, to, letter = await jobs.mail(tools.settings, mail.id)
        assert (to, letter.subject) == (address, f"We have your order {number}")

    async def test_a_letter_names_what_it_is_about_and_how_it_is_followed(
        self, tools: EventTools, shop: Shop, buyer: UUID, seller: UUID, product: UUID
    ) -> None:
        order = await shop.order(buyer, subtotal=3000, total_amount=3000)
        item = await shop.item(order, product, seller, carrier="ヤマト運輸", tracking_number="1234-5678")
        await shop.item(order, product, seller, product_name="湯呑", quantity=2, total_price=2000)
        await put(tools, "OrderPaid", f"order/{order}", amount=3000)
        await put(tools, "OrderItemShipped", f"order/{order}", itemId=str(item))
        await put(tools, "RefundSucceeded", f"order/{order}", amount=500)
        texts = {each.mail.template: each.letter.text for each in await written(tools)}
        assert "・茶碗 × 1\n・湯呑 × 2\n" in texts[Template.ORDER_PAID]
        assert "3,000円" in texts[Template.ORDER_PAID]
        assert "湯呑" not in texts[Template.ORDER_SHIPPED]
        assert "配送業者: ヤマト運輸\nお問い合わせ番号: 1234-5678\n" in texts[Template.ORDER_SHIPPED]
        assert "返金額: 500円" in texts[Template.ORDER_REFUNDED]

    async def test_a_guest_is_written_to_at_the_orders_own_address(
        self, tools: EventTools, shop: Shop, address: str
    ) -> None:
        order = await shop.order(None, guest_id=uuid4())
        await shop.order_address(order, email=address)
        await shop.payment(order, status="succeeded", paid_at=SystemClock().now())
        await put(tools, "OrderPaid", f"order/{order}")
        [mail] = await written(tools)
        assert (mail.address, mail.mail.user_id, mail.mail.order_id) == (address, None, order)
        assert mail.letter.text.startswith("山田花子 様")

    async def test_a_guest_is_written_to_in_the_language_of_the_checkout(
        self, tools: EventTools, shop: Shop, address: str
    ) -> None:
        order = await shop.order(None, guest_id=uuid4())
        await shop.order_address(order, email=address, language="en")
        await shop.payment(order, status="succeeded", paid_at=SystemClock().now())
        await put(tools, "OrderPaid", f"order/{order}")
        [mail] = await written(tools)
        assert mail.mail.language is Language.EN

    async def test_nobody_is_sent_mails_by_orders_that_a_guest_does_not_pay(
        self, tools: EventTools, shop: Shop, address: str
    ) -> None:
        order = await shop.order(None, guest_id=uuid4())
        await shop.order_address(order, email=address)
        await shop.payment(order)
        for told in ("OrderPlaced", "OrderExpired", "OrderCancelled"):
            await put(tools, told, f"order/{order}")
        assert await written(tools) == [None, None, None]

    async def test_nobody_is_written_to_whose_address_was_erased_or_who_is_leaving(
        self, tools: EventTools, shop: Shop, address: str
    ) -> None:
        leaving = await shop.user(email=address, deletion_requested_at=SystemClock().now())
        for order in (await shop.order(None, guest_id=uuid4()), await shop.order(leaving)):
            await put(tools, "OrderCancelled", f"order/{order}")
        assert await written(tools) == [None, None]

    async def test_of_the_last_item_only_the_orders_cancellation_is_written(
        self, tools: EventTools, shop: Shop, buyer: UUID
    ) -> None:
        order = await shop.order(buyer)
        await put(tools, "OrderItemCancelled", f"order/{order}", orderStatus="cancelled")
        await put(tools, "OrderItemCancelled", f"order/{order}", orderStatus="processing")
        found = {each.mail.template for each in await written(tools) if each}
        assert found == {Template.ORDER_ITEM_CANCELLED}


SECRET = "secret-of-these-tests-for-links-of-guests"


def with_links(tools: EventTools, **values: Any) -> EventTools:
    return replace(tools, settings=tools.settings.model_copy(update={"secret_key": SecretStr(SECRET), **values}))


class TestGuestsLinks:
    @pytest.fixture
    async def order(self, shop: Shop, address: str) -> UUID:
        order = await shop.order(None, guest_id=uuid4())
        await shop.order_address(order, email=address)
        await shop.payment(order, status="succeeded", paid_at=SystemClock().now())
        return order

    async def test_a_guests_mail_leads_to_the_order_and_what_is_kept_does_not(
        self, tools: EventTools, worker: Any, order: UUID
    ) -> None:
        mine = with_links(tools, order_page_url="https://shop.example/order")
        await put(mine, "OrderPaid", f"order/{order}")
        [mail] = await written(mine)
        [token] = re.findall(r"https://shop\.example/order#(\S+)\n", mail.letter.text)
        assert OrderLinks(SECRET, SystemClock()).read(token) == order
        rows = await worker.fetch(
            "SELECT o::text FROM events.outbox o UNION ALL SELECT m::text FROM notifications.mails m"
        )
        assert rows
        assert not [row for row in rows if token in row[0]]
        assert token not in repr(mail)

    async def test_without_a_page_the_token_is_told_and_without_the_secret_none_is_made(
        self, tools: EventTools, order: UUID
    ) -> None:
        await put(tools, "OrderPaid", f"order/{order}")
        [told] = await written(with_links(tools))
        [token] = re.findall(r"\n(o1\.\S+)\n", told.letter.text)
        assert OrderLinks(SECRET, SystemClock()).read(token) == order
        [plain] = await written(with_links(tools, secret_key=SecretStr("")))
        assert "o1." not in plain.letter.text
        assert "90日間" not in plain.letter.text

    async def test_who_looks_at_the_mail_later_is_shown_no_link(self, tools: EventTools, order: UUID) -> None:
        await put(tools, "OrderPaid", f"order/{order}")
        [record] = [each for each in await all_events(tools) if each.event.stream]
        shown = await order_mails(with_links(tools), HiddenOrderLinks()).written(record)
        assert shown is not None
        assert "********" in shown.letter.text
        assert "o1." not in shown.letter.text

    async def test_a_user_signs_in_instead(self, tools: EventTools, shop: Shop, address: str) -> None:
        order = await shop.order(await shop.user(email=address, email_verified_at=SystemClock().now()))
        await put(tools, "OrderPaid", f"order/{order}")
        [mail] = await written(with_links(tools))
        assert "o1." not in mail.letter.text


class TestSentTogether:
    @pytest.fixture
    async def buyer(self, shop: Shop, address: str) -> UUID:
        return await shop.user(email=address, email_verified_at=SystemClock().now())

    async def test_one_mail_tells_of_all_that_a_seller_sent_within_a_minute(
        self, tools: EventTools, shop: Shop, worker: Any, kept: Deliveries, buyer: UUID, address: str
    ) -> None:
        category, sellers = await shop.category(), [await shop.seller(), await shop.seller()]
        products = [await shop.product(seller, category) for seller in sellers]
        order, began = await shop.order(buyer), SystemClock().now() - timedelta(hours=1)
        sent = (("茶碗", 0, 0, "1"), ("急須", 0, 30, "1"), ("湯呑", 0, 59, "2"), ("皿", 0, 61, "3"), ("箸", 1, 10, "4"))
        for name, of, after_s, number in sent:
            shipped = {"shipped_at": began + timedelta(seconds=after_s), "carrier": "ヤマト", "tracking_number": number}
            item = await shop.item(order, products[of], sellers[of], product_name=name, **shipped)
            await put(tools, "OrderItemShipped", f"order/{order}", itemId=str(item))
        texts = [each and each.letter.text for each in await written(tools)]
        assert [text is None for text in texts] == [False, True, True, False, False]
        first, late, other = (text for text in texts if text)
        assert "・茶碗 × 1\n・急須 × 1\n・湯呑 × 1\n" in first
        assert "茶碗, 急須\n配送業者: ヤマト\nお問い合わせ番号: 1\n" in first
        assert "湯呑\n配送業者: ヤマト\nお問い合わせ番号: 2\n" in first
        assert ("皿" in late, "茶碗" in late, "箸" in late) == (True, False, False)
        assert ("箸" in other, "茶碗" in other) == (True, False)

    async def test_it_comes_once_however_often_and_in_whichever_order_its_events_come(
        self, tools: EventTools, shop: Shop, kept: Deliveries, buyer: UUID, address: str, worker: Any
    ) -> None:
        seller = await shop.seller()
        product, order = await shop.product(seller, await shop.category()), await shop.order(buyer)
        now = SystemClock().now()
        for seconds in range(3):
            shipped = {"shipped_at": now + timedelta(seconds=seconds)}
            item = await shop.item(order, product, seller, **shipped)
            await put(tools, "OrderItemShipped", f"order/{order}", itemId=str(item))
        records = [record for record in await all_events(tools) if record.event.stream]
        consumer = ShippingMails(order_mails(tools, links_of(tools)))
        for record in [*reversed(records), *records]:
            with suppress(Unavailable):
                await consumer.consume(Delivery(record, None))
        number = await worker.fetchval("SELECT order_number FROM orders.orders WHERE id = $1", order)
        assert await mails_to(tools.settings.aws_endpoint_url, address) == [f"商品を発送しました（{number}）"]

    def test_each_type_of_event_has_one_consumer_that_writes(self) -> None:
        assert not OrderMails.types & ShippingMails.types
        assert OrderMails.types | ShippingMails.types >= {"OrderPaid", "OrderItemShipped", "StockLow"}
        assert ShippingMails.behind_s > TOGETHER.total_seconds()


class TestSellers:
    async def test_is_told_what_it_has_to_send_and_nothing_of_others(
        self, tools: EventTools, shop: Shop, address: str
    ) -> None:
        seller, other = await shop.seller(email=address), await shop.seller()
        category = await shop.category()
        order = await shop.order(None, guest_id=uuid4(), subtotal=2000, total_amount=2000)
        await shop.item(order, await shop.product(seller, category), seller)
        await shop.item(order, await shop.product(other, category), other, product_name="ほかの店の品")
        await put(tools, "OrderPaid", f"seller/{seller}", orderId=str(order))
        [mail] = await written(tools)
        assert (mail.address, mail.mail.seller_id) == (address, seller)
        assert "・茶碗 × 1" in mail.letter.text
        assert "ほかの店の品" not in mail.letter.text

    async def test_in_the_language_of_its_first_member(self, tools: EventTools, shop: Shop) -> None:
        member = await shop.user()
        store = DynamoPreferences(tools.aws, tools.settings.dynamodb_table_prefix)
        await store.store(UserId(member), Preferences(language=Language.EN, version=1, updated_at=SystemClock().now()))
        seller = await shop.seller(member=member)
        product = await shop.product(seller, await shop.category(), stock_quantity=3)
        await put(tools, "StockLow", f"seller/{seller}", productId=str(product))
        [mail] = await written(tools)
        assert mail.letter.subject == "茶碗 is running low"
        assert "there are 3 left" in mail.letter.text

    async def test_a_seller_that_is_not_active_is_not_written_to(self, tools: EventTools, shop: Shop) -> None:
        seller = await shop.seller(status="suspended")
        await put(tools, "StockLow", f"seller/{seller}", productId=str(uuid4()))
        assert await written(tools) == [None]


@pytest.mark.parametrize("template", sorted(OF_ORDERS))
def test_the_same_is_said_in_every_language(template: Template) -> None:
    places = [set(PLACE.findall(each.subject + each.text)) for each in LETTERS[template].values()]
    assert all(each == places[0] for each in places)
    assert places[0] <= {"number", "lines", "amount", "tracking", "product", "left"}


@pytest.mark.parametrize(
    ("money", "language", "text"),
    [
        (Money(1980, "JPY"), Language.JA, "1,980円"),
        (Money(1980, "JPY"), Language.EN, "JPY 1,980"),
        (Money(123456, "USD"), Language.JA, "USD 1,234.56"),
    ],
)
def test_an_amount_is_read_as_people_write_it(money: Money, language: Language, text: str) -> None:
    assert shown(money, language) == text
