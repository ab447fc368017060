"""Buying through the gateway, on the real database, carts and payment sandbox."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import insert, select, update

from adapters.postgres import tables
from domain.shared.ids import uuid7
from domain.shared.viewer import ANONYMOUS
from resolvers.global_ids import encode
from settings import Settings
from tests.api.buying import ADDRESS, Shopper, Stock, guest, key_of, pay, user
from tests.api.client import Client
from tests.api.conftest import Tokens
from tests.factories import Factory

T = tables


@pytest.fixture
def stock(make: Factory) -> Stock:
    return Stock(make)


async def orders_of_cart(make: Factory, product: UUID) -> list[Any]:
    """The orders that have an item of the product."""
    found = select(T.order_items.c.order_id).where(T.order_items.c.product_id == product).distinct()
    return [row[0] for row in await make.rows(found)]


class TestBuying:
    async def test_a_guest_buys_and_pays(
        self, http: httpx.AsyncClient, make: Factory, prepared: Settings, stock: Stock
    ) -> None:
        seller = await make.seller(shipping={"fee": 500, "free_over": 10_000})
        product = await make.product(seller_id=seller, name="煎茶", base_price=1980, stock_quantity=10)
        shopper = guest(http)
        await shopper.add(product, 2)
        done = await shopper.check_out()
        assert done["userErrors"] == []
        placed = done["checkout"]
        assert placed["__typename"] == "CheckoutActionRequired"
        order = placed["order"]
        assert (order["status"], order["total"]) == ("PENDING", {"amount": "4460", "currencyCode": "JPY"})
        assert order["items"] == [
            {"name": "煎茶", "quantity": 2, "unitPrice": {"amount": "1980"}, "fulfillmentStatus": "PENDING"}
        ]
        assert await stock.of(product) == (10, 2)
        await pay(prepared, placed["clientSecret"])
        paid = await shopper.state(order["id"])
        assert paid["__typename"] == "CheckoutSucceeded"
        assert (paid["order"]["status"], paid["order"]["payment"]["status"]) == ("PROCESSING", "SUCCEEDED")
        assert await stock.of(product) == (8, 0)

    async def test_a_user_buys_for_one_of_the_own_addresses(
        self, http: httpx.AsyncClient, make: Factory, token_of: Tokens
    ) -> None:
        product = await make.product()
        shopper = await user(http, token_of, "buys@example.com")
        address = await make.address(await make.user_id("buys@example.com"), recipient_name="佐藤一郎")
        await shopper.add(product)
        done = await shopper.check_out(address=None, addressId=encode("Address", address))
        order = key_of(done["checkout"]["order"])
        [kept] = await make.rows(select(T.order_addresses).where(T.order_addresses.c.order_id == order))
        assert (kept.recipient_name, kept.email, kept.language) == ("佐藤一郎", "buys@example.com", "en")
        await make.change(T.addresses, address, city="港区")
        [kept] = await make.rows(select(T.order_addresses).where(T.order_addresses.c.order_id == order))
        assert kept.city == "千代田区"  # the order's own copy

    async def test_what_was_agreed_is_kept_by_seller_and_rate(self, http: httpx.AsyncClient, make: Factory) -> None:
        tea = await make.seller(
            shipping={"fee": 600}, commission_rate=0.0875, registration_number="T1234567890123", company_name="山の茶"
        )
        bowls = await make.seller()
        reduced = await make.category(tax_class="reduced")
        leaves = await make.product(seller_id=tea, category_id=reduced, base_price=1079)
        pot = await make.product(seller_id=tea, base_price=3300)
        bowl = await make.product(seller_id=bowls, base_price=1100)
        shopper = guest(http)
        for product in (leaves, pot, bowl):
            await shopper.add(product)
        placed = (await shopper.check_out())["checkout"]["order"]
        order = key_of(placed)
        parts = {
            row.seller_id: row
            for row in await make.rows(select(T.order_sellers).where(T.order_sellers.c.order_id == order))
        }
        mine = parts[tea]
        assert (mine.seller_name, mine.registration_number) == ("山の茶", "T1234567890123")
        assert (mine.subtotal, mine.shipping_fee, mine.total) == (4379, 600, 4979)
        assert (mine.commission_rate_bp, mine.commission) == (875, 383)  # 383.16, in the seller's favour
        assert (parts[bowls].total, parts[bowls].commission) == (1100, 110)
        taxes = await make.rows(select(T.order_taxes).where(T.order_taxes.c.order_id == order))
        assert {(row.seller_id, row.percent, row.taxable, row.tax) for row in taxes} == {
            (tea, 8, 1079, 79),
            (tea, 10, 3900, 354),
            (bowls, 10, 1100, 100),
        }
        assert (placed["total"]["amount"], placed["tax"]["amount"]) == ("6079", "533")
        items = await make.rows(select(T.order_items).where(T.order_items.c.order_id == order))
        assert {(row.product_id, row.tax_percent) for row in items} == {(leaves, 8), (pot, 10), (bowl, 10)}

    async def test_a_variation_is_bought_by_its_own_stock_and_price(
        self, http: httpx.AsyncClient, make: Factory, stock: Stock
    ) -> None:
        product = await make.product(base_price=1000)
        small = await make.variation(product, name="100 g", stock_quantity=5)
        large = await make.variation(product, name="500 g", stock_quantity=2, price_adjustment=3000)
        shopper = guest(http)
        await shopper.add(product, 2, variation=large)
        await shopper.add(product, 1, variation=small)
        order = key_of((await shopper.check_out())["checkout"]["order"])
        items = await make.rows(select(T.order_items).where(T.order_items.c.order_id == order))
        assert {(row.variation_name, row.unit_price, row.quantity) for row in items} == {
            ("500 g", 4000, 2),
            ("100 g", 1000, 1),
        }
        kinds = T.product_variations.c
        rows = await make.rows(select(kinds.id, kinds.reserved_quantity).where(kinds.product_id == product))
        assert {row.id: row.reserved_quantity for row in rows} == {small: 1, large: 2}
        assert await stock.of(product) == (7, 3)

    async def test_in_dollars_too(self, http: httpx.AsyncClient, make: Factory, prepared: Settings) -> None:
        product = await make.product(currency="USD", base_price=1999)
        shopper = guest(http)
        await shopper.add(product, 3)
        placed = (await shopper.check_out())["checkout"]
        assert placed["order"]["total"] == {"amount": "59.97", "currencyCode": "USD"}
        answer = await pay(prepared, placed["clientSecret"])
        assert (answer.json()["amount"], answer.json()["currency"]) == (5997, "usd")
        assert (await shopper.state(placed["order"]["id"]))["__typename"] == "CheckoutSucceeded"

    async def test_a_declined_card_can_be_tried_again_with_another(
        self, http: httpx.AsyncClient, make: Factory, prepared: Settings, stock: Stock
    ) -> None:
        product = await make.product(stock_quantity=3)
        shopper = guest(http)
        await shopper.add(product)
        placed = (await shopper.check_out())["checkout"]
        await pay(prepared, placed["clientSecret"], "pm_card_chargeDeclinedInsufficientFunds")
        failed = await shopper.state(placed["order"]["id"])
        assert failed["__typename"] == "CheckoutFailed"
        assert (failed["reason"], failed["message"]) == ("FUNDS", "the card has not enough left for this amount")
        assert await stock.of(product) == (3, 1)  # still set aside
        await pay(prepared, failed["retryClientSecret"])
        assert (await shopper.state(placed["order"]["id"]))["__typename"] == "CheckoutSucceeded"
        assert await stock.of(product) == (2, 0)


class TestWhatIsRefused:
    """Told line by line; nothing is written."""

    async def refused(self, make: Factory, shopper: Shopper, product: UUID, **given: Any) -> Any:
        done = await shopper.check_out(**given)
        assert done["checkout"] is None
        assert await orders_of_cart(make, product) == []
        reserved = select(T.products.c.reserved_quantity).where(T.products.c.id == product)
        assert (await make.rows(reserved))[0][0] == 0
        return done

    async def test_a_price_that_changed_since_the_quote(self, http: httpx.AsyncClient, make: Factory) -> None:
        product = await make.product(base_price=1000)
        shopper = guest(http)
        await shopper.add(product)
        quoted = await shopper.quote_hash()
        await make.change(T.products, product, base_price=1200)
        done = await self.refused(make, shopper, product, quote_hash=quoted)
        assert [(each["code"], each["field"]) for each in done["userErrors"]] == [
            ("QUOTE_CHANGED", ["quoteHash"]),
            ("PRICE_CHANGED", ["cart", "lines", str(product)]),
        ]
        assert done["userErrors"][1]["message"] == "the price of one is 1200 JPY: it was 1000"
        [problem] = done["problems"]
        assert (problem["was"]["amount"], problem["now"]["amount"]) == ("1000", "1200")
        agreed = await shopper.check_out(quote_hash=done["quote"]["quoteHash"])
        assert agreed["checkout"]["order"]["total"]["amount"] == done["quote"]["total"]["amount"] == "1200"

    async def test_stock_that_is_short_or_gone(self, http: httpx.AsyncClient, make: Factory) -> None:
        short, gone, there = [await make.product(stock_quantity=5) for _ in range(3)]
        shopper = guest(http)
        for product in (short, gone, there):
            await shopper.add(product, 4)
        quoted = await shopper.quote_hash()
        await make.change(T.products, short, stock_quantity=3)
        await make.change(T.products, gone, stock_quantity=0)
        done = await self.refused(make, shopper, there, quote_hash=quoted)
        assert [(each["code"], each["field"][2]) for each in done["userErrors"]] == [
            ("INSUFFICIENT_STOCK", str(short)),
            ("OUT_OF_STOCK", str(gone)),
        ]
        assert [(each["requested"], each["available"]) for each in done["problems"]] == [(4, 3), (4, 0)]
        assert done["quote"] is None

    async def test_what_is_no_longer_sold(self, http: httpx.AsyncClient, make: Factory) -> None:
        seller = await make.seller()
        dropped, of_suspended = await make.product(), await make.product(seller_id=seller)
        shopper = guest(http)
        await shopper.add(dropped)
        await shopper.add(of_suspended)
        quoted = await shopper.quote_hash()
        await make.change(T.products, dropped, status="discontinued")
        await make.change(T.sellers, seller, status="suspended")
        done = await self.refused(make, shopper, dropped, quote_hash=quoted)
        assert {(each["code"], each["field"][2]) for each in done["userErrors"]} == {
            ("LINE_UNAVAILABLE", str(dropped)),
            ("LINE_UNAVAILABLE", str(of_suspended)),
        }

    async def test_carriage_that_changed_since_the_quote(self, http: httpx.AsyncClient, make: Factory) -> None:
        seller = await make.seller()
        product = await make.product(seller_id=seller)
        shopper = guest(http)
        await shopper.add(product)
        quoted = await shopper.quote_hash()
        [profile] = await make.rows(select(T.seller_profiles.c.id).where(T.seller_profiles.c.seller_id == seller))
        await make.change(T.seller_profiles, profile[0], shipping_policies={"fee": 800})
        done = await self.refused(make, shopper, product, quote_hash=quoted)
        assert [each["code"] for each in done["userErrors"]] == ["QUOTE_CHANGED"]
        assert done["quote"]["total"]["amount"] == "2780"

    async def test_an_empty_cart_and_no_cart_at_all(self, http: httpx.AsyncClient, make: Factory) -> None:
        product = await make.product()
        shopper = guest(http)
        nobody = await shopper.check_out(quote_hash="0" * 64)
        assert [each["code"] for each in nobody["userErrors"]] == ["NO_CART_OWNER"]
        await shopper.add(product)
        remove = "mutation ($id: ID!) { cartItemRemove(input: { lineId: $id }) { userErrors { code } } }"
        await shopper.client.data(remove, id=str(product))
        empty = await shopper.check_out(quote_hash="0" * 64)
        assert [each["code"] for each in empty["userErrors"]] == ["CART_EMPTY"]

    async def test_an_address_of_somebody_else_and_one_without_a_name(
        self, http: httpx.AsyncClient, make: Factory, token_of: Tokens
    ) -> None:
        product = await make.product()
        shopper = await user(http, token_of, "address@example.com")
        mine = await make.user_id("address@example.com")
        await shopper.add(product)
        others = encode("Address", await make.address(await make.user()))
        nameless = encode("Address", await make.address(mine, recipient_name=None))
        done = await self.refused(make, shopper, product, address=None, addressId=others)
        assert [each["code"] for each in done["userErrors"]] == ["NOT_FOUND"]
        done = await self.refused(make, shopper, product, address=None, addressId=nameless)
        assert [each["code"] for each in done["userErrors"]] == ["ADDRESS_INCOMPLETE"]
        done = await self.refused(make, shopper, product, addressId=nameless)  # and one written out
        assert [each["code"] for each in done["userErrors"]] == ["BAD_USER_INPUT"]

    async def test_a_guest_without_a_mail_address_or_with_a_place_that_is_none(
        self, http: httpx.AsyncClient, make: Factory
    ) -> None:
        product = await make.product()
        shopper = guest(http)
        await shopper.add(product)
        done = await self.refused(make, shopper, product, email=None)
        assert [each["code"] for each in done["userErrors"]] == ["BAD_USER_INPUT"]
        done = await self.refused(make, shopper, product, email="not one")
        assert [each["field"] for each in done["userErrors"]] == [["email"]]
        wrong = ADDRESS | {"prefecture": "Atlantis", "postalCode": "1"}
        done = await self.refused(make, shopper, product, address=wrong)
        assert {each["code"] for each in done["userErrors"]} == {"INVALID_PREFECTURE", "INVALID_POSTAL_CODE"}

    async def test_less_than_a_card_can_be_charged(self, http: httpx.AsyncClient, make: Factory) -> None:
        product = await make.product(base_price=49)
        shopper = guest(http)
        await shopper.add(product)
        done = await self.refused(make, shopper, product)
        assert [each["code"] for each in done["userErrors"]] == ["AMOUNT_TOO_SMALL"]


class TestOnce:
    async def test_the_same_key_gives_the_same_order_as_it_is_by_then(
        self, http: httpx.AsyncClient, make: Factory, prepared: Settings
    ) -> None:
        product = await make.product()
        shopper = guest(http)
        await shopper.add(product)
        given = await shopper.input()
        first = (await shopper.send(given))["checkout"]
        again = (await shopper.send(given))["checkout"]
        assert again == first
        await pay(prepared, first["clientSecret"])
        paid = (await shopper.send(given))["checkout"]
        assert (paid["__typename"], paid["order"]["id"]) == ("CheckoutSucceeded", first["order"]["id"])
        other = await shopper.send(given | {"address": ADDRESS | {"line1": "2-2"}})
        assert [each["code"] for each in other["userErrors"]] == ["IDEMPOTENCY_KEY_REUSED"]
        assert len(await orders_of_cart(make, product)) == 1

    async def test_a_key_is_of_use_to_nobody_else(self, http: httpx.AsyncClient, make: Factory) -> None:
        product = await make.product()
        shopper, other = guest(http), guest(http)
        await shopper.add(product)
        await other.add(product)
        given = await shopper.input()
        mine = (await shopper.send(given))["checkout"]["order"]
        theirs = (await other.send(given))["checkout"]["order"]
        assert mine["id"] != theirs["id"]

    async def test_twenty_at_once_make_one_order_one_intent_and_one_answer(
        self, http: httpx.AsyncClient, make: Factory, prepared: Settings, stock: Stock
    ) -> None:
        product = await make.product()
        shopper = guest(http)
        await shopper.add(product)
        given = await shopper.input()
        answers = await asyncio.gather(*(shopper.send(given) for _ in range(20)))
        codes = {error["code"] for each in answers for error in each["userErrors"]}
        assert codes <= {"IDEMPOTENCY_IN_PROGRESS"}
        placed = [each["checkout"] for each in answers if each["checkout"]]
        assert placed
        for each in answers:
            if each["checkout"] is None:  # told to try again, and does
                placed.append((await shopper.send(given))["checkout"])
        assert len(placed) == 20
        assert len({each["order"]["id"] for each in placed}) == 1
        assert len({each["clientSecret"] for each in placed}) == 1
        assert len(await orders_of_cart(make, product)) == 1
        assert await stock.of(product) == (10, 1)
        key = prepared.stripe_secret_key.get_secret_value()
        async with httpx.AsyncClient(headers={"authorization": f"Bearer {key}"}, trust_env=False) as stripe:
            order = str(key_of(placed[0]["order"]))
            found = await stripe.get(f"{prepared.stripe_api_base}/v1/payment_intents", params={"limit": 100})
            intents = [each for each in found.json()["data"] if each["metadata"].get("order_id") == order]
        assert len(intents) == 1

    async def test_two_tabs_with_one_cart_make_one_order(
        self, http: httpx.AsyncClient, make: Factory, stock: Stock
    ) -> None:
        product = await make.product()
        shopper = guest(http)
        await shopper.add(product, 3)
        tabs = [await shopper.input() for _ in range(2)]
        answers = await asyncio.gather(*map(shopper.send, tabs))
        assert len({each["checkout"]["order"]["id"] for each in answers}) == 1
        assert len(await orders_of_cart(make, product)) == 1
        assert await stock.of(product) == (10, 3)

    async def test_another_version_of_the_cart_is_another_order(self, http: httpx.AsyncClient, make: Factory) -> None:
        product = await make.product()
        shopper = guest(http)
        await shopper.add(product)
        first = (await shopper.check_out())["checkout"]["order"]["id"]
        await shopper.add(product)
        assert (await shopper.check_out())["checkout"]["order"]["id"] != first

    async def test_a_cart_whose_order_came_to_nothing_can_be_bought_after_all(
        self, http: httpx.AsyncClient, make: Factory
    ) -> None:
        product = await make.product()
        shopper = guest(http)
        await shopper.add(product)
        placed = (await shopper.check_out())["checkout"]["order"]
        await given_up(make, key_of(placed))
        again = (await shopper.check_out())["checkout"]["order"]
        assert again["id"] != placed["id"]
        assert (await shopper.check_out())["checkout"]["order"]["id"] == again["id"]


async def given_up(make: Factory, order: UUID) -> None:
    """As the program itself cancels what nobody pays."""
    [item] = [row[0] for row in await make.rows(select(T.order_items.c.id).where(T.order_items.c.order_id == order))]
    async with make._database.transaction(ANONYMOUS) as connection:
        await connection.execute(
            update(T.order_items).where(T.order_items.c.id == item).values(fulfillment_status="cancelled")
        )
        await connection.execute(update(T.orders).where(T.orders.c.id == order).values(status="cancelled"))
        steps = {"status": "cancelled", "changed_as": "system"}
        await connection.execute(insert(T.order_item_status_histories).values(id=uuid7(), order_item_id=item, **steps))
        await connection.execute(insert(T.order_status_histories).values(id=uuid7(), order_id=order, **steps))


class TestWhoSees:
    async def test_an_order_is_its_guests_alone(self, http: httpx.AsyncClient, make: Factory, token_of: Tokens) -> None:
        product = await make.product()
        shopper, other = guest(http), guest(http)
        await shopper.add(product)
        await other.add(product)
        order = (await shopper.check_out())["checkout"]["order"]
        show = "query ($id: ID!) { order(id: $id) { id } checkoutState(orderId: $id) { __typename } }"
        mine = await shopper.client.data(show, id=order["id"])
        assert mine == {"order": {"id": order["id"]}, "checkoutState": {"__typename": "CheckoutActionRequired"}}
        nothing = {"order": None, "checkoutState": None}
        assert await other.client.data(show, id=order["id"]) == nothing
        stranger = await user(http, token_of, "stranger@example.com")
        assert await stranger.client.data(show, id=order["id"]) == nothing

    async def test_an_admin_sees_the_order_and_not_what_pays_for_it(
        self, http: httpx.AsyncClient, make: Factory, token_of: Tokens
    ) -> None:
        product = await make.product()
        shopper = guest(http)
        await shopper.add(product)
        order = (await shopper.check_out())["checkout"]["order"]
        admin = Client(http, token=await token_of("till-admin@example.com", "admin"))
        show = "query ($id: ID!) { order(id: $id) { id } checkoutState(orderId: $id) { __typename } }"
        assert await admin.data(show, id=order["id"]) == {"order": {"id": order["id"]}, "checkoutState": None}


FIND = """
mutation ($number: String!, $email: String!) {
  orderLinkCreate(input: { orderNumber: $number, email: $email }) { token userErrors { code message } } }
