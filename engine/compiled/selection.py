"""What is selected, with fragments put in place, fields merged, and conditions settled: the tree a plan is made from.

Source: GraphQL specification, "Field Collection" (CollectFields, October 2021, 6.3.2).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedOutputType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
)

from engine.compiled.choice import Choice
from engine.compiled.given import Given
from engine.compiled.reasons import Reason, Unsupported
from engine.declared.access import GUARD, Guard
from engine.declared.kinds import Attribute, Code, Computed, Kind, UnknownTest, kind_of, values_shown
from engine.fragments.sites import Site, held_site, site_of
from engine.reading.cost import price_below
from engine.reading.price import Priced

TYPENAME = "__typename"
MAX_FIELDS = 2_000
"""Of a plan. An interface within an interface multiplies them, so a short document may have very many."""
Conditions = Mapping[str, Any]
"""Values of the variables that @skip and @include ask for."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field to be shown under `key`. `definition` is None for `__typename`."""

    key: str
    nodes: tuple[FieldNode, ...]
    parent: GraphQLObjectType
    definition: GraphQLField | None
    kind: Kind | None
    below: "Selection | Selections | None" = None
    site: Site | None = None
    """Where it shows fragments."""
    given: Given | None = None
    """Its arguments; None of one that takes none."""

    @property
    def name(self) -> str:
        return self.nodes[0].name.value

    @property
    def type(self) -> GraphQLOutputType:
        assert self.definition is not None
        return self.definition.type

    @property
    def guard(self) -> Guard | None:
        return self.definition.extensions.get(GUARD) if self.definition else None

    @property
    def is_inline(self) -> bool:
        """Whether it comes off the value without I/O, and all below it too, which is for everybody."""
        if self.definition is None:
            return True
        if self.site is not None:
            return False
        return isinstance(self.kind, Attribute | Computed) and (self.below is None or self.below.is_pure)

    @property
    def asks_where(self) -> bool:
        """Whether it, or something below it, is a resolver, which may ask where in the answer it is."""
        return isinstance(self.kind, Code) or (self.below is not None and self.below.asks_where)


@dataclass(frozen=True, slots=True)
class Selection:
    """What is shown of values of an object type."""

    of: GraphQLObjectType
    fields: tuple[Field, ...]
    values: tuple[type, ...] | None
    """Of which classes they have to be."""

    @property
    def is_pure(self) -> bool:
        """Whether it needs no level of its own: nothing to load, and nobody to keep out."""
        return all(field.is_inline and field.guard is None for field in self.fields)

    @property
    def asks_where(self) -> bool:
        return any(field.asks_where for field in self.fields)

    @property
    def size(self) -> int:
        """Fields that are written with a value: its own, and those of pure values below."""
        below = (field.below for field in self.fields)
        return 1 + sum(1 + (each.size if isinstance(each, Selection) and each.is_pure else 0) for each in below)

    @property
    def guards(self) -> tuple[Guard, ...]:
        return tuple(dict.fromkeys(field.guard for field in self.fields if field.guard))


@dataclass(frozen=True, slots=True)
class Selections:
    """What is shown of values of an interface or union: a selection for each type that they may have, by its name."""

    choice: Choice
    by_type: Mapping[str, Selection]
    sites: Mapping[str, Site]
    """Of those types whose values are entities."""

    @property
    def is_pure(self) -> bool:
        return False

    @property
    def asks_where(self) -> bool:
        return any(selection.asks_where for selection in self.by_type.values())


def condition_variables(document: DocumentNode) -> tuple[str, ...]:
    """The variables that decide which fields are there."""
    found: dict[str, None] = {}
    nodes: list[Any] = list(document.definitions)
    while nodes:
        node = nodes.pop()
        if not isinstance(node, OperationDefinitionNode | FragmentDefinitionNode):  # theirs are not conditions
            for directive in node.directives or ():
                for argument in directive.arguments or ():
                    if isinstance(argument.value, VariableNode):
                        found[argument.value.name.value] = None
        if getattr(node, "selection_set", None):
            nodes.extend(node.selection_set.selections)
    return tuple(sorted(found))


