"""Many buyers at once: exactly what is there is sold, in an order that one buyer after the other could have brought about."""

import asyncio
import random
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import func, select

from adapters.dynamodb.carts import DynamoCarts
from adapters.postgres import tables
from adapters.postgres.database import Database
from adapters.postgres.events import RECORD, record_of
from adapters.postgres.orders_checkout import PostgresOrderBook
from composition.cloud import open_aws
from domain.events.ports import Delivery
from domain.orders.leaving import CartLeaving
from domain.shared.clock import SystemClock
from domain.shared.ids import uuid7
from settings import Settings
from tests.api.buying import CHECKOUT, Shopper, Stock, guest, key_of, pay
from tests.api.statements import counted
from tests.factories import Factory

TOLD = {"OUT_OF_STOCK", "INSUFFICIENT_STOCK"}


async def shoppers(
    http: httpx.AsyncClient, carts: list[list[tuple[UUID, int]]]
) -> list[tuple[Shopper, dict[str, Any]]]:
    """Each with a cart, and the checkout that they are about to send."""
    made = []
    for cart in carts:
        shopper = guest(http)
        for product, quantity in cart:
            await shopper.add(product, quantity)
        made.append((shopper, await shopper.input()))
    return made


async def sent(shopper: Shopper, given: dict[str, Any]) -> Any:
    """As a client does whom a loaded machine keeps waiting too long: the same once more."""
    async with asyncio.timeout(120):
        while True:
            answer = await shopper.client.answer(CHECKOUT, input=given)
            errors = answer.get("errors", [])
            if not errors:
                return answer["data"]["checkout"]
            assert {each["extensions"]["code"] for each in errors} == {"SERVICE_UNAVAILABLE"}, errors


async def test_sixty_four_buyers_of_ten_products_with_five_left_each_buy_exactly_fifty(
    http: httpx.AsyncClient, make: Factory, prepared: Settings
) -> None:
    seller = await make.seller()
    products = [await make.product(seller_id=seller, stock_quantity=5) for _ in range(10)]
    dice = random.Random(7)
    # two products each, in whatever order they were put in: those who lock them in that order would deadlock
    carts = [[(each, 1) for each in dice.sample(products, 2)] for _ in range(32)]
    carts += [[(products[number % 10], 1)] for number in range(32)]
    ready = await shoppers(http, carts)
    answers = await asyncio.gather(*(sent(shopper, given) for shopper, given in ready))
    sold = dict.fromkeys(products, 0)
    for cart, answer in zip(carts, answers, strict=True):
        if answer["checkout"] is None:
            codes = {each["code"] for each in answer["userErrors"]}
            assert codes, answer
            assert codes <= TOLD
            assert {each["field"][2] for each in answer["userErrors"]} <= {str(product) for product, _ in cart}
        else:
            for product, quantity in cart:
                sold[product] += quantity
    # whoever is left wants what is left: all of it goes
    for product in products:
        for _ in range(5 - sold[product]):
            [(shopper, given)] = await shoppers(http, [[(product, 1)]])
            assert (await shopper.send(given))["checkout"] is not None
            sold[product] += 1
    assert sum(sold.values()) == 50
    stock = Stock(make)
    assert [await stock.of(each) for each in products] == [(5, 5)] * 10
    items = select(func.sum(tables.order_items.c.quantity)).where(tables.order_items.c.product_id.in_(products))
    assert (await make.rows(items))[0][0] == 50


@dataclass(frozen=True, slots=True)
class Taken:
    """One attempt to take units off one product: when it was asked for and answered, how many, and whether it was done.

    Less than none are put back. `left`: how many there were, as whoever was refused was told.
    """

    begun: float
    ended: float
    wanted: int
    done: bool
    left: int | None = None


def linearizable(stock: int, history: list[Taken]) -> bool:
    """Whether one after the other, in an order in which nobody comes before who ended earlier, could have gone like this.

    A search over orders, as Wing and Gong have it (JPDC 1993), with what was tried remembered (Lowe 2017).
    """
    seen: set[tuple[frozenset[int], int]] = set()

    def possible(open_: frozenset[int], left: int) -> bool:
        if not open_:
            return True
        if (open_, left) in seen:
            return False
        seen.add((open_, left))
        first_end = min(history[each].ended for each in open_)
        for each in open_:
            taken = history[each]
            if taken.begun > first_end:
                continue
            if taken.done:
                if taken.wanted <= left and possible(open_ - {each}, left - taken.wanted):
                    return True
            elif taken.wanted > left and taken.left in (None, left) and possible(open_ - {each}, left):
                return True
        return False

    return possible(frozenset(range(len(history))), stock)


class TestTheChecker:
    def test_it_takes_what_one_after_the_other_could_have_done(self) -> None:
        assert linearizable(3, [Taken(0, 9, 2, True), Taken(1, 2, 2, False, 1), Taken(3, 4, 1, True)])

    def test_it_sees_one_unit_sold_twice(self) -> None:
        assert not linearizable(1, [Taken(0, 2, 1, True), Taken(1, 3, 1, True)])

    def test_it_sees_a_refusal_of_what_was_there(self) -> None:
        assert not linearizable(2, [Taken(0, 1, 1, True), Taken(2, 3, 1, False, 0)])

    def test_it_sees_who_was_told_what_was_over_before(self) -> None:
        assert not linearizable(2, [Taken(0, 1, 1, True), Taken(2, 3, 2, False, 2)])

    def test_it_takes_what_was_sold_after_it_was_put_back(self) -> None:
        assert linearizable(1, [Taken(0, 1, 1, True), Taken(2, 6, -1, True), Taken(3, 5, 1, True)])

    def test_it_sees_what_was_sold_before_it_was_put_back(self) -> None:
        assert not linearizable(1, [Taken(0, 1, 1, True), Taken(4, 6, -1, True), Taken(2, 3, 1, True)])

    def test_it_sees_what_was_put_back_and_is_not_there(self) -> None:
        assert not linearizable(1, [Taken(0, 1, 1, True), Taken(2, 3, -1, True), Taken(4, 5, 1, False, 0)])


