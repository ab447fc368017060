"""How large the answer is when the schema is asked to describe itself: what there is of everything is known.

Where all of a schema is gone through once (`__schema { types { fields { args } } }`) a list counts with its mean, which is exact in
the sum; anywhere else (`__type`, or `fields` of a field's type) with the longest that there is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from graphql import GraphQLSchema, GraphQLType, is_abstract_type, is_enum_type, is_input_object_type

SCHEMA_FIELDS = frozenset({"__schema", "__type"})
"""At the root of a query."""
_KEEPS_WHOLE = frozenset({"types", "directives", "fields", "args", "inputFields", "enumValues"})


@dataclass(frozen=True, slots=True)
class Spot:
    """Where in a description: `whole` while everything is gone through once; how many `ofType` down a type is."""

    whole: bool
    wrappers: int = 0


class Description:
    """The sizes of a schema's description of itself."""

    def __init__(self, schema: GraphQLSchema) -> None:
        types = list(schema.type_map.values())
        fields = [field for each in types for field in _fields(each).values() if not is_input_object_type(each)]
        inputs = [field for each in types for field in _fields(each).values() if is_input_object_type(each)]
        lists: Mapping[tuple[str, str], Sequence[int]] = {
            ("__Schema", "types"): [len(types)],
            ("__Schema", "directives"): [len(schema.directives)],
            ("__Type", "fields"): [0 if is_input_object_type(each) else len(_fields(each)) for each in types],
            ("__Type", "inputFields"): [len(_fields(each)) if is_input_object_type(each) else 0 for each in types],
            ("__Type", "interfaces"): [len(getattr(each, "interfaces", ())) for each in types],
            ("__Type", "enumValues"): [len(each.values) if is_enum_type(each) else 0 for each in types],
            ("__Type", "possibleTypes"): [
                len(schema.get_possible_types(each)) if is_abstract_type(each) else 0 for each in types
            ],
            ("__Field", "args"): [len(each.args) for each in fields],
            ("__Directive", "args"): [len(each.args) for each in schema.directives],
        }
        self._mean = {place: sum(sizes) / max(1, len(sizes)) for place, sizes in lists.items()}
        self._most = {place: float(max(sizes, default=0)) for place, sizes in lists.items()}
        arguments = [argument for each in (*fields, *schema.directives) for argument in each.args.values()]
        self._wrapped = _shares_wrapped(each.type for each in (*fields, *inputs, *arguments))

    def below(self, spot: Spot | None, parent: str, field: str) -> tuple[float | None, Spot]:
        """How many values a field has, on average or at most, and where that leads; None: one."""
        if spot is None:  # at the root
            return None, Spot(whole=field == "__schema")
        if field == "ofType":
            down = spot.wrappers + 1
            above = self._wrapped.get(spot.wrappers, 0)
            return (self._wrapped.get(down, 0) / above if above else 0), replace(spot, wrappers=down)
        size = (self._mean if spot.whole else self._most).get((parent, field))
        return size, Spot(spot.whole and field in _KEEPS_WHOLE)


def _fields(type_: Any) -> Mapping[str, Any]:
    return getattr(type_, "fields", {})


def _shares_wrapped(types: Iterable[GraphQLType]) -> Mapping[int, float]:
    """Which share of types is wrapped so often or more: `[Int!]!` three times."""
    depths = [_wrappers(each) for each in types]
    return {n: sum(depth >= n for depth in depths) / max(1, len(depths)) for n in range(max(depths, default=0) + 1)}


def _wrappers(type_: Any) -> int:
    return 1 + _wrappers(type_.of_type) if hasattr(type_, "of_type") else 0
