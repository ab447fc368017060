"""`torii users`: for those who look after users."""

import asyncio
from typing import Annotated

import typer

from commands.reports import progress_bars, repair_report
from commands.saying import say
from infra.backends import load_settings, running_backends

users = typer.Typer(help="Look after users.", no_args_is_help=True)


@users.command("erase")
def erase_users() -> None:
    """Finish deletions of accounts that an outage or a crash interrupted, as workers do. Safe to run again."""
    from commands import jobs

    with running_backends(load_settings(), say) as settings:
        looked_at = asyncio.run(jobs.erase_users(settings))
    say(f"{looked_at} deleted accounts hold nothing of their persons any more")


@users.command("repair")
def repair_users() -> None:
    """Bring the users' rows in line with the user pool: rows that are missing, addresses that moved. Safe to run again."""
    from commands import jobs

    with running_backends(load_settings(), say) as settings, progress_bars() as progress:
        repaired = asyncio.run(jobs.repair_users(settings, progress))
    say(repair_report(repaired))


@users.command("suspend")
def suspend_user(
    email: Annotated[str, typer.Argument(help="Address of the user.")],
    reason: Annotated[str | None, typer.Option(help="Why, for the event that is kept of it.")] = None,
) -> None:
    """Shut a user out and end its sessions: within a second no token of it is taken. Safe to run again."""
    from commands import jobs

    with running_backends(load_settings(), say) as settings:
        is_new = asyncio.run(jobs.suspend_user(settings, email, reason))
    say("the user is suspended, and signed out everywhere" if is_new else "the user was suspended before")


@users.command("reinstate")
def reinstate_user(email: Annotated[str, typer.Argument(help="Address of the user.")]) -> None:
    """Let a suspended user in again, who has to sign in anew. Safe to run again."""
    from commands import jobs

    with running_backends(load_settings(), say) as settings:
        is_new = asyncio.run(jobs.reinstate_user(settings, email))
    say("the user may sign in again" if is_new else "the user was not suspended")


@users.command("grant-admin")
def grant_admin(email: Annotated[str, typer.Argument(help="Address of the user, who has signed up.")]) -> None:
    """Make a user an admin, in the user pool's group and here. It counts from the next token on. Safe to run again."""
    from commands import jobs

    with running_backends(load_settings(), say) as settings:
        is_new = asyncio.run(jobs.grant_admin(settings, email))
    say("the user is an admin from the next token on" if is_new else "the user was an admin before")


@users.command("revoke-admin")
def revoke_admin(email: Annotated[str, typer.Argument(help="Address of the admin.")]) -> None:
    """Make an admin a user like others: within a second, tokens and sockets that there are included. Safe to run again."""
    from commands import jobs

    with running_backends(load_settings(), say) as settings:
        was_one = asyncio.run(jobs.revoke_admin(settings, email))
    say("the user is an admin no more" if was_one else "the user was no admin")
