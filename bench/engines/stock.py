"""The feed as Strawberry's documentation would have it: instances of the schema's types, and a data loader for each relation."""

from dataclasses import asdict
from typing import Any

import strawberry
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig

from bench.engines import feed

TYPES = {name: strawberry.ID if name in ("id", "slug") else each for name, each in feed.Item.__annotations__.items()}


@strawberry.type
class Author:
    id: strawberry.ID
    name: str
    handle: str
    followers: int
    verified: bool


@strawberry.type
class Tag:
    id: strawberry.ID
    label: str
    weight: int
    url: str | None


async def _author(self: Any, info: strawberry.Info) -> Author:
    loaded: Author = await info.context["authors"].load(self.author_id)
    return loaded


async def _tags(self: Any, info: strawberry.Info) -> list[Tag]:
    loaded: list[Tag] = await info.context["tags"].load(self.id)
    return loaded


Item: Any = strawberry.type(
    type(
        "Item",
        (),
        {
            "__annotations__": {"author_id": strawberry.Private[str]} | {name: TYPES[name] for name in feed.SCALARS},
            "author": strawberry.field(resolver=_author),
            "tags": strawberry.field(resolver=_tags),
        },
    )
)
ROWS = [Item(**{name: getattr(row, name) for name in ("author_id", *feed.SCALARS)}) for row in feed.ROWS]
AUTHORS = {key: Author(**asdict(author)) for key, author in feed.AUTHORS.items()}
TAGS_OF = {key: [Tag(**asdict(tag)) for tag in tags] for key, tags in feed.TAGS_OF.items()}


async def _items(first: int) -> list[Any]:
    return ROWS[:first]


Feed: Any = strawberry.type(type("Feed", (), {"items": strawberry.field(resolver=_items, graphql_type=list[Item])}))


def _feed() -> Any:
    return Feed()


@strawberry.type
class Query:
    feed: Any = strawberry.field(resolver=_feed, graphql_type=Feed)


SCHEMA = strawberry.Schema(
    Query, config=StrawberryConfig(auto_camel_case=False), extensions=[ParserCache, ValidationCache]
)


async def _load_authors(keys: list[str]) -> list[Author]:
    return [AUTHORS[key] for key in keys]


async def _load_tags(keys: list[str]) -> list[list[Tag]]:
    return [TAGS_OF[key] for key in keys]


async def data() -> Any:
    context = {"authors": DataLoader(_load_authors), "tags": DataLoader(_load_tags)}
    result = await SCHEMA.execute(feed.QUERY, {"first": feed.ITEMS}, context)
    assert not result.errors
    return result.data
