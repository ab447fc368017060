"""A made-up marketplace behind the real schema: every value follows from a seed, and some are not what their type says."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from functools import cache
from typing import Any
from uuid import UUID

import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)

from domain.shared.ids import UserId
from domain.shared.viewer import ANONYMOUS, Role, Viewer
from engine.declared.access import NOBODY_YET
from engine.declared.kinds import Arguments, Attribute, Code, Computed, Edge, kind_of, values_shown
from engine.fragments.declared import kept_of, shared_for
from engine.loading import BatchLoader
from schema.build import guard_fields
from schema.directives import in_context
from schema.mutation import Mutation
from schema.query import Query

LEAVES: dict[str, Callable[[random.Random], Any]] = {
    "ID": lambda dice: f"id-{dice.randrange(1000)}",
    "String": lambda dice: dice.choice(["", "茶碗", "text", 'q"\\', "\u2028"]),
    "Int": lambda dice: dice.choice([0, 1, -5, 2**31 - 1]),
    "Float": lambda dice: dice.choice([0.0, 1.5, -2.25, 1e300]),
    "Boolean": lambda dice: dice.random() < 0.5,
    "Decimal": lambda dice: Decimal(dice.choice(["0", "1980", "19.80"])),
    "DateTime": lambda dice: datetime(2026, 1, 1 + dice.randrange(28), 3, 4, dice.randrange(60), tzinfo=UTC),
}


class Text(str):
    """A text of another class."""

    __slots__ = ()


class Whole(int):
    """A whole number of another class."""


class Share(float):
    """A fraction of another class."""


class Word(StrEnum):
    """Texts that are members of an enum."""

    WORD = "word"


class Step(IntEnum):
    """Whole numbers that are members of an enum."""

    THIRD = 3


WRONG: Sequence[Any] = (
    5, True, 1.5, "x", 2**40, float("nan"), float("inf"), [], {}, b"bytes", ValueError("as a value"), Decimal(1),
    Text("x"), Whole(7), Whole(2**31), Share(1.5), Share("nan"), Word.WORD, Step.THIRD, 2**53 + 1, 2**70, -(2**31) - 1,
    float("-inf"), -0.0, Decimal("0.1"), Decimal("NaN"), [["x"]], ("x", 5), {"a": [1]},
)  # fmt: skip


ASKED = frozenset(["source", "path", "nodes", "positions", "extensions"])
"""What graphql-core asks exceptions for."""


class Posing(Exception):
    """An exception in a value's place, that has what the value shows."""

    def __init__(self, value: "Value | Data") -> None:
        super().__init__("as a value")
        self._value = value

    def __getattr__(self, name: str) -> Any:
        if name in ASKED or name not in attributes(self._value._type):
            raise AttributeError(name)
        return getattr(self._value, name)


class Keyed(dict[str, Any]):
    """A dict in a value's place, that has all of the value's attributes, and other things by the same names."""

    def __init__(self, value: "Value | Data") -> None:
        super().__init__(dict.fromkeys(attributes(value._type), "by key"))
        self._value = value

    def __getattr__(self, name: str) -> Any:
        return getattr(self._value, name)


KINDS = 6
"""Values of each type: few, so that one turns up in several places."""
VIEWERS = (ANONYMOUS, Viewer(Role.ADMIN, UserId(UUID(int=1))))


class Broken(Exception):
    """What a faulty resolver, loader or property raises."""


class Value:
    """A value of an object type: its attributes are made when they are asked for, always the same."""

    def __init__(self, world: "World", type_: GraphQLObjectType, seed: str) -> None:
        self._world = world
        self._type = type_
        self._seed = seed
        self._shown = (values_shown(type_) or (Value,))[0]

    @property  # type: ignore[misc]
    def __class__(self) -> type:  # type: ignore[override]
        """What `isinstance` goes by: a type that looks at its values has to take this for one."""
        return self._shown

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        made = self._world.attribute(self._type, name, f"{self._seed}.{name}")
        if isinstance(made, Broken):
            raise made
        self.__dict__[name] = made
        return made


class Data:
    """A value whose attributes are nothing but data."""

    def __init__(self, type_: GraphQLObjectType, seed: str, made: dict[str, Any]) -> None:
        self._type = type_
        self._seed = seed
        self.__dict__.update(made)


