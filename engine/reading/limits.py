"""How much a client may ask for: every bound on requests, documents and variables, and the codes of what breaks one.

docs/limits.md has them in a table. What a document breaks is found by engine/reading/tokens.py (before parsing) and
engine/reading/shape.py (before validation); what variables break is found here; cost is in engine/reading/cost.py.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from graphql import GraphQLError

from engine.reading.bounds import Limits

COUNTED = 1_000_000_000
"""Where counting stops mattering: fragments within fragments make numbers that no client could read."""


class Code(StrEnum):
    """`extensions.code` of what breaks a limit."""

    DOCUMENT_SIZE = "DOCUMENT_SIZE_LIMIT_EXCEEDED"
    TOKENS = "TOKEN_LIMIT_EXCEEDED"
    LINES = "LINE_LIMIT_EXCEEDED"
    DIGITS = "DIGIT_LIMIT_EXCEEDED"
    NESTING = "NESTING_LIMIT_EXCEEDED"
    DEPTH = "DEPTH_LIMIT_EXCEEDED"
    FIELDS = "FIELD_LIMIT_EXCEEDED"
    BREADTH = "BREADTH_LIMIT_EXCEEDED"
    ROOT_FIELDS = "ROOT_FIELD_LIMIT_EXCEEDED"
    ALIASES = "ALIAS_LIMIT_EXCEEDED"
    REPEATS = "REPETITION_LIMIT_EXCEEDED"
    FRAGMENTS = "FRAGMENT_LIMIT_EXCEEDED"
    FRAGMENT_CYCLE = "FRAGMENT_CYCLE"
    DIRECTIVES = "DIRECTIVE_LIMIT_EXCEEDED"
    LIST_ITEMS = "LIST_LIMIT_EXCEEDED"
    OBJECT_VALUES = "OBJECT_LIMIT_EXCEEDED"
    INPUT_DEPTH = "INPUT_DEPTH_LIMIT_EXCEEDED"
    COST = "COST_LIMIT_EXCEEDED"
    INTROSPECTION_MIXED = "INTROSPECTION_MIXED"


WORDS = {
    Code.DOCUMENT_SIZE: "bytes of text",
    Code.TOKENS: "tokens, comments included",
    Code.LINES: "lines",
    Code.DIGITS: "characters in one number",
    Code.NESTING: "brackets within each other",
    Code.DEPTH: "levels of fields",
    Code.FIELDS: "fields",
    Code.BREADTH: "fields in one selection set",
    Code.ROOT_FIELDS: "fields at the root",
    Code.ALIASES: "aliases",
    Code.REPEATS: "fields of one name in one place",
    Code.FRAGMENTS: "spreads and inline fragments",
    Code.DIRECTIVES: "directives",
    Code.LIST_ITEMS: "items in one list",
    Code.OBJECT_VALUES: "values in one object",
    Code.INPUT_DEPTH: "levels of lists and objects in variables",
}


class LimitExceeded(GraphQLError):
    """An operation asks for more than is allowed. `found` may be a lower bound: counting stops once it is too much."""

    def __init__(self, code: Code, found: int, limit: int) -> None:
        found = min(found, COUNTED)
        text = f"The operation has {found:,} {WORDS[code]}: at most {limit:,} are allowed."
        super().__init__(text, extensions={"code": code.value, "found": found, "limit": limit})


def hold(code: Code, found: int, limit: int) -> None:
    """Raises LimitExceeded where more was found than is allowed."""
    if found > limit:
        raise LimitExceeded(code, found, limit)


def check_variables(variables: Mapping[str, Any] | None, limits: Limits) -> None:
    """Raises LimitExceeded for lists and objects that are too long or nested too deeply. Their number was bounded while they came."""
    pending: list[tuple[Any, int]] = [(value, 1) for value in (variables or {}).values()]
    while pending:
        value, depth = pending.pop()
        if not isinstance(value, list | dict):
            continue
        hold(Code.INPUT_DEPTH, depth, limits.input_depth)
        if isinstance(value, list):
            hold(Code.LIST_ITEMS, len(value), limits.list_items)
            pending.extend((each, depth + 1) for each in value)
        else:
            hold(Code.OBJECT_VALUES, len(value), limits.object_values)
            pending.extend((each, depth + 1) for each in value.values())
