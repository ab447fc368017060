"""Which attributes of the values of each type an operation looks at, so that whoever loads them reads no more than those."""

from collections.abc import Iterator, Mapping

from engine.compiled.selection import Selection, Selections
from engine.declared.kinds import Attribute, Computed, Edge
from engine.fragments.declared import kept_of

Needs = Mapping[str, frozenset[str]]
"""By the name of the type; of a type that is not there anything may be looked at."""


def needs_of(selection: Selection) -> Needs:
    """Those of all selections in one, by their types: what was loaded for one field may be shown by another."""
    found: dict[str, set[str]] = {}
    unknown: set[str] = set()
    for each in _selections(selection):
        name = each.of.name
        looked_at = found.setdefault(name, set())
        kept = kept_of(each.of)
        if kept is not None:  # how values in hand are told from those of fragments
            looked_at.update(filter(None, (kept.held_by, kept.version)))
        if each.guards or (kept is not None and kept.changes_at is not None):
            unknown.add(name)
        for field in each.fields:
            if isinstance(field.kind, Attribute):
                looked_at.add(field.kind.name)
            elif isinstance(field.kind, Edge):
                looked_at.add(field.kind.key)
            elif isinstance(field.kind, Computed) and field.kind.of is not None:
                looked_at.add(field.kind.of)
            elif field.definition is not None:
                unknown.add(name)
    return {name: frozenset(looked_at) for name, looked_at in found.items() if name not in unknown}


def _selections(below: Selection | Selections) -> Iterator[Selection]:
    if isinstance(below, Selections):
        for each in below.by_type.values():
            yield from _selections(each)
        return
    yield below
    for field in below.fields:
        if field.below is not None:
            yield from _selections(field.below)