class World:
    """Values by seed. `fault_rate` is how often one is wrong; the same seed and rate give the same world."""

    def __init__(self, schema: GraphQLSchema, seed: int, fault_rate: float) -> None:
        self._schema = schema
        self._seed = seed
        self._fault_rate = fault_rate
        self._values: dict[str, Value | Data] = {}
        self.calls: Counter[str] = Counter()
        """How often each resolver ran, and each key was loaded between two writes."""

    def attribute(self, type_: GraphQLObjectType, name: str, seed: str) -> Any:
        field = attributes(type_).get(name)
        dice = self._dice(seed)
        if field is not None:
            return Broken(seed) if dice.random() < self._fault_rate / 4 else self.value(field.type, seed)
        if name == "id":
            return UUID(int=dice.getrandbits(128))
        if name == "version":
            return 1
        return UUID(int=dice.randrange(4)) if dice.random() < 0.85 else None  # the key of an edge

    def value(self, type_: GraphQLOutputType, seed: str) -> Any:
        """A value of a type. A required one is null only by fault."""
        dice = self._dice(f"value {seed}")
        if dice.random() < self._fault_rate:
            return dice.choice([None, None, *WRONG])
        if not is_non_null_type(type_) and dice.random() < 0.15:
            return None
        bare: Any = get_nullable_type(type_)
        if isinstance(bare, GraphQLObjectType) and dice.random() < self._fault_rate:
            # a dict with the id of an entity is shown as that is where it is kept
            poses = dice.choice([Posing, Keyed]) if kept_of(bare) is None else Posing
            return poses(self._named(bare, dice.randrange(KINDS)))
        if is_list_type(bare):
            items = [self.value(bare.of_type, f"{seed}[{number}]") for number in range(dice.randrange(4))]
            return tuple(items) if dice.random() < 0.5 else items
        if isinstance(bare, GraphQLEnumType):
            return dice.choice([each.value for each in bare.values.values()])
        if is_leaf_type(bare):
            return LEAVES.get(bare.name, LEAVES["String"])(dice)
        if is_abstract_type(bare):
            bare = dice.choice(self._schema.get_possible_types(bare))
        assert isinstance(bare, GraphQLObjectType)
        return self._named(bare, dice.randrange(KINDS))

    def _named(self, type_: GraphQLObjectType, number: int) -> Any:
        name = f"{type_.name}{number}"
        if name not in self._values:
            value = Value(self, type_, name)
            self._values[name] = self._data(value) if self._dice(f"data {name}").random() < 0.5 else value
        return self._values[name]

    def _data(self, value: "Value") -> Any:
        """The same with attributes that are nothing but data, unless one of them fails, or it is asked for more."""
        type_ = value._type
        kinds = [kind_of(field) for field in type_.fields.values()]
        names = [*attributes(type_), *(kind.key for kind in kinds if isinstance(kind, Edge))]
        if values_shown(type_) or not all(
            is_leaf_type(get_named_type(each.type)) for each in attributes(type_).values()
        ):
            return value
        made = {name: self.attribute(type_, name, f"{value._seed}.{name}") for name in names}
        data = Data(type_, value._seed, made)
        try:
            for kind in kinds:
                if isinstance(kind, Computed):
                    kind(data)
        except Exception:  # noqa: BLE001  (whatever the type's code raises)
            return value
        return value if any(isinstance(each, Broken) for each in made.values()) else data

    def held(self, type_: GraphQLOutputType, key: Any) -> Any:
        """The value whose own key it is: who holds a product and who loads it are shown the same."""
        named = get_named_type(type_)
        if not isinstance(named, GraphQLObjectType) or kept_of(named) is None:
            return None
        ids = {self.attribute(named, "id", f"{named.name}{number}.id"): number for number in range(KINDS)}
        return self._named(named, ids[key]) if key in ids else None

    def fails(self, seed: str) -> bool:
        return self._dice(f"fails {seed}").random() < self._fault_rate

    def rounds(self, seed: str) -> int:
        """Of the event loop, for which something keeps others waiting."""
        return self._dice(f"rounds {seed}").choice([0, 1, 1, 2, 7])

    def _dice(self, seed: str) -> random.Random:
        return random.Random(f"{self._seed} {seed}")


