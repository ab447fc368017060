"""Receipts as PDF: opened by a PDF reader, they say what the data say; and nobody gets one without its address."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pypdfium2
import pytest
from sqlalchemy import select

from adapters.postgres import tables
from adapters.receipt_links import ReceiptLinks
from adapters.receipts.pdf import pdf_of
from adapters.receipts.press import MAX_WAITING, ReceiptPress
from domain.orders.receipts import Receipt, ReceiptLine, ReceiptTax
from domain.shared.ids import OrderId, SellerId, uuid7
from domain.shared.money import Money
from domain.shared.refusals import Unavailable
from resolvers.global_ids import encode
from settings import Settings
from tests.api.client import Client
from tests.api.conftest import Tokens
from tests.api.test_rate_limits import client, serving, somewhere
from tests.factories import Factory

RECEIPTS = """query ($id: ID!) { order(id: $id) { orderNumber receipts { pdfUrl sellerName registrationNumber total { amount }
  shippingFee { amount } refunded { amount } lines { name quantity unitPrice { amount } total { amount } taxPercent }
  taxes { percent taxable { amount } tax { amount } refunded { amount } refundedTax { amount } } } } }"""


def text_of(content: bytes) -> str:
    """All that a PDF shows, without any white space: a reader sees breaks and gaps where it likes."""
    document = pypdfium2.PdfDocument(content)
    try:
        pages = [page.get_textpage().get_text_range() for page in document]
    finally:
        document.close()
    return closed("".join(pages))


def closed(text: str) -> str:
    return "".join(text.split())


def yen(money: dict[str, str]) -> str:
    return f"{int(money['amount']):,}円"


class Till:
    def __init__(self, make: Factory, http: httpx.AsyncClient, clients: list[Client], buyer: UUID) -> None:
        self.make, self.http, self.buyer_id = make, http, buyer
        self.buyer, self.other = clients

    async def bought(self, **values: Any) -> Any:
        sellers = [await self.make.seller(), await self.make.seller()]
        lines = [(await self.make.product(seller_id=each), each, 3, 1980 + n) for n, each in enumerate(sellers)]
        self.sellers = sellers
        return await self.make.bought(self.buyer_id, *lines, fees=dict.fromkeys(sellers, 550), **values)

    async def order(self, order: UUID) -> Any:
        return (await self.buyer.data(RECEIPTS, id=encode("Order", order)))["order"]

    async def get(self, url: str) -> httpx.Response:
        return await self.http.get(url)


@pytest.fixture
async def till(http: httpx.AsyncClient, token_of: Tokens, make: Factory) -> Till:
    clients = []
    for who in ("pays", "looks"):
        email = f"{who}-{uuid7()}@example.com"
        clients.append(Client(http, token=await token_of(email, "buyer")))
        await clients[-1].data("{ viewer { email } }")
        if who == "pays":
            user = await make.user_id(email)
    return Till(make, http, clients, user)


async def test_the_paper_says_what_the_data_say_with_what_went_back(till: Till) -> None:
    bought = await till.bought()
    refund = await till.make.refund(bought.order, bought.items[0], till.sellers[0], 1980)
    at = datetime(2026, 4, 30, 16, tzinfo=UTC)
    await till.make.change(tables.refunds, refund, status="succeeded", settled_at=at)
    order = await till.order(bought.order)
    assert sorted(receipt["refunded"]["amount"] for receipt in order["receipts"]) == ["0", "1980"]
    for receipt in order["receipts"]:
        answer = await till.get(receipt["pdfUrl"])
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
        shown = text_of(answer.content)
        assert f"注文番号Order:{order['orderNumber']}" in shown
        assert "領収書（適格請求書）" in shown
        assert f"登録番号Registrationnumber:{receipt['registrationNumber']}" in shown
        assert closed(f"発行者Issuedby:{receipt['sellerName']}") in shown
        assert f"合計Total:{yen(receipt['total'])}" in shown
        assert f"送料Shipping{yen(receipt['shippingFee'])}" in shown
        for line in receipt["lines"]:
            numbers = f"{line['quantity']}{yen(line['unitPrice'])}{yen(line['total'])}{line['taxPercent']}%"
            assert closed(f"{line['name']}{numbers}") in shown
        for tax in receipt["taxes"]:
            assert f"{tax['percent']}%{yen(tax['taxable'])}{yen(tax['tax'])}" in shown
            back = f"{tax['percent']}%{yen(tax['refunded'])}{yen(tax['refundedTax'])}"
            assert (back in shown) == ("返還請求書" in shown) == (receipt["refunded"]["amount"] != "0")
        if receipt["refunded"]["amount"] != "0":
            assert "返金日Refundedon:2026年5月1日" in shown
            left = int(receipt["total"]["amount"]) - 1980
            assert f"返金合計Refunded:1,980円返金後の金額Afterrefunds:{left:,}円" in shown


async def test_nobody_keeps_it_on_the_way(till: Till) -> None:
    bought = await till.bought()
    [first, _] = (await till.order(bought.order))["receipts"]
    headers = (await till.get(first["pdfUrl"])).headers
    assert headers["cache-control"] == "private, no-store"
    assert (headers["referrer-policy"], headers["x-content-type-options"]) == ("no-referrer", "nosniff")
    assert re.fullmatch(r'inline; filename="receipt-[A-Za-z0-9-]+\.pdf"', headers["content-disposition"])


async def test_no_address_is_guessed_or_made_of_another(till: Till) -> None:
    bought = await till.bought()
    [first, second] = (await till.order(bought.order))["receipts"]
    assert (await till.other.data(RECEIPTS, id=encode("Order", bought.order)))["order"] is None
    _, _, token, seller = first["pdfUrl"].removeprefix("http://").split("/")
    others = second["pdfUrl"].rsplit("/", 1)[1]
    last = "A" if token[-2] != "A" else "B"
    tries = [
        f"/receipts/{token}/{others}",  # the same order, another seller
        f"/receipts/{token}/{uuid7()}.pdf",
        f"/receipts/{token[:-2]}{last}{token[-1]}/{seller}",
        f"/receipts/{token.replace('r1.', 'o1.')}/{seller}",
        f"/receipts/r1.{'A' * (len(token) - 3)}/{seller}",
        f"/receipts/é/{seller}",
        f"/receipts/{bought.order}/{seller}",
    ]
    answers = [await till.get(each) for each in tries]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert (await till.get(f"/receipts/{token}/../{seller}")).status_code == 404


async def test_an_address_that_asks_too_often_is_told_when_to_come_again(prepared: Settings) -> None:
    """Before anything is looked at: who tries addresses pays for each."""
    url = f"/receipts/r1.{'A' * 40}/{uuid7()}.pdf"
    async with serving(prepared, rate_requests_per_s=0.01, rate_requests_burst=2) as app:
        here, elsewhere = client(app, somewhere()).http, client(app, somewhere()).http
        answers = [await here.get(url) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [404, 404, 429]
        assert 1 <= int(answers[2].headers["retry-after"]) <= 100
        assert answers[2].headers["cache-control"] == "private, no-store"
        assert (await elsewhere.get(url)).status_code == 404
        for each in (here, elsewhere):
            await each.aclose()


class Then:
    """A clock that stands still."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now