"""
BY_LINK = """
query ($token: String!) { orderByLink(token: $token) { orderNumber status items { name } payment { status } } }
"""


class TestLinks:
    async def test_a_guest_comes_back_to_the_order_by_number_and_mail_address(
        self, http: httpx.AsyncClient, make: Factory, api: Client
    ) -> None:
        product = await make.product(name="玉露")
        shopper = guest(http)
        await shopper.add(product)
        order = (await shopper.check_out())["checkout"]["order"]
        number = order["orderNumber"].lower().replace("-", " ")
        found = (await api.data(FIND, number=number, email=shopper.email.upper()))["orderLinkCreate"]
        assert found["userErrors"] == []
        shown = (await api.data(BY_LINK, token=found["token"]))["orderByLink"]
        assert shown == {
            "orderNumber": order["orderNumber"],
            "status": "PENDING",
            "items": [{"name": "玉露"}],
            "payment": {"status": "PENDING"},
        }
        forged = found["token"][:-2] + ("AA" if found["token"][-2:] != "AA" else "BB")
        assert (await api.data(BY_LINK, token=forged))["orderByLink"] is None

    async def test_what_is_wrong_is_not_told(self, http: httpx.AsyncClient, make: Factory, token_of: Tokens) -> None:
        product = await make.product()
        shopper, signed_in = guest(http), await user(http, token_of, "has-orders@example.com")
        orders = {}
        for each in (shopper, signed_in):
            await each.add(product)
            orders[each.email] = (await each.check_out())["checkout"]["order"]["orderNumber"]
        tries = [
            (orders[shopper.email], "somebody@example.com"),
            ("22222-22222", shopper.email),
            (orders[signed_in.email], signed_in.email),  # a user signs in
            ("x" * 1000, shopper.email),
        ]
        told = []
        for number, email in tries:
            answer = (await signed_in.client.data(FIND, number=number, email=email))["orderLinkCreate"]
            assert answer["token"] is None
            told.append(answer["userErrors"])
        assert all(each == told[0] for each in told)
        assert told[0][0]["code"] == "NOT_FOUND"
