"""What an operation costs, known before it runs: compiled once a document, evaluated with each request's variables.

A field costs FIELD and what its declaration adds (`cost` in engine/declared/fields.py: an edge 1, a page 2, a mutation 10, …). What is
below a list counts once for each of its values: as many as `first` or `last` ask for on a connection, as there are in a
list of `ids`, else as many as assumed. Of a type and its alternatives (`... on A`, `... on B`) all count.

The actual cost is the same sum over the answer, with the lengths that its lists turned out to have; what came back null costs
its own look-up and nothing below. It is read off the answer, so no field pays for being counted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    ArgumentNode,
    BooleanValueNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_introspection_type,
    is_list_type,
)

from engine.reading.bounds import Limits
from engine.reading.introspection import Description, Spot
from engine.reading.limits import COUNTED
from engine.reading.price import Condition, Price, Priced, Size, number

FIELD = 0.1
"""Of every field: what resolving and writing out a value takes, beside a look-up that counts 1."""
INTROSPECTION_FIELD = 0.2
"""Of the schema's description of itself, whose sizes are known: graphql-core takes 3 to 5 µs for each."""
PART = 5
"""Of a fragment that is deferred, for each value that it is on, and of an item that is streamed: a payload of its own."""
DIGITS = 12
PAGING, IDS = ("first", "last"), "ids"


def price_of(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    limits: Limits,
    description: Description | None = None,
) -> Price:
    """Compile the cost of an operation of a valid document. `description` is the schema's, where it is at hand."""
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    root_type = schema.get_root_type(operation.operation)
    assert root_type is not None
    below = _Compiler(schema, fragments, limits, description or Description(schema)).fields(
        [(root_type, operation.selection_set.selections)], Size(limits.list_size)
    )
    defaults = {
        each.variable.name.value: _literal(each.default_value)
        for each in operation.variable_definitions or ()
        if each.default_value is not None
    }
    return Price(_folded("", 0, None, (), below), defaults)


def price_below(
    schema: GraphQLSchema,
    fragments: Mapping[str, FragmentDefinitionNode],
    type_: GraphQLObjectType,
    sets: Sequence[SelectionSetNode],
) -> Priced:
    """What the values of an object type cost, for what they turn out to be: where no size is told none is needed."""
    limits = Limits()
    compiler = _Compiler(schema, fragments, limits, None)  # entities do not describe the schema
    below = compiler.fields([(type_, each.selections) for each in sets], Size(limits.list_size))
    return _folded("", 0, None, (), below)


@dataclass(frozen=True, slots=True)
class _Selected:
    """The nodes of one response name on one type, which execution merges; none for a fragment that is deferred."""

    parent: GraphQLNamedType
    nodes: list[FieldNode]
    conditions: list[tuple[Condition, ...]]


Selections = Iterable[tuple[GraphQLNamedType, Sequence[SelectionNode]]]


