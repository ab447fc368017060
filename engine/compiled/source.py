"""Python source in the making: lines, the names in them, and the objects those stand for.

What a client sent never gets into it: keys of an answer are objects with a name, as classes and functions are.
"""

from collections.abc import Callable
from functools import lru_cache
from types import CodeType
from typing import Any

MOST = 2_000
"""Texts whose code is kept. Many places of many plans have the same, and differ in the objects."""


class Source:
    """Of one function. `names` are there from the beginning."""

    def __init__(self, **names: Any) -> None:
        self._names = names
        self._lines: list[str] = []
        self._count = 0

    def line(self, text: str) -> None:
        """Add a line, with as many steps of indentation of its own as it has."""
        self._lines.append(f"    {text}")

    def put(self, prefix: str, expression: str) -> str:
        """A new variable with the value of an expression."""
        name = self.name(prefix)
        self.line(f"{name} = {expression}")
        return name

    def name(self, prefix: str) -> str:
        """One that is not used yet."""
        self._count += 1
        return f"{prefix}{self._count}"

    def named(self, prefix: str, value: Any) -> str:
        """A name that stands for an object."""
        name = self.name(prefix)
        self._names[name] = value
        return name

    def function(self, *given: str, waits: bool = False) -> Callable[..., Any]:
        """What all of it does with these parameters; a coroutine function if it `waits`."""
        head = f"{'async ' if waits else ''}def written({', '.join(given)}):"
        exec(_code("\n".join([head, *self._lines])), self._names)
        written: Callable[..., Any] = self._names.pop("written")
        return written


@lru_cache(MOST)
def _code(text: str) -> CodeType:
    return compile(text, "<plan>", "exec")
