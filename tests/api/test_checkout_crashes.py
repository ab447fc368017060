"""A checkout that is killed between any two of its steps: there is an order or there is none, and the client's next try finishes."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import event, select
from sqlalchemy.engine import Engine

from adapters.postgres import tables
from adapters.stripe.payments import StripePayments
from domain.shared.refusals import Unavailable
from settings import Settings
from tests.api.buying import CHECKOUT, Shopper, Stock, guest, key_of, pay
from tests.factories import Factory


class Killed(Exception):
    """In place of a process that is gone."""


@contextmanager
def killed_at(number: int) -> Iterator[list[str]]:
    """The statement of this number, in what is written meanwhile, is not sent any more. Gives those that were."""
    sent: list[str] = []

    def stop(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "orders." not in statement and "catalog." not in statement and "idempotency" not in statement:
            return
        if len(sent) == number:
            raise Killed
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", stop)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", stop)


async def ordered(make: Factory, product: Any) -> int:
    items = select(tables.order_items.c.order_id).where(tables.order_items.c.product_id == product)
    return len(await make.rows(items))


async def test_killed_at_any_statement_the_next_try_finishes_and_nothing_is_there_twice(
    http: httpx.AsyncClient, make: Factory, prepared: Settings
) -> None:
    stock = Stock(make)
    for number in range(60):
        product = await make.product(stock_quantity=3)
        shopper = guest(http)
        await shopper.add(product, 2)
        given = await shopper.input()
        with killed_at(number) as sent:
            first = await shopper.client.answer(CHECKOUT, input=given)
        was_killed = len(sent) == number and (first.get("errors") or first["data"] is None)
        assert (await stock.of(product)) == (3, 2 * await ordered(make, product))
        done = (await shopper.send(given))["checkout"]
        assert done["__typename"] == "CheckoutActionRequired"
        assert await ordered(make, product) == 1
        assert await stock.of(product) == (3, 2)
        if not was_killed:
            break
    else:
        pytest.fail("a checkout has fewer statements than that")
    assert number > 15  # it was killed in many places
    await pay(prepared, done["clientSecret"])
    assert (await shopper.state(done["order"]["id"]))["__typename"] == "CheckoutSucceeded"


@pytest.mark.parametrize("when", ["before it is asked", "after it answered"])
async def test_a_payment_that_could_not_be_begun_is_begun_by_the_next_try(
    http: httpx.AsyncClient, make: Factory, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    product = await make.product()
    shopper = guest(http)
    await shopper.add(product)
    given = await shopper.input()
    begin = StripePayments.create_intent
    made = []

    async def lost(self: StripePayments, *call: Any) -> Any:
        if when == "after it answered":
            made.append(await begin(self, *call))
        raise Unavailable("Stripe")

    with monkeypatch.context() as patched:
        patched.setattr(StripePayments, "create_intent", lost)
        answer = await shopper.client.answer(CHECKOUT, input=given)
    assert await ordered(make, product) == 1
    assert "errors" not in answer or answer["errors"][0]["extensions"]["code"] == "SERVICE_UNAVAILABLE"
    done = (await shopper.send(given))["checkout"]
    assert done["__typename"] == "CheckoutActionRequired"
    if made:
        assert done["clientSecret"] == made[0].client_secret  # the same intent
    assert await ordered(make, product) == 1


async def test_a_provider_that_does_not_answer_leaves_an_order_that_is_processing(
    http: httpx.AsyncClient, make: Factory, prepared: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = await make.product()
    shopper: Shopper = guest(http)
    await shopper.add(product)
    given = await shopper.input()
    answered = asyncio.Event()
    begin = StripePayments.create_intent

    async def slow(self: StripePayments, *call: Any) -> Any:
        await answered.wait()
        return await begin(self, *call)

    monkeypatch.setattr(StripePayments, "create_intent", slow)
    monkeypatch.setattr("domain.orders.checkout.ANSWER_SOON_S", 0.2)
    done = (await shopper.send_once(given))["checkout"]
    assert done["__typename"] == "CheckoutProcessing"
    assert done["pollAfterMs"] > 0
    answered.set()
    async with asyncio.timeout(60):
        while (state := await shopper.state(done["order"]["id"]))["__typename"] == "CheckoutProcessing":
            await asyncio.sleep(0)
    assert state["__typename"] == "CheckoutActionRequired"
    assert key_of(state["order"]) == key_of(done["order"])
