"""Each back end down, slow, half open and resetting: clear errors in time, nothing half-done, and well again without a hand.

A gateway and a worker, with the limits that they have by themselves. `OUTAGES=all` goes through every back end and every way in
which it fails, with breakers that stay open for their half minute, and holds answers to the clock (`make torture`). Otherwise it
is one way each, limits are four times as long and breakers open for a second: a busy machine is asked for no more than to be well
again within a minute.
"""

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from adapters import breaker
from settings import Settings
from tests.api.client import Client
from tests.api.test_killed_checkouts import BOOKS, RIGHT
from tests.api.test_sessions import sign_in
from tests.faults.marketplace import BOUGHT, CHECKOUT, Buyer, Running, connections_in_use, running, tasks
from tests.relay import Fault
from tests.sandbox.running import Sandbox

ALL = os.environ.get("OUTAGES") == "all"
ANSWERED_S, SLACK_S = 2.0, 0.5
"""What an answer may take, and what a busy machine adds."""
WELL_AGAIN_S = 60.0
PATIENCE_S = 120.0
OPEN_FOR_S = breaker.OPEN_FOR_S if ALL else 1.0
ROUNDS = 2 * breaker.FAILURES_TO_OPEN if ALL else breaker.FAILURES_TO_OPEN + 1

READ, CART, WHO = (
    "{ products(first: 1) { nodes { id stockQuantity } } }",
    "{ cart { totalQuantity } }",
    "{ viewer { email } }",
)
OUTAGES = {"SERVICE_UNAVAILABLE", "TIMEOUT"}
DONE = {"data"}
BOUGHT_IT = {"CheckoutActionRequired", "CheckoutProcessing", "CheckoutSucceeded"}
UNHARMED: Mapping[str, set[str]] = {"read": DONE, "cart": DONE, "who": DONE, "checkout": BOUGHT_IT}
WHAT_COMES: Mapping[str, Mapping[str, set[str]]] = {
    "stripe": UNHARMED | {"checkout": {"CheckoutProcessing", "CheckoutActionRequired"}},  # the second where it is slow
    "redis": UNHARMED,
    "dynamodb": UNHARMED | {"cart": OUTAGES, "checkout": OUTAGES},
    "sqs": UNHARMED,
    "eventbridge": UNHARMED,
    "cognito": UNHARMED,
    "postgres": UNHARMED | {"checkout": OUTAGES, "who": OUTAGES, "read": DONE | OUTAGES},
}
"""What has to come at least once of each question while a back end is away. An outage may come of any: the machine is busy."""
SHORT = (
    ("redis", Fault.HALF_OPEN),
    ("dynamodb", Fault.DOWN),
    ("sqs", Fault.RESETTING),
)
LONG = tuple((name, fault) for name in WHAT_COMES for fault in Fault)


@pytest.fixture(scope="module")
def hurried() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(breaker, "OPEN_FOR_S", OPEN_FOR_S)
        yield


@dataclass(frozen=True, slots=True)
class Shop:
    """The marketplace, somebody who is signed in, and how it is when nothing is the matter."""

    running: Running
    token: str
    tasks: Counter[str]
    in_use: Counter[str]


@pytest.fixture(scope="module")
async def shop(prepared: Settings, sandbox: Sandbox, hurried: None) -> AsyncIterator[Shop]:
    async with running(prepared, sandbox, patience=1 if ALL else 4) as marketplace:
        token = (await sign_in(prepared, "outages@example.com"))["AccessToken"]
        buyer = await marketplace.buyer()
        await asyncio.gather(*(ask(marketplace, token, each, buyer) for each in UNHARMED))  # as many at once as later
        await is_well(marketplace, token, buyer)
        quiet, in_use = Counter[str](), Counter[str]()
        for _ in range(10):  # a loop may be between two things
            await asyncio.sleep(0.1)
            quiet |= tasks()
            in_use |= connections_in_use()
        yield Shop(marketplace, token, quiet, in_use)


async def until(holds: Callable[[], Awaitable[bool]], what: Callable[[], Any], within_s: float = PATIENCE_S) -> None:
    try:
        async with asyncio.timeout(within_s):
            while not await holds():
                await asyncio.sleep(0.2)
    except TimeoutError:
        pytest.fail(f"not within {within_s:.0f} s: {what()}")


async def is_well(marketplace: Running, token: str, buyer: Buyer) -> None:
    """Everybody is served, and an order goes all of its way: paid, told of, its cart empty."""

    async def is_served() -> bool:
        told = [await ask(marketplace, token, name, None) for name in ("read", "cart", "who")]
        return {each for each, _ in told} == DONE

    await until(is_served, lambda: "everybody is served", WELL_AGAIN_S)
    await until(buyer.buy, lambda: "the order is paid", WELL_AGAIN_S)
    await until(buyer.has_empty_cart, lambda: "the worker has heard of it", WELL_AGAIN_S)


