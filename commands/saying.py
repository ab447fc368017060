"""What commands say to the person who runs them."""

from contextlib import suppress

from rich.console import Console
from rich.markup import escape

console = Console()


def say(message: str) -> None:
    """One line of progress."""
    with suppress(OSError):  # the terminal was closed: what is under way goes on to its end
        console.print(f"[dim]· {escape(message)}[/dim]")
