"""Which fields of an operation show fragments, and what shapes their bytes.

A *site* is a field that leads to one entity by its key, with a selection below it that is the same for all of the public: no
field behind a guard, no resolver, and only edges that are sites themselves or parts of the entity. Two sites that show the same
in the same way, in whatever documents, share fragments.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from graphql import GraphQLField, get_nullable_type, is_non_null_type, is_object_type
from graphql.pyutils import Undefined

from engine.declared.kinds import Attribute, Code, Computed, Edge
from engine.fragments.declared import Kept, finds_of, kept_of
from engine.reading.cost import Priced, times

if TYPE_CHECKING:  # whose fields have a site
    from engine.compiled.selection import Field, Selection, Selections
    from engine.fragments.steps import KeptLoad

DIGEST_BYTES = 16
MAX_SHAPES = 64
"""Of one site, for different arguments and languages."""
PLAIN = (str, int, float, bool, type(None))


class Shape(NamedTuple):
    """What shapes the bytes of a fragment beside its entity, as a digest.

    `nested` are the digests of the sites within, each with its number and how often what it costs counts.
    """

    digest: bytes
    nested: dict[bytes, tuple[int, int]]


class Site:
    """What is shown of an entity at a field. `nested` are the sites within, in order; `step` is what its level was compiled to."""

    __slots__ = ("_arguments", "_shapes", "_signature", "_times", "kept", "key", "nested", "priced", "step")

    def __init__(self, kept: Kept, key: str, below: "Selection", priced: Priced, *, is_required: bool) -> None:
        self.kept = kept
        self.key = key
        """The attribute of the value at which it stands that names the entity; none at the root."""
        self.priced = priced
        self.step: KeptLoad | None = None
        inside = list(_sites(below, ()))
        self.nested: tuple[Site, ...] = tuple(site for _, site in inside)
        self._times = [times(priced, way) for way, _ in inside]
        self._arguments = tuple(field for field in _all_fields(below) if field.definition and field.definition.args)
        # names of variables may stand in what it costs: documents that differ in them alone have fragments of their own
        self._signature = repr((kept.kind, kept.loader, is_required, _signature(below), priced)).encode()
        self._shapes: OrderedDict[Hashable, Shape | None] = OrderedDict()

    def shape(self, shared_as: Hashable, arguments: "Callable[[Field], dict[str, Any]]") -> Shape | None:
        """What shapes the bytes; None where that cannot be told."""
        given: list[Hashable] = []
        for field in self._arguments:
            for name, value in arguments(field).items():
                if value is not Undefined and not isinstance(value, PLAIN):
                    return None
                given.append((name, value, type(value)))  # 1, 1.0 and True are one key of a dict, and three answers
            given.append(None)
        key = (shared_as, *given)
        shape = self._shapes.get(key)
        if shape is None:
            shape = self._shapes[key] = self._shaped(key, shared_as, arguments)
            if len(self._shapes) > MAX_SHAPES:
                self._shapes.popitem(last=False)
        return shape

    def _shaped(
        self, key: Hashable, shared_as: Hashable, arguments: "Callable[[Field], dict[str, Any]]"
    ) -> Shape | None:
        nested: dict[bytes, tuple[int, int]] = {}
        for number, (site, often) in enumerate(zip(self.nested, self._times, strict=True)):
            shape = site.shape(shared_as, arguments)
            if shape is None or nested.setdefault(shape.digest, (number, often))[1] != often:
                return None  # the same in two places of different cost: not worth telling them apart
        digest = hashlib.sha256(self._signature + repr(key).encode()).digest()[:DIGEST_BYTES]
        return Shape(digest, nested)


def site_of(kind: object, field: GraphQLField, below: "Selection", price: Callable[[], Priced]) -> Site | None:
    """The site that a field of a kind is, if it is one."""
    named: Any = get_nullable_type(field.type)
    kept = kept_of(named) if is_object_type(named) else None
    if kept is None or not is_public(below):
        return None
    is_required = is_non_null_type(field.type)
    if isinstance(kind, Edge) and kind.loader == kept.loader and not kind.takes:
        return Site(kept, kind.key, below, price(), is_required=is_required)
    if isinstance(kind, Code) and finds_of(field) is not None:
        return Site(kept, "", below, price(), is_required=is_required)
    return None


def is_public(selection: "Selection | Selections") -> bool:
    """Whether all of it is the same for everybody, and changes with its entity or with a site's."""
    for field in getattr(selection, "fields", (None,)):  # of several types there is none
        if field is None:
            return False
        if field.definition is None:
            continue
        if field.guard is not None:
            return False
        if field.site is None:
            part = isinstance(field.kind, Attribute | Computed) or (isinstance(field.kind, Edge) and field.kind.is_part)
            if not part or not (field.below is None or is_public(field.below)):
                return False
    return True


def _sites(selection: "Selection", way: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Site]]:
    """The sites nearest below, with the response names that lead there."""
    for field in selection.fields:
        here = (*way, field.key)
        if field.site is not None:
            yield here, field.site
        elif field.below is not None:
            yield from _sites(_one(field.below), here)


def _all_fields(selection: "Selection") -> "Iterator[Field]":
    for field in selection.fields:
        yield field
        if field.below is not None:
            yield from _all_fields(_one(field.below))


def _signature(selection: "Selection") -> tuple[Any, ...]:
    return (
        selection.of.name,
        tuple(
            (field.key, field.name, None if field.below is None else _signature(_one(field.below)))
            for field in selection.fields
        ),
    )


def _one(below: "Selection | Selections") -> "Selection":
    """`is_public` has let nothing else through."""
    return cast("Selection", below)
