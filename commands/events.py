"""`torii dlq` and `torii mail`: for those who look after what events set off."""

import asyncio
import json
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer
from rich.markup import escape
from rich.table import Table

from commands.saying import console
from infra.backends import load_settings, running_backends

if TYPE_CHECKING:
    from collections.abc import Sequence

    from commands.jobs import QueueState
    from domain.events.ports import Failure
    from domain.notifications.ports import Mail

dlq = typer.Typer(help="Look after events that a consumer failed to act on.", no_args_is_help=True)
mail = typer.Typer(help="Show the mails that were sent.", invoke_without_command=True)

ConsumerName = Annotated[str, typer.Argument(metavar="CONSUMER", help="As `torii dlq list` names it.")]
EventKey = Annotated[UUID | None, typer.Argument(metavar="[EVENT]", help="Id of one event.")]


@dlq.command("list")
def list_consumers() -> None:
    """Show each consumer: what waits for it, its dead letters, and its failures."""
    from commands import jobs

    with running_backends(load_settings(), must_run=True) as settings:
        console.print(_consumers(asyncio.run(jobs.queue_states(settings))))


@dlq.command("show")
def show(
    consumer: ConsumerName,
    event: EventKey = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many failures, the newest first.")] = 20,
) -> None:
    """Show failures of a consumer, or one of them with its event."""
    from commands import jobs

    with running_backends(load_settings(), must_run=True) as settings:
        if event is None:
            console.print(_failures(asyncio.run(jobs.failures_of(settings, consumer, limit))))
            return
        failure = asyncio.run(jobs.failure_of(settings, consumer, event))
    from domain.events.cloud_events import cloud_event

    console.print(_failures([failure]))
    console.print_json(json.dumps(cloud_event(failure.record), ensure_ascii=False))


@dlq.command("redrive")
def redrive(
    consumer: ConsumerName,
    event: EventKey = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, the oldest first.")] = 1000,
) -> None:
    """Give a consumer its failed events once more: one, or all."""
    from commands import jobs

    with running_backends(load_settings(), must_run=True) as settings:
        again = asyncio.run(jobs.redrive(settings, consumer, None if event is None else [event], limit))
    console.print(f"[dim]· {again} events were given to {escape(consumer)} once more[/dim]")


@mail.callback()
def list_mails(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, the newest first.")] = 20,
) -> None:
    """Show the mails that were sent, the newest first."""
    if context.invoked_subcommand is not None:
        return
    from commands import jobs

    with running_backends(load_settings(), must_run=True) as settings:
        console.print(_mails(asyncio.run(jobs.mails(settings, limit))))


@mail.command("show")
def show_mail(key: Annotated[UUID, typer.Argument(metavar="MAIL", help="Id of the mail.")]) -> None:
    """Show a mail as it is read, to the address that its user has now."""
    from commands import jobs

    with running_backends(load_settings(), must_run=True) as settings:
        found, to, letter = asyncio.run(jobs.mail(settings, key))
    sent = "not known to be sent" if found.sent_at is None else f"{found.sent_at:%Y-%m-%d %H:%M:%S} UTC"
    head = {"To": to or "nobody: the user is not to be written to", "Sent": sent, "Subject": letter.subject}
    for name, value in head.items():
        console.print(f"[bold]{name}:[/bold] {escape(value)}", highlight=False)
    console.print(f"\n{escape(letter.text)}", highlight=False)


def _consumers(states: "Sequence[QueueState]") -> Table:
    table = Table(
        "consumer", "waiting", "dead letters", "undelivered", "failures", "oldest failure (UTC)", box=None,
        header_style="bold",
    )  # fmt: skip
    for state in states:
        failures = f"[red]{state.failures:,}[/red]" if state.failures else "0"
        oldest = "" if state.oldest is None else f"{state.oldest:%Y-%m-%d %H:%M:%S}"
        counts = (f"{count:,}" for count in (state.waiting, state.dead_letters, state.undelivered))
        table.add_row(state.consumer, *counts, failures, oldest)
    return table


def _failures(failures: "Sequence[Failure]") -> Table:
    table = Table("event", "type", "subject", "failed (UTC)", "attempts", "why", box=None, header_style="bold")
    for each in failures:
        record, failed = each.record, f"{each.failed_at:%Y-%m-%d %H:%M:%S}"
        table.add_row(
            str(record.id), record.event.type, record.event.subject, failed, str(each.attempts), escape(each.reason)
        )
    return table


def _mails(mails: "Sequence[Mail]") -> Table:
    table = Table("mail", "template", "language", "to", "begun (UTC)", "sent", box=None, header_style="bold")
    for each in mails:
        sent = "[green]yes[/green]" if each.sent_at is not None else "[red]not known[/red]"
        begun = f"{each.begun_at:%Y-%m-%d %H:%M:%S}"
        table.add_row(str(each.id), each.template.value, each.language.value, _whom(each), begun, sent)
    return table


def _whom(mail: "Mail") -> str:
    """Whom it is for, without an address."""
    if mail.seller_id is not None:
        return f"seller {mail.seller_id}"
    return f"user {mail.user_id}" if mail.user_id is not None else f"guest of order {mail.order_id}"
