"""Python source for one value of a type: how its leaves are looked at and become those of an answer.

What a client sent never gets into the source: keys are the columns of a struct, told by number. Whatever is not as the types say
raises Deviation: graphql-core then finds the words for it.
"""

import math
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import orjson
from graphql import GraphQLEnumType, GraphQLOutputType, is_leaf_type, is_list_type, is_non_null_type
from graphql.pyutils import is_awaitable
from strawberry.schema.types.base_scalars import isoformat

from engine.compiled.lists import where_not_null, wrong
from engine.compiled.reasons import Deviation, Reason
from engine.compiled.selection import Field, Selection
from engine.compiled.source import Source
from engine.declared.kinds import Attribute, Computed
from engine.rows import as_orjson, row_class

MAX_INT, MIN_INT = 2**31 - 1, -(2**31)
MAX_FLOAT = sys.float_info.max

EXACT = {
    "String": "type({v}) is str",
    "ID": "type({v}) is str",
    "Boolean": "type({v}) is bool",
    "Int": f"type({{v}}) is int and {MIN_INT} <= {{v}} <= {MAX_INT}",
    "Float": f"type({{v}}) is float and {-MAX_FLOAT} <= {{v}} <= {MAX_FLOAT}",
}
"""Tests that a value is written out as it is; what fails one is left to the type's own serialisation."""


def _moment(value: Any) -> str | None:
    """What `isoformat` gives of a moment in UTC, in a tenth of its time; None of anything else."""
    is_utc = type(value) is datetime and value.tzinfo is UTC
    return orjson.dumps(value)[1:-1].decode() if is_utc else None


def _moments(values: list[Any], required: bool) -> Sequence[str | None] | None:
    """The same of several at once, some of which may be None unless they are `required`; None where there is no moment."""
    there = values if required else [each for each in values if each is not None]
    if not there or [each for each in there if type(each) is not datetime or each.tzinfo is not UTC]:
        return None
    return where_not_null(values, orjson.dumps(there)[2:-2].decode().split('","'))


def _decimal(value: Any) -> str | None:
    return str(value) if type(value) is Decimal else None


QUICK: Mapping[int, Callable[[Any], str | None]] = {id(isoformat): _moment, id(str): _decimal}
"""By the identity of a type's serialisation, what writes most of its values and gives None of all others."""
QUICK_COLUMNS: Mapping[int, Callable[[list[Any], bool], Sequence[str | None] | None]] = {id(isoformat): _moments}
"""The same for a list of values, and whether none may be null: None where one of them is another."""
PLAIN = frozenset([str, int, float, bool, Decimal, datetime, UUID])
"""Classes of which no value is an exception, or to be waited for."""