async def test_an_address_is_of_no_use_after_ten_minutes() -> None:
    now, secret = datetime(2026, 4, 1, tzinfo=UTC), "s" * 32
    order, seller = OrderId(uuid7()), SellerId(uuid7())
    url = ReceiptLinks("https://shop.example", secret, Then(now)).address((order, seller))
    assert url.startswith("https://shop.example/receipts/r1.")
    token = url.split("/")[-2]
    for minutes, found in ((0, order), (9, order), (10, None)):
        later = ReceiptLinks("", secret, Then(now + timedelta(minutes=minutes)))
        assert later.read(token, seller) == found
    assert ReceiptLinks("", "t" * 32, Then(now)).read(token, seller) is None


async def test_what_was_never_paid_has_none_even_by_an_address(till: Till, prepared: Any) -> None:
    bought = await till.bought(status="pending")
    assert (await till.order(bought.order))["receipts"] == []
    links = ReceiptLinks("", prepared.secret_key.get_secret_value(), Then(datetime.now(UTC)))
    assert (await till.get(links.address((bought.order, SellerId(till.sellers[0]))))).status_code == 404
    [row] = await till.make.rows(select(tables.orders.c.status).where(tables.orders.c.id == bought.order))
    assert row.status == "pending"


def a_receipt(**changes: Any) -> Receipt:
    given: dict[str, Any] = {
        "order_id": OrderId(uuid7()),
        "order_number": "7K3MB-9QXD2",
        "seller_id": SellerId(uuid7()),
        "seller_name": "茶舗 <b>&amp; 𠮷田</b>",
        "registration_number": None,
        "issued_at": datetime(2026, 3, 31, 15, 30, tzinfo=UTC),
        "lines": [ReceiptLine("煎茶 100 g", 1, Money(1999, "USD"), Money(1999, "USD"), 8)],
        "shipping_fee": Money(0, "USD"),
        "total": Money(1999, "USD"),
        "taxes": [ReceiptTax(8, Money(1999, "USD"), Money(148, "USD"), Money(0, "USD"), Money(0, "USD"))],
        "refunded": Money(0, "USD"),
        "refunded_at": None,
        "user_id": None,
    }
    return Receipt(**(given | changes))


