"""Text that people type into a form."""

import unicodedata
from collections.abc import Callable, Sequence
from typing import TypeVar

from domain.shared.refusals import InvalidInput, Refusal, Refusals

T = TypeVar("T")

REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode's categories of what nobody can see: control, format (such as a change of direction), surrogates, breaks."""
JOINER = "\u200d"
"""Joins the parts of one emoji."""


def line(typed: str, most: int, field: tuple[str, ...]) -> str:
    """One line of visible text, trimmed, 1 to `most` characters. Raises InvalidInput.

    Nothing else is changed: a normal form would replace variants of characters that stand in people's names.
    """
    text = typed.strip() if len(typed) <= 2 * most else typed
    if not text:
        raise InvalidInput(key="required", field=field)
    if len(text) > most:
        raise InvalidInput(key="too_long", most=most, field=field)
    if any(unicodedata.category(each) in REFUSED_CATEGORIES and each != JOINER for each in text):
        raise InvalidInput(key="control_characters", field=field)
    return text


class Form:
    """Checks the fields of a form one after the other, so that all that is wrong is told at once."""

    def __init__(self) -> None:
        self._refusals: list[Refusal] = []

    def check(self, rule: Callable[[], T], otherwise: T) -> T:
        """What the rule makes of a field; `otherwise`, which is never used, where it refuses."""
        try:
            return rule()
        except Refusal as refusal:
            self._refusals.append(refusal)
            return otherwise

    def close(self) -> None:
        """Raises what was refused: one refusal, or Refusals."""
        refusals: Sequence[Refusal] = self._refusals
        if len(refusals) == 1:
            raise refusals[0]
        if refusals:
            raise Refusals(refusals)
