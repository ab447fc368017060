"""The shape of a parsed document, held to the limits before validation, whose rules cost the square of what repeats.

All of it is linear. A definition is measured once; fragments are put in place by adding their measures up along the graph
of spreads, which must be free of cycles; only when the whole is known to be small is it walked with fragments in place.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from graphql import (
    ConstDirectiveNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
)

from engine.reading.bounds import Limits
from engine.reading.limits import Code, hold

Definition = OperationDefinitionNode | FragmentDefinitionNode


@dataclass(slots=True)
class Place:
    """A selection set, inline fragments included: its fields and the fragments spread there."""

    fields: int = 0
    spreads: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Measure:
    """Of one definition: as it is written, then with fragments put in place."""

    fields: int = 0
    aliases: int = 0
    fragments: int = 0
    directives: int = 0
    depth: int = 0
    breadth: int = 0
    top: int = 0
    """Breadth at the top."""
    places: list[Place] = field(default_factory=list)
    spreads: list[tuple[str, int]] = field(default_factory=list)
    """Fragments, each with the number of fields above it."""


def check_shape(document: DocumentNode, limits: Limits) -> None:
    """Raises LimitExceeded, or GraphQLError with the code FRAGMENT_CYCLE."""
    definitions = [each for each in document.definitions if isinstance(each, Definition)]
    by_name: dict[str, Measure] = {}
    operations: list[Measure] = []
    for definition in definitions:
        if isinstance(definition, OperationDefinitionNode):
            operations.append(_written(definition, Measure(), limits))
        else:  # of two with one name, which validation will refuse, both count
            _written(definition, by_name.setdefault(definition.name.value, Measure()), limits)
    for name in _inner_first({name: [spread for spread, _ in each.spreads] for name, each in by_name.items()}):
        _put_in_place(by_name[name], by_name)
    for operation in operations:
        _put_in_place(operation, by_name)
    used = {name for each in (*operations, *by_name.values()) for name, _ in each.spreads}
    _hold_all([*operations, *(each for name, each in by_name.items() if name not in used)], operations, limits)
    hold(Code.REPEATS, _most_merged(definitions, used), limits.repeats)


def _hold_all(roots: list[Measure], operations: list[Measure], limits: Limits) -> None:
    hold(Code.DEPTH, max((each.depth for each in roots), default=0), limits.depth)
    hold(Code.ROOT_FIELDS, max((each.top for each in operations), default=0), limits.root_fields)
    hold(Code.ALIASES, sum(each.aliases for each in roots), limits.aliases)
    hold(Code.DIRECTIVES, sum(each.directives for each in roots), limits.directives)
    hold(Code.FRAGMENTS, sum(each.fragments for each in roots), limits.fragments)
    hold(Code.BREADTH, max((each.breadth for each in roots), default=0), limits.breadth)
    hold(Code.FIELDS, sum(each.fields for each in roots), limits.fields)


def _written(definition: Definition, found: Measure, limits: Limits) -> Measure:
    """Add what a definition has to `found`, without looking into the fragments that it spreads."""
    found.directives += len(definition.directives or ())
    for variable in getattr(definition, "variable_definitions", None) or ():
        found.directives += len(variable.directives or ())
        _check_values([variable.default_value] if variable.default_value else (), limits)
    top = found.places[0] if found.places else Place()
    if not found.places:
        found.places.append(top)
    pending: list[tuple[SelectionSetNode, Place, int]] = [(definition.selection_set, top, 0)]
    while pending:
        selections, place, depth = pending.pop()
        for node in selections.selections:
            found.directives += len(node.directives or ())
            _check_values(_arguments(node.directives or ()), limits)
            if isinstance(node, FieldNode):
                place.fields += 1
                found.fields += 1
                found.aliases += node.alias is not None
                found.depth = max(found.depth, depth + 1)
                _check_values((each.value for each in node.arguments or ()), limits)
                if node.selection_set:
                    found.places.append(Place())
                    pending.append((node.selection_set, found.places[-1], depth + 1))
                continue
            found.fragments += 1
            if isinstance(node, FragmentSpreadNode):
                place.spreads.append(node.name.value)
                found.spreads.append((node.name.value, depth))
            else:
                pending.append((node.selection_set, place, depth))  # type: ignore[attr-defined]
    return found


def _arguments(directives: Iterable[DirectiveNode | ConstDirectiveNode]) -> Iterator[ValueNode]:
    return (argument.value for directive in directives for argument in directive.arguments or ())


def _check_values(values: Iterable[ValueNode], limits: Limits) -> None:
    """An object is told whole, by each error in it: so its size is held together with what is within it."""
    pending: list[tuple[ValueNode, Counter[str] | None]] = [(value, None) for value in values]
    while pending:
        value, around = pending.pop()
        if around is not None:
            around["values"] += 1
            hold(Code.OBJECT_VALUES, around["values"], limits.object_values)
        if isinstance(value, ListValueNode):
            hold(Code.LIST_ITEMS, len(value.values), limits.list_items)
            pending.extend((each, around) for each in value.values)
        elif isinstance(value, ObjectValueNode):
            outermost = Counter() if around is None else around
            pending.extend((each.value, outermost) for each in value.fields)


def _inner_first(spreads: Mapping[str, list[str]]) -> list[str]:
    """Fragments, each after those that it spreads. Raises GraphQLError where that cannot be."""
    ordered: list[str] = []
    done: set[str] = set()
    for start in spreads:
        path = [(start, iter(spreads[start]))] if start not in done else []
        on_path = {start}
        while path:
            name, rest = path[-1]
            inner = next((each for each in rest if each in spreads and each not in done), None)
            if inner is None:
                path.pop()
                on_path.discard(name)
                done.add(name)
                ordered.append(name)
            elif inner in on_path:
                raise GraphQLError(
                    f"Cannot spread fragment {inner!r} within itself.", extensions={"code": Code.FRAGMENT_CYCLE.value}
                )
            else:
                path.append((inner, iter(spreads[inner])))
                on_path.add(inner)
    return ordered


def _put_in_place(measure: Measure, fragments: Mapping[str, Measure]) -> None:
    """Add the measures of fragments, which are whole already. A fragment that is not there is validation's concern."""
    for name, depth in measure.spreads:
        inner = fragments.get(name)
        if inner is None:
            continue
        measure.fields += inner.fields
        measure.aliases += inner.aliases
        measure.fragments += inner.fragments
        measure.directives += inner.directives
        measure.depth = max(measure.depth, depth + inner.depth)
        measure.breadth = max(measure.breadth, inner.breadth)
    widths = [
        place.fields + sum(fragments[name].top for name in place.spreads if name in fragments)
        for place in measure.places
    ]
    measure.top = widths[0]
    measure.breadth = max(measure.breadth, *widths)


def _most_merged(definitions: list[Definition], used: set[str]) -> int:
    """How many fields share a name in one place, at most. For documents that are known to be small."""
    fragments: defaultdict[str, list[SelectionSetNode]] = defaultdict(list)
    for each in definitions:
        if isinstance(each, FragmentDefinitionNode):
            fragments[each.name.value].append(each.selection_set)
    most = 0
    merged = [
        [each.selection_set]
        for each in definitions
        if isinstance(each, OperationDefinitionNode) or each.name.value not in used
    ]
    while merged:
        names: Counter[str] = Counter()
        below: defaultdict[str, list[SelectionSetNode]] = defaultdict(list)
        pending = merged.pop()
        while pending:
            for node in pending.pop().selections:
                if isinstance(node, FieldNode):
                    name = (node.alias or node.name).value
                    names[name] += 1
                    if node.selection_set:
                        below[name].append(node.selection_set)
                elif isinstance(node, FragmentSpreadNode):
                    pending.extend(fragments.get(node.name.value, ()))
                else:
                    pending.append(node.selection_set)  # type: ignore[attr-defined]
        most = max(most, *names.values()) if names else most
        merged.extend(below.values())
    return most