class Selector:
    """Makes selections of one operation's document under given conditions."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, conditions: Conditions) -> None:
        self._schema = schema
        self._conditions = conditions
        self._room = MAX_FIELDS
        self._choices: dict[str, Choice] = {}
        self._fragments = {
            each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }

    def select(self, type_: GraphQLObjectType, sets: Sequence[SelectionSetNode]) -> Selection:
        """The merged selection of several selection sets on one type. Raises Unsupported."""
        grouped: dict[str, list[FieldNode]] = {}
        seen: set[str] = set()
        for each in sets:
            for node in self._collect(type_, each, seen):
                grouped.setdefault((node.alias or node.name).value, []).append(node)
        try:
            values = values_shown(type_)
        except UnknownTest as error:
            raise Unsupported(Reason.TYPE_TEST, type_.name) from error
        return Selection(type_, tuple(self._field(type_, key, tuple(nodes)) for key, nodes in grouped.items()), values)

    def _field(self, parent: GraphQLObjectType, key: str, nodes: tuple[FieldNode, ...]) -> Field:
        name = nodes[0].name.value
        self._room -= 1
        if self._room < 0:
            raise Unsupported(Reason.SIZE)
        if name == TYPENAME:
            return Field(key, nodes, parent, None, None)
        definition = parent.fields.get(name)
        kind = None if definition is None else kind_of(definition)
        if definition is None or kind is None:
            raise Unsupported(Reason.DESCRIPTION, name)
        named, below, site = get_named_type(definition.type), None, None
        if not is_leaf_type(named):
            sets = [node.selection_set for node in nodes if node.selection_set]
            below = self._below(named, sets)
            if isinstance(below, Selection):
                site = site_of(kind, name, definition, below, self._price(below.of, sets))
        given = Given(definition, nodes[0]) if definition.args else None
        return Field(key, nodes, parent, definition, kind, below, site, given)

    def _below(self, type_: GraphQLNamedOutputType, sets: Sequence[SelectionSetNode]) -> Selection | Selections:
        if not is_abstract_type(type_):
            assert isinstance(type_, GraphQLObjectType)
            return self.select(type_, sets)
        choice = self._choices.get(type_.name)
        if choice is None:
            choice = self._choices[type_.name] = Choice(self._schema, type_)
        by_type = {each.name: self.select(each, sets) for each in self._schema.get_possible_types(type_)}
        held = {name: held_site(each, self._price(each.of, sets)) for name, each in by_type.items()}
        return Selections(choice, by_type, {name: site for name, site in held.items() if site is not None})

    def _price(self, type_: GraphQLObjectType, sets: Sequence[SelectionSetNode]) -> Callable[[], Priced]:
        return partial(price_below, self._schema, self._fragments, type_, sets)

    def _collect(self, type_: GraphQLObjectType, set_: SelectionSetNode, seen: set[str]) -> Iterator[FieldNode]:
        for node in set_.selections:
            if not self._is_there(node.directives or ()):
                continue
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, InlineFragmentNode):
                if self._applies(type_, node.type_condition.name.value if node.type_condition else None):
                    yield from self._collect(type_, node.selection_set, seen)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
                seen.add(node.name.value)
                fragment = self._fragments[node.name.value]
                if self._applies(type_, fragment.type_condition.name.value):
                    yield from self._collect(type_, fragment.selection_set, seen)

    def _applies(self, type_: GraphQLObjectType, condition: str | None) -> bool:
        if condition is None or condition == type_.name:
            return True
        named = self._schema.type_map[condition]
        return is_abstract_type(named) and self._schema.is_sub_type(named, type_)

    def _is_there(self, directives: Sequence[DirectiveNode]) -> bool:
        there = True
        for directive in directives:
            name = directive.name.value
            if name not in ("skip", "include"):
                raise Unsupported(Reason.DIRECTIVE, name)
            [argument] = directive.arguments or ()
            value = argument.value
            if isinstance(value, VariableNode):
                holds = self._conditions.get(value.name.value)
            else:
                holds = value.value if isinstance(value, BooleanValueNode) else None
            if not isinstance(holds, bool):
                raise Unsupported(Reason.CONDITION)
            there = there and holds is (name == "include")
        return there
