"""Access rules, enforced where a field resolves: a guarded field's resolver runs only for those whom its rule admits.

A field without a guard is left as it is and pays nothing. A guard is one object for a rule and a kind of value, and stands in the
field's `extensions` under `GUARD`, so that an engine which resolves a whole level at once can decide once for it.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Protocol

from graphql import GraphQLField, GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema, default_field_resolver

GUARD = "guard"
"""The key of a field's guard in its `extensions`."""

Resolve = Callable[..., Any]


@dataclass(frozen=True, slots=True, eq=False)
class Guard:
    """A rule as a predicate of value and viewer, and the exception for a viewer whom it does not admit."""

    rule: Hashable
    admits: Callable[[Any, Any], bool]
    refusal: Callable[[Any], Exception]


Admission = tuple[Guard | None, Any, Any]
"""A guard, the value and the viewer that it admitted there."""

NOBODY_YET: Admission = (None, None, None)


class Asking(Protocol):
    """What a context says of who asks. `admitted` is the operation's own, and begins as NOBODY_YET."""

    viewer: Any
    admitted: Admission


def enforce(schema: GraphQLSchema, guard_of: Callable[[GraphQLObjectType, str], Guard | None]) -> None:
    """Put each field of the schema behind its guard; where there is none the field is for everybody."""
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__"):
            for name, field in type_.fields.items():
                guard = guard_of(type_, name)
                if guard is not None:
                    _put_behind(field, guard)


def _put_behind(field: GraphQLField, guard: Guard) -> None:
    wrap = guarded_with_arguments if field.args else guarded
    field.extensions[GUARD] = guard
    field.resolve = wrap(field.resolve or default_field_resolver, guard)
    if field.subscribe is not None:  # nobody is to wait for events that are not for them
        field.subscribe = wrap(field.subscribe, guard)


def guarded(resolve: Resolve, guard: Guard) -> Resolve:
    """The resolver of a field without arguments, for those whom the guard admits. Nothing is loaded for others.

    Fields of one value are resolved one after the other, so the last admission is all that has to be remembered for a rule to be
    decided once a value. It counts for the very same viewer only: a mutation may make another of whoever asks.
    """

    def resolve_if_admitted(value: Any, info: GraphQLResolveInfo[Any]) -> Any:
        # this and the next function say the same: passing no arguments on halves what a guard costs
        context: Asking = info.context
        last, admitted, viewer = context.admitted
        if admitted is not value or last is not guard or viewer is not context.viewer:
            _decide(guard, value, context)
        return resolve(value, info)

    return resolve_if_admitted


def guarded_with_arguments(resolve: Resolve, guard: Guard) -> Resolve:
    """As `guarded`, for a field with arguments."""

    def resolve_if_admitted(value: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        context: Asking = info.context
        last, admitted, viewer = context.admitted
        if admitted is not value or last is not guard or viewer is not context.viewer:
            _decide(guard, value, context)
        return resolve(value, info, **arguments)

    return resolve_if_admitted


def _decide(guard: Guard, value: Any, context: Asking) -> None:
    """Remember an admission. Raises the guard's refusal."""
    viewer = context.viewer
    if not guard.admits(value, viewer):
        raise guard.refusal(viewer)
    context.admitted = (guard, value, viewer)
