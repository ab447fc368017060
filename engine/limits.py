"""How much a client may ask for: every bound on requests, documents and variables, and the codes of what breaks one.

docs/limits.md has them in a table. What a document breaks is found by engine/tokens.py (before parsing) and
engine/shape.py (before validation); what variables break is found here; cost is in engine/cost.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from graphql import GraphQLError

KIB = 1024
COUNTED = 1_000_000_000
"""Where counting stops mattering: fragments within fragments make numbers that no client could read."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Inclusive bounds; sizes in bytes, times in seconds. Counts of selections are taken with fragments put in place."""

    body_bytes: int = 2 * KIB * KIB
    body_s: float = 10
    """How long a body may take to come."""
    url_bytes: int = 32 * KIB
    """Of the query string of a GET. The server itself takes no address above 64 KiB."""
    json_values: int = 20_000
    """Numbers, strings, lists and objects in a body, all together."""
    input_depth: int = 20
    """Lists and objects within each other, in variables."""
    list_items: int = 1_000
    """Of one list, in the document or in variables."""

    document_bytes: int = 64 * KIB
    tokens: int = 5_000
    """Of a document, comments included."""
    digits: int = 100
    """Of a number in a document, its sign, point and exponent included."""
    trusted_bytes: int = 512 * KIB
    trusted_tokens: int = 50_000
    nesting: int = 64
    """Brackets of any kind within each other."""
    depth: int = 15
    """Fields within fields."""
    fields: int = 1_000
    breadth: int = 200
    """Fields of one selection set."""
    root_fields: int = 20
    aliases: int = 50
    repeats: int = 50
    """Fields that are merged into one, because they have one name in one place."""
    fragments: int = 200
    """Spreads and inline fragments."""
    directives: int = 50

    cost: int = 5_000
    list_size: int = 10
    """Assumed of a list that nothing bounds, for its cost."""
    page_size: int = 20
    """Assumed of a connection without `first` and `last`, for its cost."""


class Code(StrEnum):
    """`extensions.code` of what breaks a limit."""

    DOCUMENT_SIZE = "DOCUMENT_SIZE_LIMIT_EXCEEDED"
    TOKENS = "TOKEN_LIMIT_EXCEEDED"
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
    INPUT_DEPTH = "INPUT_DEPTH_LIMIT_EXCEEDED"
    COST = "COST_LIMIT_EXCEEDED"
    INTROSPECTION_MIXED = "INTROSPECTION_MIXED"


WORDS = {
    Code.DOCUMENT_SIZE: "bytes of text",
    Code.TOKENS: "tokens, comments included",
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
    """Raises LimitExceeded for lists that are too long or nested too deeply. Their number was bounded while they came."""
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
            pending.extend((each, depth + 1) for each in value.values())
