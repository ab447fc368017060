"""Which fields of an operation show fragments, and what shapes their bytes.

A *site* is a field with a selection below it that is the same for all of the public: no field behind a guard, no resolver, and
only what is a site itself, read off the value or a part of it. It leads to one entity by its key, or holds entities, or it is a
list at the root. Two sites that show the same in the same way, in whatever documents, share fragments.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from graphql import GraphQLField, get_nullable_type, is_non_null_type, is_object_type
from graphql.pyutils import Undefined

from engine.declared.kinds import Attribute, Code, Computed, Edge
from engine.fragments.declared import MAX_AGE_S, Kept, anything, finds_of, kept_of, shared_for
from engine.reading.price import Priced, times

if TYPE_CHECKING:  # whose fields have a site
    from engine.compiled.selection import Field, Selection, Selections
    from engine.fragments.entities import Fragments

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


class How(Enum):
    """How a site comes by what it shows."""

    LEADS = "leads"
    """An edge, by an attribute of the value at which it stands."""
    FINDS = "finds"
    """A field of the root, by its arguments."""
    HOLDS = "holds"
    """The value of the field is the entity, or a list of them: so are all values of a type where it is one of several."""
    LISTS = "lists"
    """A field of the root that is the same for all of the public."""


class Site:
    """What is shown of an entity at a field. `nested` are the sites within, in order; `fragments` shows them, once compiled."""

    __slots__ = (
        "_arguments", "_shapes", "_signature", "_times", "fragments", "how", "kept", "key", "lists", "nested", "priced",
    )  # fmt: skip

    def __init__(
        self, how: How, kept: Kept, below: "Selection", priced: Priced, *, key: str = "", is_required: bool
    ) -> None:
        self.how = how
        self.kept = kept
        self.key = key
        """The attribute that names the entity: of the value at which it stands, or of the entity that is held."""
        self.priced = priced
        self.fragments: Fragments | None = None
        inside = list(_sites(below, ()))
        self.nested: tuple[Site, ...] = tuple(site for _, site in inside)
        self.lists = tuple(dict.fromkeys(anything(kind) for kind in _kinds(below)))
        """Tags of changes that may put something else in a list."""
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


def site_of(
    kind: object, name: str, field: GraphQLField, below: "Selection", price: Callable[[], Priced]
) -> Site | None:
    """The site that a field of a kind is, if it is one."""
    is_required = is_non_null_type(field.type)
    shared_s, finds, kept = shared_for(field), finds_of(field), kept_of(below.of)
    is_list = shared_s is not None and finds is None
    if not (is_list or kept) or not is_public(below):
        return None
    if is_list:
        listed = Kept(f"list {name}", "", max_age_s=min(shared_s or 0, MAX_AGE_S), is_tag=False)
        return Site(How.LISTS, listed, below, price(), is_required=is_required)
    assert kept is not None
    if isinstance(kind, Attribute | Computed):
        return held_site(below, price)
    if not is_object_type(get_nullable_type(field.type)):
        return None
    if isinstance(kind, Edge) and kind.loader == kept.loader and not kind.takes:
        return Site(How.LEADS, kept, below, price(), key=kind.key, is_required=is_required)
    if isinstance(kind, Code) and finds is not None:
        return Site(How.FINDS, kept, below, price(), key=kept.held_by or "", is_required=is_required)
    return None


def held_site(below: "Selection", price: Callable[[], Priced]) -> Site | None:
    """The site that values of a type are, wherever they are held."""
    kept = kept_of(below.of)
    if kept is None or kept.held_by is None or not is_public(below):
        return None
    return Site(How.HOLDS, kept, below, price(), key=kept.held_by, is_required=True)


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


def _kinds(selection: "Selection") -> Iterator[str]:
    """Of the entities nearest below, and of those that are listed themselves."""
    kept = kept_of(selection.of)
    if kept is not None:
        yield kept.kind
    for field in selection.fields:
        if kept is None and field.below is not None:
            yield from _kinds(_one(field.below))


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