async def test_a_history_of_a_products_stock_is_linearizable(
    http: httpx.AsyncClient, make: Factory, prepared: Settings
) -> None:
    """Of buyers, of those among them who change their minds at once, and of a seller who gets more in."""
    product = await make.product(stock_quantity=23)
    dice = random.Random(11)
    wanted = [dice.randint(1, 4) for _ in range(16)]
    ready = await shoppers(http, [[(product, each)] for each in wanted])

    async def buy(shopper: Shopper, given: dict[str, Any], wanted: int, changes_mind: bool) -> list[Taken]:
        begun = time.monotonic()
        answer = await sent(shopper, given)
        ended = time.monotonic()
        if answer["checkout"] is None:
            [problem] = [each for each in answer["problems"] if each["code"] in TOLD]
            return [Taken(begun, ended, wanted, False, problem["available"])]
        taken = Taken(begun, ended, wanted, True)
        return [taken, await cancel(shopper, answer["checkout"]["order"]["id"], wanted)] if changes_mind else [taken]

    async def get_more_in() -> list[Taken]:
        got = []
        for count in (2, 1):
            begun = time.monotonic()
            await make.change(tables.products, product, stock_quantity=tables.products.c.stock_quantity + count)
            got.append(Taken(begun, time.monotonic(), -count, True))
        return got

    attempts = [buy(*each, count, n % 3 == 0) for n, (each, count) in enumerate(zip(ready, wanted, strict=True))]
    history = [each for some in await asyncio.gather(*attempts, get_more_in()) for each in some]
    assert linearizable(23, history), history
    assert any(not each.done for each in history)
    assert any(each.done and each.wanted < 0 for each in history)
    assert await Stock(make).of(product) == (26, 3 + sum(each.wanted for each in history if each.done))


async def cancel(shopper: Shopper, order: str, held: int) -> Taken:
    """What an unpaid order had set aside goes back when its buyer cancels it."""
    version = (await shopper.client.data(VERSION, id=order))["order"]["version"]
    given = {"orderId": order, "expectedVersion": version, "idempotencyKey": str(uuid7())}
    begun = time.monotonic()
    payload = (await shopper.client.data(CANCEL, input=given))["orderCancel"]
    assert payload == {"order": {"status": "CANCELLED"}, "userErrors": []}
    return Taken(begun, time.monotonic(), -held, True)


VERSION = "query ($id: ID!) { order(id: $id) { version } }"
CANCEL = "mutation ($input: OrderCancelInput!) { orderCancel(input: $input) { order { status } userErrors { code } } }"


async def test_statements_of_a_checkout_do_not_grow_with_what_is_in_the_cart(
    http: httpx.AsyncClient, make: Factory
) -> None:
    counts = {}
    for lines in (1, 5, 20):
        products = [await make.product() for _ in range(lines)]
        [(shopper, given)] = await shoppers(http, [[(each, 1) for each in products]])
        with counted() as statements:
            assert (await shopper.send(given))["checkout"] is not None
        counts[lines] = len(statements)
    assert len(set(counts.values())) == 1, counts
    assert counts[1] <= 40


async def test_buyers_and_a_seller_who_edits_variations_do_not_hang(
    http: httpx.AsyncClient, make: Factory, prepared: Settings
) -> None:
    """Whoever edits a variation locks it before its product, and so does whoever buys it: nobody has to give way."""
    product = await make.product()
    variation = await make.variation(product, stock_quantity=1000)
    buying = []
    for _ in range(8):
        shopper = guest(http)
        await shopper.add(product, 1, variation=variation)
        buying.append((shopper, await shopper.input()))

    async def edit() -> None:
        for number in range(20):
            await make.change(tables.product_variations, variation, name=f"{number} g")

    answers, _ = await asyncio.gather(asyncio.gather(*(shopper.send(given) for shopper, given in buying)), edit())
    assert all(each["checkout"] for each in answers), [each["userErrors"] for each in answers]
    assert await Stock(make).of(product) == (1000, 8)


async def test_what_was_bought_leaves_the_cart_when_it_is_paid(
    http: httpx.AsyncClient, make: Factory, prepared: Settings
) -> None:
    """The consumer of `OrderPaid`, on the event as it was written."""
    product, other = await make.product(), await make.product()
    shopper = guest(http)
    await shopper.add(product, 2)
    placed = (await shopper.check_out())["checkout"]
    await shopper.add(other)
    assert len((await shopper.cart())["lines"]) == 2  # not before
    await pay(prepared, placed["clientSecret"])
    assert (await shopper.state(placed["order"]["id"]))["__typename"] == "CheckoutSucceeded"
    for _ in range(2):  # a message may come twice
        await leave(prepared, make, placed["order"]["id"])
        assert [line["id"] for line in (await shopper.cart())["lines"]] == [str(other)]


async def leave(settings: Settings, make: Factory, order: str) -> None:
    told = select(*RECORD).where(
        tables.outbox.c.aggregate_id == key_of({"id": order}), tables.outbox.c.type == "OrderPaid"
    )
    database = Database(settings.database_worker_url.get_secret_value(), pool_size=1)
    async with open_aws(settings, 10_000) as aws:
        carts = DynamoCarts(aws, settings.dynamodb_table_prefix, SystemClock())
        rows = await make.rows(told)
        assert rows
        for row in rows:
            await CartLeaving(PostgresOrderBook(database), carts).consume(Delivery(record_of(row)))
    await database.close()