def test_a_receipt_of_who_is_not_registered_is_no_invoice_and_marks_the_reduced_rate() -> None:
    shown = text_of(pdf_of(a_receipt()))
    assert "適格" not in shown
    assert "登録番号" not in shown
    assert closed("発行者 Issued by: 茶舗 <b>&amp; 〓田</b>") in shown  # as it is written, and not as markup
    assert "2026年4月1日" in shown  # the day in Japan
    assert closed("煎茶 100 g ※1USD 19.99USD 19.998%") in shown
    assert "※は軽減税率対象です。" in shown
    assert "8%USD19.99USD1.48" in shown
    assert "送料" not in shown


def test_many_long_names_go_on_over_the_page_and_none_is_lost() -> None:
    lines = [ReceiptLine(f"第{n}号" + "長" * 200, n, Money(1, "JPY"), Money(n, "JPY"), 10) for n in range(1, 51)]
    yens = {"total": Money(1275, "JPY"), "shipping_fee": Money(0, "JPY"), "refunded": Money(0, "JPY")}
    taxes = [ReceiptTax(10, Money(1275, "JPY"), Money(115, "JPY"), Money(0, "JPY"), Money(0, "JPY"))]
    content = pdf_of(a_receipt(lines=lines, taxes=taxes, **yens))
    shown = text_of(content)
    assert all(f"第{n}号" in shown for n in range(1, 51))
    assert len(content) < 100_000
    assert pdf_of(a_receipt(lines=lines, taxes=taxes, **yens)) == content


@pytest.fixture
async def press() -> AsyncIterator[ReceiptPress]:
    press = ReceiptPress()
    yield press
    press.close()


async def test_more_than_can_wait_are_told_so_and_later_ones_are_printed(press: ReceiptPress) -> None:
    receipt = a_receipt()
    printed = await asyncio.gather(*(press.printed(receipt) for _ in range(MAX_WAITING + 3)), return_exceptions=True)
    assert [isinstance(each, bytes) for each in printed] == [True] * MAX_WAITING + [False] * 3
    assert all(isinstance(each, Unavailable) for each in printed[MAX_WAITING:])
    assert isinstance(await press.printed(receipt), bytes)
