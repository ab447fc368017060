"""Whether an answer is the same for everybody, and what whoever keeps one may know: `extensions.cache`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from engine.declared.kinds import Attribute, Computed, Edge
from engine.fragments.declared import finds_of, kept_of, shared_for
from engine.fragments.rendered import MAX_TAGS
from engine.fragments.store import Shelf

if TYPE_CHECKING:
    from engine.compiled.selection import Field, Selection, Selections

PRIVATE = {"scope": "PRIVATE", "maxAge": 0, "tags": []}
"""Of whatever is not known to be the same for everybody."""


def public_age(root: "Selection") -> int | None:
    """How old an operation's answer may become in the hands of others, in seconds; None where it is not for everybody."""
    ages: list[int] = []
    for field in root.fields:
        if field.definition is None:
            continue
        age = shared_for(field.definition)
        if field.guard is not None or age is None:
            return None
        ages.append(age)
        for below in () if field.below is None else _ages(field.below):
            if below is None:
                return None
            ages.append(below)
    return min(ages, default=None)


def _ages(selection: "Selection | Selections") -> Iterator[int | None]:
    """Of all that is below; None for what is not for everybody."""
    by_type = getattr(selection, "by_type", None)
    if by_type is not None:
        for each in by_type.values():
            yield from _ages(each)
        return
    kept = kept_of(selection.of)  # type: ignore[union-attr]
    if kept is not None:
        yield kept.client_age_s
    for field in selection.fields:  # type: ignore[union-attr]
        if not _is_for_everybody(field):
            yield None
        elif field.below is not None:
            yield from _ages(field.below)


def _is_for_everybody(field: "Field") -> bool:
    if field.definition is None or field.site is not None:
        return field.guard is None
    kind = field.kind
    is_public = isinstance(kind, Attribute | Computed) or (isinstance(kind, Edge) and kind.is_part)
    return is_public and field.guard is None


def lists_of(root: "Selection") -> tuple[str, ...]:
    """The tags of the lists that an operation shows: the names of its root fields that find no single entity."""
    fields = [field for field in root.fields if field.definition is not None]
    return tuple(
        dict.fromkeys(field.name for field in fields if field.definition and finds_of(field.definition) is None)
    )


def told(age_s: int, lists: tuple[str, ...], shelf: Shelf) -> dict[str, Any]:
    """`extensions.cache` of an answer that is for everybody. Of too many tags it names the outermost."""
    tags = dict.fromkeys(lists)
    left = float(age_s)
    now = shelf.store.clock()
    outermost_first = shelf.shown[::-1]
    for each in outermost_first:
        tags |= dict.fromkeys(each.tags[:1])
        left = min(left, each.ends - now)
    for each in outermost_first:
        if len(tags) >= MAX_TAGS:
            break
        tags |= dict.fromkeys(each.tags)
    return {"scope": "PUBLIC", "maxAge": max(0, int(left)), "tags": list(tags)[:MAX_TAGS]}
