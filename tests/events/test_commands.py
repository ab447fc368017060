"""`torii dlq` and `torii mail`, as people run them."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from click.testing import Result
from rich.console import Console
from typer.testing import CliRunner

import cli
from commands import events as event_commands
from composition.pipeline import EventTools
from domain.shared.refusals import Refusal
from tests.events.places import Deliveries, all_events, put_in, queues
from tests.postgres.shop import Shop

CONSUMER = "revalidation"
Torii = Callable[..., Awaitable[Result]]


@pytest.fixture
def torii(tools: EventTools, corner: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Torii:
    settings = tools.settings
    environment = corner | {
        "TORII_EVENT_PREFIX": settings.event_prefix,
        "TORII_REVALIDATE_URL": settings.revalidate_url,
        "TORII_REVALIDATE_SECRET": settings.revalidate_secret.get_secret_value(),
        "TORII_MAIL_FROM": "",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(event_commands, "console", Console(width=240))

    async def run(*arguments: str) -> Result:
        """In a thread, for a command makes an event loop of its own."""
        return await asyncio.to_thread(CliRunner().invoke, cli.app, arguments)

    return run


async def failed(worker: Any, tools: EventTools) -> UUID:
    event = await put_in(worker)
    await worker.execute("UPDATE events.outbox SET sent_at = now(), done_at = now() WHERE id = $1", event)
    await worker.execute(
        "INSERT INTO events.deliveries (consumer, event_id, failed_at, reason, attempts)"
        " VALUES ($1, $2, '2026-04-01 12:00Z', 'the shop front answered [404]', 4)",
        CONSUMER,
        event,
    )
    return event


async def test_list_shows_what_waits_and_what_failed(tools: EventTools, worker: Any, torii: Torii) -> None:
    await failed(worker, tools)
    records = await all_events(tools)
    queue, dead, _ = queues(tools, CONSUMER)
    await queue.send(records * 2)
    await dead.send(records)
    listed = await torii("dlq", "list")
    assert listed.exit_code == 0, listed.output
    assert listed.stdout.splitlines()[1].split() == [CONSUMER, "2", "1", "0", "1", "2026-04-01", "12:00:00"]


async def test_show_tells_of_failures_and_of_one_with_its_event(tools: EventTools, worker: Any, torii: Torii) -> None:
    event = await failed(worker, tools)
    shown = await torii("dlq", "show", CONSUMER)
    assert shown.exit_code == 0, shown.output
    assert str(event) in shown.stdout
    assert "the shop front answered [404]" in shown.stdout
    one = await torii("dlq", "show", CONSUMER, str(event))
    assert '"specversion": "1.0"' in one.stdout


async def test_redrive_gives_them_to_the_consumer_once_more(tools: EventTools, worker: Any, torii: Torii) -> None:
    one, other = await failed(worker, tools), await failed(worker, tools)
    kept = Deliveries(worker, CONSUMER)
    again = await torii("dlq", "redrive", CONSUMER, str(one))
    assert "1 events were given to revalidation once more" in again.stdout
    assert set(await kept.failed()) == {other}
    assert (await torii("dlq", "redrive", CONSUMER)).exit_code == 0
    assert await kept.failed() == {}
    assert await queues(tools, CONSUMER)[0].waiting() == 2
    assert await worker.fetchval("SELECT count(*) FROM events.outbox WHERE done_at IS NULL") == 2


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("dlq", "show", "nobody"), "there is no consumer nobody: there are revalidation"),
        (("dlq", "redrive", CONSUMER, str(UUID(int=1))), "revalidation has no failure of the event"),
        (("dlq", "show", CONSUMER, str(UUID(int=1))), "revalidation has no failure of the event"),
        (("mail", "show", str(UUID(int=1))), "there is no mail"),
    ],
)
async def test_what_is_not_there_is_refused(torii: Torii, arguments: tuple[str, ...], text: str) -> None:
    refused = await torii(*arguments)
    assert isinstance(refused.exception, Refusal)  # which `torii` shows as one line
    assert text in str(refused.exception)


async def test_mail_lists_mails_and_shows_one_as_it_is_read(worker: Any, shop: Shop, torii: Torii) -> None:
    user = await shop.user(email=f"{uuid4().hex}@example.com", email_verified_at=None)
    key = await worker.fetchval(
        "INSERT INTO notifications.mails (key, template, language, user_id, begun_at, sent_at, message_id)"
        " VALUES ($1, 'welcome', 'ja', $2, now(), now(), 'm') RETURNING id",
        f"welcome:{uuid4()}",
        user,
    )
    listed = await torii("mail")
    assert listed.exit_code == 0, listed.output
    assert f"{key}  welcome" in listed.stdout
    shown = await torii("mail", "show", str(key))
    assert "ご登録ありがとうございます" in shown.stdout
    assert "nobody: the user is not to be written to" in shown.stdout