class Writer(Source):
    """Writes expressions of the values of fields."""

    def __init__(self) -> None:
        super().__init__(Awaitable=Awaitable, null=_null, not_list=_not_list, wrong=wrong)

    def value(self, field: Field, value: str) -> str:
        """What a pure field gives of the value that an expression names, as it is."""
        if field.definition is None:
            return repr(field.parent.name)
        if isinstance(field.kind, Attribute):
            return f"{value}.{field.kind.name}"
        assert isinstance(field.kind, Computed)
        given = value if field.kind.of is None else f"{value}.{field.kind.of}"
        return f"{self.named('f', field.kind.read)}({given})"

    def tested(self, field: Field, value: str) -> str:
        """The same, looked at and completed."""
        return value if field.definition is None else self.complete(field.type, value, field)

    def column(self, field: Field) -> str | None:
        """What a pure field shows of all `values`, where that is sooner written at once than one by one: the name of a list."""
        if field.definition is None:
            return None
        required = is_non_null_type(field.type)
        type_ = field.type.of_type if is_non_null_type(field.type) else field.type
        quick = QUICK_COLUMNS.get(id(type_.coerce_output_value)) if is_leaf_type(type_) else None
        if quick is None:
            return None
        each, read = self.name("i"), self.put("v", f"[{self.value(field, 'o')} for o in values]")
        one_by_one = f"[{self.complete(field.type, each, field)} for {each} in {read}]"
        return self.put("c", f"{self.named('q', quick)}({read}, {required}) or {one_by_one}")

    def _row(self, selection: Selection, value: str) -> str:
        """The row of a value that has pure fields alone."""
        row = self.named("r", row_class([each.key for each in selection.fields]))
        return f"{row}({', '.join(self.tested(each, self.value(each, value)) for each in selection.fields)})"

    def complete(self, type_: GraphQLOutputType, source: str, field: Field) -> str:
        """An expression for what an expression gives, completed to a type."""
        required = is_non_null_type(type_)
        if is_non_null_type(type_):
            type_ = type_.of_type
        if is_leaf_type(type_):
            return self._leaf(type_, source, required)
        value = self.name("v")
        if is_list_type(type_):
            item = self.name("i")
            body = f"[{self.complete(type_.of_type, item, field)} for {item} in {value}]"
            body = f"({body} if type({value}) in (list, tuple) else not_list({value}))"
        else:
            assert isinstance(field.below, Selection)
            body = self._row(field.below, value)
            shown = field.below.values
            of = f"isinstance({value}, {self.named('k', shown)}) and " if shown else ""
            # what is asked nothing does not fail where it is to be waited for
            is_asked = shown or any(each.definition for each in field.below.fields)
            refused = "BaseException" if is_asked else "(BaseException, Awaitable)"
            body = f"({body} if {of}not isinstance({value}, {refused}) else wrong({value}))"
        return f"({body} if ({value} := {source}) is not None else {'null()' if required else 'None'})"

    def _leaf(self, type_: Any, source: str, required: bool) -> str:
        value = self.name("v")
        if isinstance(type_, GraphQLEnumType):
            known: dict[int, Any] = {}
            slow = self.named("s", _enum(type_, required, known))
            return f"({self.named('k', known.get)}(id({value} := {source})) or {slow}({value}))"
        exact = EXACT.get(type_.name)
        slow = self.named("s", _slow(type_, required))
        if exact is None:
            quick = QUICK.get(id(type_.coerce_output_value))  # a schema may have one that cannot be hashed
            if quick is None:
                return f"{slow}({source})"
            return f"({self.named('q', quick)}({value} := {source}) or {slow}({value}))"
        test = exact.format(v=value).replace(value, f"({value} := {source})", 1)
        return f"({value} if {test}{'' if required else f' or {value} is None'} else {slow}({value}))"


def _null() -> Any:
    raise Deviation(Reason.NULL)


def _not_list(value: Any) -> Any:
    raise Deviation(Reason.LIST, type(value).__name__)


def _slow(type_: Any, required: bool) -> Callable[[Any], Any]:
    """The type's own serialisation, which knows more than one kind of value."""
    serialize = type_.coerce_output_value

    def leaf(value: Any) -> Any:
        if value is None:
            return _null() if required else None
        if type(value) not in PLAIN and (isinstance(value, BaseException) or is_awaitable(value)):
            return wrong(value)  # graphql-core raises the one and awaits the other
        try:
            written = serialize(value)
        except Exception as error:
            raise Deviation(Reason.LEAF, type_.name) from error
        if written is None or (isinstance(written, float) and not math.isfinite(written)):
            raise Deviation(Reason.LEAF, type_.name)
        try:
            return as_orjson(written)
        except orjson.JSONEncodeError as error:
            raise Deviation(Reason.LEAF, type_.name) from error

    return leaf


def _enum(type_: GraphQLEnumType, required: bool, known: dict[int, Any]) -> Callable[[Any], Any]:
    """Names by the identity of the member, for members live as long as their enum; all else is left to the type."""
    slow = _slow(type_, required)

    def leaf(value: Any) -> Any:
        name = slow(value)
        if isinstance(value, Enum):
            known[id(value)] = name
        return name

    return leaf