class _Compiler:
    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        limits: Limits,
        description: Description | None,
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._limits = limits
        self._description = description

    def fields(self, selections: Selections, page: Size, spot: Spot | None = None) -> list[Priced]:
        """The fields of merged selection sets; `page` is the size of lists right below a connection.

        `spot`: where in the schema's description of itself they are.
        """
        found: dict[tuple[str, str], _Selected] = {}
        for parent, nodes in selections:
            self._collect(parent, nodes, (), found)
        return [
            self._field(selected, page, spot)
            if selected.nodes
            else Priced("", PART, 0, None, selected.conditions[0], ())
            for selected in found.values()
        ]

    def _collect(
        self,
        parent: GraphQLNamedType,
        nodes: Iterable[SelectionNode],
        around: tuple[Condition, ...],
        found: dict[tuple[str, str], _Selected],
    ) -> None:
        for node in nodes:
            conditions = _conditions(node)
            if conditions is None:  # never there
                continue
            conditions = around + conditions
            if isinstance(node, FieldNode):
                name = (node.alias or node.name).value
                selected = found.setdefault((parent.name, name), _Selected(parent, [], []))
                selected.nodes.append(node)
                selected.conditions.append(conditions)
                continue
            fragment = self._fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
            assert isinstance(fragment, FragmentDefinitionNode | InlineFragmentNode)
            on = fragment.type_condition
            inner = self._schema.type_map[on.name.value] if on else parent
            if _has(node, "defer"):
                found[inner.name, f"@defer {len(found)}"] = _Selected(inner, [], [conditions])
            self._collect(inner, fragment.selection_set.selections, conditions, found)

    def _field(self, selected: _Selected, page: Size, spot: Spot | None) -> Priced:
        node = selected.nodes[0]
        field = self._schema.get_field(selected.parent, node.name.value)  # type: ignore[arg-type]
        assert field is not None, "the document is valid"
        type_ = get_named_type(field.type)
        is_list = is_list_type(get_nullable_type(field.type))
        size = self._size(field, node)
        assumed = Size(self._limits.list_size)
        below = [(type_, each.selection_set.selections) for each in selected.nodes if each.selection_set]
        describes = is_introspection_type(type_)
        if describes and self._description is not None:
            times, spot = self._description.below(spot, selected.parent.name, node.name.value)
            size = None if times is None else Size(times)
        each = self.fields(below, size if size and not is_list else assumed, spot if describes else None)
        if is_list and any(_has(each_node, "stream") for each_node in selected.nodes):
            each.append(Priced("", PART, 0, None, (), ()))
        # of nodes that are there under different conditions, one is there at the most often
        conditions = selected.conditions[0] if len(set(selected.conditions)) == 1 else ()
        once = _declared(field, "cost", 0) + (INTROSPECTION_FIELD if is_introspection_type(selected.parent) else FIELD)
        name = (node.alias or node.name).value
        if not each or not (is_list or describes):
            size = None
        elif not describes:
            size = size or _own(field) or page
        return _folded(name, once, size, conditions, each)

    def _size(self, field: GraphQLField, node: FieldNode) -> Size | None:
        """What the arguments of a field say of the size of its list, or of the lists right below."""
        given = {each.name.value: each for each in node.arguments or ()}
        if any(name in field.args for name in PAGING):
            return Size(self._limits.page_size, _asked(given[name] for name in PAGING if name in given))
        if IDS in field.args and IDS in given:
            return Size(self._limits.list_size, _asked([given[IDS]]))
        return None


def _folded(
    name: str, once: float, size: Size | None, conditions: tuple[Condition, ...], below: Sequence[Priced]
) -> Priced:
    """A field with whatever is always there below it made one number."""
    always = [field for field in below if not field.when and field.size is None and not field.below]
    rest = tuple(field for field in below if field.when or field.size is not None or field.below)
    return Priced(name, once, sum(field.once + field.each for field in always), size, conditions, rest)


def _own(field: GraphQLField) -> Size | None:
    """The size that a list's declaration assumes."""
    assumed = _declared(field, "size", None)
    return None if assumed is None else Size(assumed)


def _declared(field: GraphQLField, name: str, default: Any) -> Any:
    definition = field.extensions.get("strawberry-definition")
    return definition.metadata.get(name, default) if definition else default


def _has(node: SelectionNode, directive: str) -> bool:
    return any(each.name.value == directive for each in node.directives or ())


def _conditions(node: SelectionNode) -> tuple[Condition, ...] | None:
    """When a node is there, by its @skip and @include; None for never."""
    found: list[Condition] = []
    for directive in node.directives or ():
        if directive.name.value not in ("skip", "include"):
            continue
        wanted = directive.name.value == "include"
        [argument] = directive.arguments or ()
        value = argument.value
        if isinstance(value, VariableNode):
            found.append((value.name.value, wanted))
        elif isinstance(value, BooleanValueNode) and value.value is not wanted:
            return None
    return tuple(found)


def _asked(arguments: Iterable[ArgumentNode]) -> tuple[int | str, ...]:
    """The numbers and variables that arguments give."""
    values = [each.value for each in arguments]
    asked = [each.name.value if isinstance(each, VariableNode) else number(_literal(each)) for each in values]
    return tuple(each for each in asked if each is not None)


def _literal(value: ValueNode) -> Any:
    """A number, boolean or list as variables would bring it; anything else is of no matter here."""
    if isinstance(value, IntValueNode):
        return int(value.value) if len(value.value) < DIGITS else COUNTED
    if isinstance(value, BooleanValueNode):
        return value.value
    if isinstance(value, ListValueNode):
        return [None] * len(value.values)
    return None if isinstance(value, NullValueNode) else value
