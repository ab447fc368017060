"""What is kept of entities: no older than what was told of them. tests/api/test_fragments.py has the rest, on PostgreSQL."""

from dataclasses import dataclass
from typing import Any

import strawberry
from graphql import OperationDefinitionNode, parse, validate

from engine.compiled.engine import Engine
from engine.declared.access import NOBODY_YET
from engine.declared.fields import attribute, edge, resolver
from engine.declared.kinds import Arguments
from engine.fragments.declared import Kept
from engine.fragments.store import Store
from engine.loading import BatchLoader
from tests.answers import read


@dataclass(frozen=True)
class Maker:
    id: int
    name: str


@dataclass(frozen=True)
class Thing:
    maker_id: int = 1


async def _things(info: strawberry.Info) -> object:
    return [Thing()]


async def _bought(info: strawberry.Info) -> object:
    """Takes so long that the maker changes meanwhile."""
    info.context.changes()
    return [Thing()]


class Marked:
    kept = Kept("maker", "makers")


@strawberry.type
class Brief(Marked):
    name: str = attribute(access=None, description="x")


@strawberry.type
class Bought:
    maker: Brief | None = edge("makers", key="maker_id", access=None, description="x")


@strawberry.type
class MakerView(Marked):
    name: str = attribute(access=None, description="x")
    bought: list[Bought] = resolver(_bought, access=None, description="x", graphql_type=list[Bought])


@strawberry.type
class ThingView:
    maker: MakerView | None = edge("makers", key="maker_id", access=None, description="x")


@strawberry.type
class Query:
    things: list[ThingView] = resolver(_things, access=None, description="x", graphql_type=list[ThingView])
    bought: list[Bought] = resolver(_things, access=None, description="x", graphql_type=list[Bought])


SCHEMA = strawberry.Schema(Query)._schema


class World:
    """A maker who changes its name while the operation runs that asks for it twice."""

    shared_as, viewer, admitted = "ja", None, NOBODY_YET

    def __init__(self) -> None:
        self.name = "old"
        self.store = Store(1_000_000)
        self.store.joined()
        self._engine = Engine(SCHEMA, compile_at=1, store=self.store)
        self.loaders = self

    def changes(self) -> None:
        self.name = "new"
        self.store.forget(["maker:1"])

    async def _load(self, keys: list[int]) -> list[Maker]:
        return [Maker(key, self.name) for key in keys]

    async def load_level(self, _loader: str, keys: Any, _arguments: Arguments = ()) -> Any:
        return await self._makers.level(keys)

    async def shown(self, text: str) -> Any:
        self._makers = BatchLoader(self._load)
        document = parse(text)
        assert not validate(SCHEMA, document)
        [operation] = document.definitions
        assert isinstance(operation, OperationDefinitionNode)
        result = await self._engine.execute(document, operation, {}, None, self)
        assert result.errors is None
        return read(result.data)


async def test_what_an_operation_loaded_before_a_change_is_not_kept_after_it() -> None:
    world = World()
    twice = await world.shown("{ things { maker { name bought { maker { name } } } } }")
    [thing] = twice["things"]
    assert thing["maker"]["name"] == "old"
    assert world.store.counts.stored == 0
    assert world.store.counts.refused == 1
    for _ in range(2):
        [thing] = (await world.shown("{ bought { maker { name } } }"))["bought"]
        assert thing["maker"] == {"name": "new"}
    assert world.store.counts.hits == 1
