"""Inputs of mutations that change only what is given."""

from collections.abc import Iterable
from typing import Any

from strawberry import UNSET


def given(change: object, names: Iterable[str]) -> dict[str, Any]:
    """The fields of an input that the client sent, null among them."""
    return {name: value for name in names if (value := getattr(change, name)) is not UNSET}
