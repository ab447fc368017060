"""The feed as Torii's views have it: by plans, and on graphql-core alone."""

from collections.abc import Awaitable, Collection, Sequence
from typing import Any

import strawberry
from graphql import GraphQLSchema, OperationDefinitionNode, parse
from strawberry.schema.config import StrawberryConfig

from bench.engines import feed
from engine.compiled.counts import Compiled
from engine.compiled.engine import Engine
from engine.declared.access import NOBODY_YET
from engine.declared.calling import call_directly
from engine.declared.fields import attribute, edge, resolver
from engine.declared.kinds import Arguments
from engine.exchange import Request
from engine.execution import Executor
from engine.loading import BatchLoader
from engine.policy import Policy

LIST: Any = list  # of classes that are made below
EVERYBODY: Any = {"access": None, "description": "As in the feed."}


def view(name: str, rows: type, names: Sequence[str], **more: Any) -> Any:
    """A view of the attributes of a class, and of what else is given."""
    types = {name: rows.__annotations__[name] for name in names}
    types = {name: strawberry.ID if name in ("id", "slug") else type_ for name, type_ in types.items()}
    body: dict[str, Any] = {each: attribute(**EVERYBODY) for each in names}
    annotations = types | {each: type_ for each, (type_, _) in more.items()}
    fields = body | {each: field for each, (_, field) in more.items()}
    return strawberry.type(type(name, (), {"__annotations__": annotations} | fields))


Author: Any = view("Author", feed.Author, list(feed.Author.__annotations__))
Tag: Any = view("Tag", feed.Tag, list(feed.Tag.__annotations__))
Item: Any = view(
    "Item",
    feed.Item,
    feed.SCALARS,
    author=(Author, edge("authors", key="author_id", **EVERYBODY)),
    tags=(LIST[Tag], edge("tags", key="id", **EVERYBODY)),
)


async def _items(first: int) -> object:
    return feed.ROWS[:first]


def _feed() -> object:
    return feed.Feed()


FeedView = strawberry.type(
    type(
        "Feed",
        (),
        {
            "__annotations__": {"items": LIST[Item]},
            "items": resolver(_items, graphql_type=LIST[Item], **EVERYBODY),
        },
    )
)
Query = strawberry.type(
    type(
        "Query",
        (),
        {"__annotations__": {"feed": FeedView}, "feed": resolver(_feed, graphql_type=FeedView, **EVERYBODY)},
    )
)
_BUILT = strawberry.Schema(Query, config=StrawberryConfig(auto_camel_case=False))
call_directly(_BUILT)  # as the gateway's is
SCHEMA: GraphQLSchema = _BUILT._schema


async def _authors(keys: list[Any]) -> list[Any]:
    return [feed.AUTHORS[key] for key in keys]


async def _tags(keys: list[Any]) -> list[Any]:
    return [feed.TAGS_OF[key] for key in keys]


class Context:
    """Made anew for each operation, as the gateway's is."""

    viewer = None
    user_id = None
    admitted = NOBODY_YET

    def __init__(self) -> None:
        self.loaders = self
        self._batches = {"authors": BatchLoader(_authors), "tags": BatchLoader(_tags)}

    def load_level(self, loader: str, keys: Collection[Any], _arguments: Arguments = ()) -> Awaitable[Sequence[Any]]:
        return self._batches[loader].level(keys)

    def load(self, loader: str, key: Any, _arguments: Arguments = ()) -> Awaitable[Any]:
        return self._batches[loader].one(key)


class ByEngine:
    """The engine alone: a document that was parsed before, in; data out."""

    def __init__(self, compile_at: int | None) -> None:
        self._engine = Engine(SCHEMA, compile_at=compile_at)
        self._document = parse(feed.QUERY)
        [self._operation] = [each for each in self._document.definitions if isinstance(each, OperationDefinitionNode)]
        self._known: dict[str, Compiled] = {}

    async def data(self) -> Any:
        variables = {"first": feed.ITEMS}
        result = await self._engine.execute(self._document, self._operation, self._known, variables, Context())
        assert not result.errors
        return result.data


class ByExecutor:
    """Text in, answer out: with the document found by its hash, limits, price, log and metrics."""

    def __init__(self) -> None:
        self._executor = Executor(
            SCHEMA, lambda _context, error: {"message": str(error)}, Policy(timeout_s=60, compile_at=1)
        )

    async def body(self) -> Any:
        answer = await self._executor.run(Request(feed.QUERY, {"first": feed.ITEMS}), Context())
        assert "errors" not in answer.body
        return answer.body
