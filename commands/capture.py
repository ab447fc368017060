"""`torii capture`: for those who look after change data capture."""

import asyncio

import typer

from commands.saying import console
from infra.backends import load_settings, running_backends

capture = typer.Typer(help="Look after the capture of changes.", no_args_is_help=True)

LOST, WARNED = 1, 2


@capture.command("status")
def status() -> None:
    """Show whether changes are captured, and how much of the database's log is held back for it.

    Ends with 1 where changes are missing, and with 2 where somebody should look before they are.
    """
    from composition import capturing

    with running_backends(load_settings(), must_run=True) as settings:
        state = asyncio.run(capturing.state_of_capture(settings))
    if not state.is_there:
        console.print(f"no replication slot {state.slot}: nothing is captured, and nothing is held back")
        return
    bound = "without a bound" if state.most_bytes is None else f"of at most {state.most_bytes:,}"
    console.print(f"replication slot {state.slot}: {state.held_bytes:,} bytes of the log are held back, {bound}")
    for warning in state.warnings:
        console.print(f"[yellow]{warning}")
    if state.is_lost:
        console.print("[red]it was too far behind: changes are missing; `torii capture restart` begins anew")
        raise typer.Exit(LOST)
    if state.warnings:
        raise typer.Exit(WARNED)


@capture.command("restart")
def restart() -> None:
    """Begin anew: workers make the replication slot again and put all rows, as they stand, on the stream."""
    _drop("a worker makes it again and tells all rows")


@capture.command("stop")
def stop() -> None:
    """Drop the replication slot, so that nothing is held back. Take TORII_CAPTURE_STREAM from the workers before."""
    _drop("workers with TORII_CAPTURE_STREAM would make it again")


def _drop(then: str) -> None:
    from composition import capturing

    with running_backends(load_settings(), must_run=True) as settings:
        dropped = asyncio.run(capturing.drop_capture(settings))
    console.print(f"the replication slot is gone: {then}" if dropped else f"there was no replication slot: {then}")
