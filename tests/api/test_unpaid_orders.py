"""What is ordered and not paid: it gives way to what the same buyer orders next, and nobody sets much aside without paying."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import func, select

from adapters.postgres import tables
from domain.orders.buying import HoldLimits
from resolvers.global_ids import encode
from settings import Settings
from tests.api.buying import CHECKOUT, Shopper, Stock, guest, key_of, pay
from tests.api.test_rate_limits import client, serving, somewhere
from tests.factories import Factory

T = tables
PROBLEMS = "{ cart { problems { code requested available } quote { quoteHash } } }"
UPDATE = """
mutation ($line: ID!, $quantity: Int!) {
  cartItemUpdate(input: { lineId: $line, quantity: $quantity }) {
    cart { lines { quantity } } warnings { code } userErrors { code } } }
"""
FREE = {
    "rate_requests_per_s": 1e6,
    "rate_requests_burst": 10**6,
    "rate_cost_per_minute": 10**9,
    "rate_cost_burst": 10**9,
}


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await condition():
            await asyncio.sleep(0.02)


async def status(make: Factory, order: UUID) -> str:
    return str((await make.rows(select(T.orders.c.status).where(T.orders.c.id == order)))[0][0])


async def placed(shopper: Shopper) -> Any:
    done = await shopper.check_out()
    assert done["userErrors"] == []
    return done["checkout"]


async def sent(shopper: Shopper, given: Any) -> Any:
    """As a client does where it took too long to get to its turn: the same once more."""
    async with asyncio.timeout(120):
        while True:
            answer = await shopper.client.answer(CHECKOUT, input=given)
            if "errors" not in answer:
                return answer["data"]["checkout"]
            assert [each["extensions"]["code"] for each in answer["errors"]] == ["SERVICE_UNAVAILABLE"]


async def refunds(make: Factory, order: UUID) -> list[tuple[int, str]]:
    found = select(T.refunds.c.amount, T.refunds.c.reason).where(T.refunds.c.order_id == order)
    return [(row[0], row[1]) for row in await make.rows(found)]


async def test_whoever_holds_the_last_unit_may_change_the_cart_and_order_it_again(
    http: httpx.AsyncClient, make: Factory, prepared: Settings
) -> None:
    last, other = await make.product(stock_quantity=1), await make.product()
    shopper, rival, stock = guest(http), guest(http), Stock(make)
    await shopper.add(last)
    first = await placed(shopper)
    await shopper.add(other)
    assert (await shopper.client.data(PROBLEMS))["cart"]["problems"] == []
    second = await placed(shopper)
    assert second["order"]["id"] != first["order"]["id"]
    assert await status(make, key_of(first["order"])) == "cancelled"
    assert (await stock.of(last), await stock.of(other)) == ((1, 1), (10, 1))
    histories = select(T.order_status_histories.c.note, T.order_status_histories.c.changed_as).where(
        T.order_status_histories.c.order_id == key_of(first["order"]), T.order_status_histories.c.status == "cancelled"
    )
    assert [tuple(row) for row in await make.rows(histories)] == [("the cart was bought anew", "system")]

    async def is_over() -> bool:
        payments = select(T.order_payments.c.status).where(T.order_payments.c.order_id == key_of(first["order"]))
        return (await make.rows(payments))[0][0] == "cancelled"

    await until(is_over)  # at Stripe, too: nobody pays for it by mistake
    assert (await pay(prepared, first["clientSecret"])).status_code == 400
    await rival.add(other)
    response = await rival.client.post(
        "mutation ($id: ID!) { cartItemAdd(input: { productId: $id }) { userErrors { code } } }",
        id=encode("Product", last),
    )
    assert response.json()["data"]["cartItemAdd"]["userErrors"] == [{"code": "OUT_OF_STOCK"}]  # it is nobody else's


async def test_less_or_more_of_what_one_holds_oneself(http: httpx.AsyncClient, make: Factory) -> None:
    product = await make.product()
    variation = await make.variation(product, stock_quantity=3)
    shopper = guest(http)
    await shopper.add(product, 3, variation=variation)
    await placed(shopper)
    line = (await shopper.cart())["lines"][0]["id"]
    fewer = (await shopper.client.data(UPDATE, line=line, quantity=2))["cartItemUpdate"]
    assert (fewer["userErrors"], fewer["warnings"], fewer["cart"]["lines"]) == ([], [], [{"quantity": 2}])
    await placed(shopper)
    reserved = select(T.product_variations.c.reserved_quantity).where(T.product_variations.c.id == variation)
    assert (await make.rows(reserved))[0][0] == 2
    more = (await shopper.client.data(UPDATE, line=line, quantity=9))["cartItemUpdate"]
    assert (more["warnings"], more["cart"]["lines"]) == ([{"code": "QUANTITY_CAPPED"}], [{"quantity": 3}])
    await placed(shopper)
    assert (await make.rows(reserved))[0][0] == 3


async def test_what_was_paid_at_that_moment_goes_back(
    http: httpx.AsyncClient, make: Factory, prepared: Settings
) -> None:
    product = await make.product(stock_quantity=2, base_price=700)
    shopper, stock = guest(http), Stock(make)
    await shopper.add(product)
    first = await placed(shopper)
    await pay(prepared, first["clientSecret"])  # nobody has heard of it yet
    await shopper.add(product)
    second = await placed(shopper)
    assert (await shopper.state(first["order"]["id"]))["__typename"] == "CheckoutFailed"

    async def is_given_back() -> bool:
        return await refunds(make, key_of(first["order"])) == [(700, "late_payment")]

    await until(is_given_back)
    assert await stock.of(product) == (2, 2)
    await pay(prepared, second["clientSecret"])
    assert (await shopper.state(second["order"]["id"]))["__typename"] == "CheckoutSucceeded"
    assert await stock.of(product) == (0, 0)
    assert await refunds(make, key_of(second["order"])) == []


async def test_what_was_paid_and_heard_of_stays(http: httpx.AsyncClient, make: Factory, prepared: Settings) -> None:
    product = await make.product()
    shopper = guest(http)
    await shopper.add(product)
    first = await placed(shopper)
    await pay(prepared, first["clientSecret"])
    assert (await shopper.state(first["order"]["id"]))["__typename"] == "CheckoutSucceeded"
    await shopper.add(product)
    await placed(shopper)
    assert await status(make, key_of(first["order"])) == "processing"
    assert await Stock(make).of(product) == (9, 2)


async def test_where_nothing_is_placed_nothing_gives_way(http: httpx.AsyncClient, make: Factory) -> None:
    product, other = await make.product(stock_quantity=1), await make.product()
    shopper = guest(http)
    await shopper.add(product)
    first = await placed(shopper)
    await shopper.add(other)
    refused = await shopper.check_out(quote_hash="0" * 64)
    assert [each["code"] for each in refused["userErrors"]] == ["QUOTE_CHANGED"]
    assert refused["quote"] is not None  # what is held is no problem
    assert await status(make, key_of(first["order"])) == "pending"
    assert await Stock(make).of(product) == (1, 1)


async def test_both_tabs_of_a_buyer_who_changes_the_cart_at_once_leave_one_order_open(
    http: httpx.AsyncClient, make: Factory
) -> None:
    products = [await make.product(stock_quantity=4) for _ in range(3)]
    shopper = guest(http)
    inputs = []
    for product in products:
        await shopper.add(product)
        inputs.append(await shopper.input())
    await asyncio.gather(*(shopper.send(given) for given in inputs))
    owner = select(T.reservations.c.order_id).where(T.reservations.c.product_id.in_(products)).distinct()
    orders = [row[0] for row in await make.rows(owner)]
    open_ = select(func.count()).where(T.orders.c.id.in_(orders), T.orders.c.status == "pending")
    assert (await make.rows(open_))[0][0] == 1
    held = select(T.reservations.c.product_id).where(
        T.reservations.c.product_id.in_(products), T.reservations.c.state == "held"
    )
    kept = {row[0] for row in await make.rows(held)}
    assert [(await Stock(make).of(each))[1] for each in products] == [int(each in kept) for each in products]


class TestHowMuch:
    async def test_guests_of_one_address_have_so_many_unpaid_orders(self, make: Factory, prepared: Settings) -> None:
        product = await make.product(stock_quantity=100)
        async with serving(prepared, unpaid_orders_per_address=2, **FREE) as app:
            where = somewhere()

            def shopper(address: str) -> Shopper:
                return Shopper(client(app, address))

            crowd = [shopper(where) for _ in range(3)]
            for each in crowd:
                await each.add(product)
            await placed(crowd[0])
            second = await placed(crowd[1])
            refused = await crowd[2].check_out()
            assert [(each["code"], each["retryable"]) for each in refused["userErrors"]] == [("TOO_MUCH_UNPAID", True)]
            await crowd[1].add(product)  # one's own order gives way
            second = await placed(crowd[1])
            elsewhere = shopper(somewhere())
            await elsewhere.add(product)
            await placed(elsewhere)
            await pay(prepared, second["clientSecret"])
            assert (await crowd[1].state(second["order"]["id"]))["__typename"] == "CheckoutSucceeded"
            await placed(crowd[2])
            for each in (*crowd, elsewhere):
                await each.client.http.aclose()
        kept = select(T.reservations.c.state, T.reservations.c.placed_from.is_not(None)).where(
            T.reservations.c.product_id == product
        )
        assert {tuple(row) for row in await make.rows(kept)} == {
            ("held", True),
            ("released", False),
            ("consumed", False),
        }

    async def test_no_more_than_that_however_many_order_at_once(self, make: Factory, prepared: Settings) -> None:
        product = await make.product(stock_quantity=100)
        async with serving(prepared, unpaid_orders_per_address=2, **FREE) as app:
            where = somewhere()
            crowd = [Shopper(client(app, where)) for _ in range(6)]
            for each in crowd:
                await each.add(product)
            inputs = [await each.input() for each in crowd]
            answers = await asyncio.gather(*(sent(each, given) for each, given in zip(crowd, inputs, strict=True)))
            for each in crowd:
                await each.client.http.aclose()
        codes = [error["code"] for answer in answers for error in answer["userErrors"]]
        assert codes == ["TOO_MUCH_UNPAID"] * 4
        assert await Stock(make).of(product) == (100, 2)

    async def test_and_so_many_units(self, make: Factory, prepared: Settings) -> None:
        product = await make.product(stock_quantity=100)
        async with serving(prepared, unpaid_units=6, unpaid_units_per_address=10, **FREE) as app:
            where = somewhere()
            codes = []
            for quantity in (7, 6, 5, 4):
                shopper = Shopper(client(app, where))
                await shopper.add(product, quantity)
                done = await shopper.check_out()
                codes.append([each["code"] for each in done["userErrors"]])
                await shopper.client.http.aclose()
        assert codes == [["TOO_MANY_UNITS"], [], ["TOO_MUCH_UNPAID"], []]

    async def test_none_are_counted_without_rate_limits(self, prepared: Settings) -> None:
        assert prepared.hold_limits == HoldLimits(1_000)
