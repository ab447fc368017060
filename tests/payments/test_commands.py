"""`torii payments`, as people run it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result
from rich.console import Console
from typer.testing import CliRunner

import cli
from commands import payments as payment_commands
from composition.paying import PaymentTools
from tests.payments.conftest import Till
from tests.payments.loops import Door, told_of
from tests.payments.test_refunds import decide, sold, status
from tests.sandbox.running import KEY

Torii = Callable[..., Awaitable[Result]]


@pytest.fixture
def torii(till: Till, corner: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Torii:
    there = {"TORII_STRIPE_API_BASE": till.sandbox.url, "TORII_STRIPE_SECRET_KEY": KEY}
    for name, value in (corner | there).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(payment_commands, "console", Console(width=240))

    async def run(*arguments: str) -> Result:
        """In a thread, for a command makes an event loop of its own."""
        return await asyncio.to_thread(CliRunner().invoke, cli.app, ["payments", *arguments])

    return run


async def test_what_failed_is_listed_with_its_reason_and_tried_again(
    till: Till, tools: PaymentTools, door: Door, torii: Torii
) -> None:
    odd = await till.scene.place()
    await till.finaliser.settle(odd.id)
    intent_id = await till.intent_id(odd)
    till.sandbox.post(f"/v1/payment_intents/{intent_id}", amount=51)
    await till.pay(odd)
    for event in told_of(till.sandbox, intent_id):
        await door.put_in(event)
    given_back_by_hand = await sold(till)
    till.sandbox.post("/v1/refunds", payment_intent=await till.intent_id(given_back_by_hand), amount=1800)
    refund = await decide(till, given_back_by_hand, 500)
    await tools.work()

    listed = (await torii()).output
    (line,) = [line for line in listed.splitlines() if str(odd.id) in line]
    assert "payment" in line
    assert "51 JPY is asked for at the provider, and 2000 JPY is due" in line
    (line,) = [line for line in listed.splitlines() if str(refund) in line]
    assert "PAYMENT_REFUSED" in line
    assert "not by itself" in line

    again = await torii("retry")
    assert again.exit_code == 0, again.output
    assert await status(till, refund) == "pending"
    assert (await till.scene.payment(odd))["check_at"] <= datetime.now(UTC)
    await tools.work()
    assert await status(till, refund) == "failed"
