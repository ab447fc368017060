"""Why an operation was not run by a plan, or not to its end: few names, so that they can be counted."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum


class Reason(StrEnum):
    """What kept graphql-core at work."""

    # there is no plan yet, or none at all
    STOCK = "stock"
    """Everything is left to graphql-core."""
    NOT_YET = "not_yet"
    """The document has not come often enough."""
    VARIABLES = "variables"
    """They do not fit."""
    PINNED = "pinned"
    """It deviated too often in a row."""
    DESCRIPTION = "description"
    """It asks for the schema's description of itself."""

    # there can be no plan
    DIRECTIVE = "directive"
    """One that plans do not know, on a field or fragment."""
    CONDITION = "condition"
    """`@skip` or `@include` with something that is no truth value."""
    TYPE_TEST = "type_test"
    """A type looks at its values in a way of its own."""
    SIZE = "size"
    """Of the selection, with each type of an interface written out."""

    # a plan began, and met with what is not as the types say
    NULL = "null"
    LEAF = "leaf"
    LIST = "list"
    VALUE = "value"
    """A value that its type does not show, or whose type cannot be told."""
    EXCEPTION = "exception"
    """A resolver or loader raised."""
    ATTRIBUTE = "attribute"
    """An attribute raised."""
    DENIED = "denied"
    """A field that is not for this viewer."""
    ARGUMENTS = "arguments"
    GONE = "gone"
    """A fragment that was there a moment ago."""


class Unsupported(Exception):
    """This operation, or this variant of it, is not one that plans are made of."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason.value)
        self.reason = reason


class Deviation(Exception):
    """Something is not as the types say: null where none may be, a leaf of another kind, a list that is none, an exception."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason.value)
        self.reason = reason


@contextmanager
def deviating() -> Iterator[None]:
    """Around what asks values: whatever their attributes raise is for graphql-core to tell, at the field that asked."""
    try:
        yield
    except Deviation:
        raise
    except Exception as error:
        raise raised(error) from error


def raised(error: Exception) -> Deviation:
    """What an attribute raised."""
    return Deviation(Reason.ATTRIBUTE, type(error).__name__)
