"""Python source in the making: lines, the names in them, and the objects those stand for.

What a client sent never gets into it: keys of an answer are objects with a name, as classes and functions are. An edge to tags with
nothing to load below them, say, becomes this, where `k4` is its loader, `k7` the field, `f6` spreads what there is of each key
over those that come twice, and `f8` looks for exceptions:

    async def written(values, paths, run):
        try:
            c1 = [o.id for o in values]
        except Exception as error:
            raise f2(error) from error
        try:
            o3 = dict.fromkeys(c1)
            c5 = await run.context.loaders.load_level(k4, o3, ())
        except Exception as error:
            raise Deviation(EXCEPTION, type(error).__name__) from error
        run.journal.append((values, k7, c5 if len(o3) == len(c1) else f6(c1, o3, c5), run.within))
        r9 = c5 if len(c5) >= 4 else f8(c5)
        return r9 if len(o3) == len(c1) else list(f6(c1, o3, r9))

Every variable's name comes from the `Source`, so that none stands for two things; `values`, `paths` and `run` are parameters.
"""

from collections.abc import Callable
from functools import lru_cache
from types import CodeType
from typing import Any

MOST = 500
"""Texts whose code is kept, some 5 KB each. Many places of many plans have the same, and differ in the objects."""
LONGEST = 1_500
"""Characters of such a text: those of long selections come once, and would take the place of others."""


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
        text = "\n".join([head, *self._lines])
        exec(_code(text) if len(text) <= LONGEST else _compiled(text), self._names)
        written: Callable[..., Any] = self._names.pop("written")
        return written


def _compiled(text: str) -> CodeType:
    return compile(text, "<plan>", "exec")


_code = lru_cache(MOST)(_compiled)