async def ask(marketplace: Running, token: str, name: str, buyer: Buyer | None) -> tuple[str, float]:
    """What comes of a question, `data`, a code or what a checkout is, and after how many seconds."""
    began = time.monotonic()
    if name == "checkout":
        assert buyer is not None
        answer = await buyer.shopper.client.answer(CHECKOUT, input=buyer.given)
    elif name == "cart" and buyer is not None:
        answer = await buyer.shopper.client.answer(CART)
    else:
        signed_in = Client(marketplace.http, token=token if name == "who" else None)
        answer = await signed_in.answer({"read": READ, "cart": CART, "who": WHO}[name])
    return outcome_of(answer), time.monotonic() - began


def outcome_of(answer: dict[str, Any]) -> str:
    if "errors" in answer:
        [code] = {error["extensions"]["code"] for error in answer["errors"]}
        return str(code)
    checkout = answer["data"].get("checkout")
    if checkout is None:
        return "data"
    if checkout["userErrors"]:
        return str(checkout["userErrors"][0]["code"])
    return str(checkout["checkout"]["__typename"])


@pytest.mark.parametrize(
    ("name", "fault"), LONG if ALL else SHORT, ids=lambda each: each.value if isinstance(each, Fault) else each
)
async def test_it_is_said_in_time_and_well_again_without_a_hand(
    shop: Shop, name: str, fault: Fault, capsys: pytest.CaptureFixture[str]
) -> None:
    marketplace, away = shop.running, shop.running.back_ends[name]
    buyer = await marketplace.buyer()
    await away.relay.begin(fault, away.service)
    try:
        longest = await what_comes(shop, name, buyer)
        await nothing_is_half_done(marketplace, buyer)
    finally:
        await away.relay.end(away.service)
    began = time.monotonic()
    await is_well(marketplace, shop.token, buyer)
    took = time.monotonic() - began
    await books_are_right(marketplace, buyer)
    left: list[Counter[str]] = []

    async def is_quiet() -> bool:
        left[:] = tasks() - shop.tasks, connections_in_use() - shop.in_use
        return not any(left)

    await until(is_quiet, lambda: f"tasks and connections as they were: {left}")
    with capsys.disabled():
        if ALL:
            print(f"{name} {fault.value}: answered within {longest:.2f} s, well again after {took:.1f} s", flush=True)
    if ALL:
        assert longest <= ANSWERED_S + SLACK_S
        assert took <= WELL_AGAIN_S


async def what_comes(shop: Shop, name: str, buyer: Buyer) -> float:
    """Ask everything side by side, again and again, until each question got the answer that it has to get. The longest that one took."""
    missing, longest, rounds = dict(WHAT_COMES[name]), 0.0, 0

    async def came() -> bool:
        nonlocal longest, rounds
        names = tuple(UNHARMED)
        told = await asyncio.gather(*(ask(shop.running, shop.token, each, buyer) for each in names))
        for each, (outcome, took) in zip(names, told, strict=True):
            longest = max(longest, took)
            assert outcome in UNHARMED[each] | OUTAGES, (each, outcome)
            if outcome in missing.get(each, ()):
                del missing[each]
        rounds += 1
        return not missing and rounds >= ROUNDS

    await until(came, lambda: f"what is to come while {name} is away: {missing}")
    return longest


async def nothing_is_half_done(marketplace: Running, buyer: Buyer) -> None:
    """There is an order with all that belongs to it, or nothing at all."""
    orders, reserved, set_aside, payments, histories = await marketplace.connection.fetchrow(HALF, buyer.product)
    assert orders in (0, 1)
    assert (reserved, set_aside, payments, histories > 0) == (BOUGHT * orders, orders, orders, bool(orders))


HALF = """
WITH mine AS (SELECT DISTINCT order_id AS id FROM orders.order_items WHERE product_id = $1)
SELECT
    (SELECT count(*) FROM mine),
    (SELECT reserved_quantity FROM catalog.products WHERE id = $1),
    (SELECT count(*) FROM orders.reservations WHERE product_id = $1),
    (SELECT count(*) FROM orders.order_payments WHERE order_id IN (SELECT id FROM mine)),
    (SELECT count(*) FROM orders.order_status_histories WHERE order_id IN (SELECT id FROM mine))
"""


async def books_are_right(marketplace: Running, buyer: Buyer) -> None:
    """One order, paid once; no unit is missing or left over. What Stripe told may still be on its way."""
    order = await marketplace.connection.fetchval(
        "SELECT order_id FROM orders.order_items WHERE product_id = $1", buyer.product
    )
    row = dict(await marketplace.connection.fetchrow(BOOKS, order, buyer.product))
    assert {name: value for name, value in row.items() if name != "handled"} == RIGHT
    query = f"metadata['order_id']:'{order}'"
    found = await asyncio.to_thread(marketplace.sandbox.get, "/v1/payment_intents/search", query=query)
    assert [each["status"] for each in found.json()["data"] if each["status"] != "canceled"] == ["succeeded"]