class Loaders:
    """The loaders of one operation, on a made-up world."""

    def __init__(self, world: World, types: dict[str, GraphQLOutputType]) -> None:
        self._world = world
        self._types = types
        self._loaders: dict[tuple[str, Arguments], BatchLoader] = {}
        self._written = 0

    async def load_level(self, loader: str, keys: Collection[Any], arguments: Arguments = ()) -> Sequence[Any]:
        return await self._loader(loader, arguments).level(keys)

    async def load(self, loader: str, key: Any, arguments: Arguments = ()) -> Any:
        return await self._loader(loader, arguments).one(key)

    def forget(self) -> None:
        self._loaders = {}
        self._written += 1

    def _loader(self, name: str, arguments: Arguments) -> BatchLoader:
        written = self._written  # what is left of a root field that failed may load with its own a little later

        async def batch(keys: list[Any]) -> Sequence[Any]:
            for _ in range(self._world.rounds(f"batch {name}")):
                await asyncio.sleep(0)
            if self._world.fails(f"batch {name}{arguments}"):
                raise Broken(name)
            return [self._load(name, key, arguments, written) for key in keys]

        return self._loaders.setdefault((name, arguments), BatchLoader(batch))

    def _load(self, name: str, key: Any, arguments: Arguments, written: int) -> Any:
        seed = f"{name}({key}){arguments}"
        self._world.calls[f"{seed} {written}"] += 1
        if self._world.fails(seed):
            return Broken(seed)
        return self._world.held(self._types[name], key) or self._world.value(self._types[name], seed)


class Context:
    """What the engine, the guards and edges ask of a context."""

    def __init__(self, world: World, types: dict[str, GraphQLOutputType], viewer: Viewer) -> None:
        self.world = world
        self.viewer = viewer
        self.shared_as = "ja" if viewer.is_public else None
        self.admitted = NOBODY_YET
        self.loaders = Loaders(world, types)


def real_schema() -> GraphQLSchema:
    return strawberry.Schema(Query, Mutation, directives=[in_context])._schema


def made_up(schema: GraphQLSchema) -> GraphQLSchema:
    """A schema, whose resolvers ask a made-up world from now on. Attributes, computed fields, edges and guards are its own."""
    for type_ in object_types(schema):
        for name, field in type_.fields.items():
            if isinstance(kind_of(field), Code):
                field.resolve = _resolver(type_.name, name, field)
    guard_fields(schema)
    return schema


@cache
def loader_types(schema: GraphQLSchema) -> dict[str, GraphQLOutputType]:
    """What each loader gives, as a field that names it says."""
    kinds = ((kind_of(field), field) for type_ in object_types(schema) for field in type_.fields.values())
    return {kind.loader: field.type for kind, field in kinds if isinstance(kind, Edge)}


def object_types(schema: GraphQLSchema) -> list[GraphQLObjectType]:
    types = [each for each in schema.type_map.values() if isinstance(each, GraphQLObjectType)]
    return [each for each in types if not each.name.startswith("__")]


@cache
def attributes(type_: GraphQLObjectType) -> dict[str, GraphQLField]:
    """The fields of a type that are attributes of its values, by attribute."""
    kinds = ((kind_of(field), field) for field in type_.fields.values())
    return {kind.name: field for kind, field in kinds if isinstance(kind, Attribute)}


def _resolver(type_name: str, name: str, field: GraphQLField) -> Callable[..., Any]:
    def made(root: Any, info: Any, arguments: Any) -> Any:
        world: World = info.context.world
        if type_name == "Mutation":
            info.context.loaders.forget()
        path = ".".join(map(str, info.path.as_list()))
        of = getattr(root, "_seed", type(root))
        world.calls[f"{type_name}.{name}({of}, {path}, {arguments!r})"] += 1
        # what is the same for all of the public is so wherever it stands
        seed = f"{type_name}.{name}({of}, {'' if shared_for(field) else path}, {arguments!r})"
        if world.fails(seed):
            raise Broken(seed)
        return world.value(field.type, seed)

    async def at_length(root: Any, info: Any, **arguments: Any) -> Any:
        for _ in range(info.context.world.rounds(name)):
            await asyncio.sleep(0)
        return made(root, info, arguments)

    def at_once(root: Any, info: Any, **arguments: Any) -> Any:
        return made(root, info, arguments)

    return at_length if len(name) % 3 else at_once
