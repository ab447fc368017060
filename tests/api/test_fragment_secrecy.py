"""Nothing that one viewer is shown gets to another out of a fragment: every field of every entity that may be kept, in turn."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import pytest
from graphql import (
    FieldNode,
    GraphQLObjectType,
    OperationDefinitionNode,
    get_named_type,
    is_leaf_type,
    is_object_type,
    parse,
)

from engine.compiled.selection import Selection, Selector
from engine.fragments.declared import kept_of
from engine.fragments.sites import is_public
from gateway import create_app
from resolvers.global_ids import encode
from schema.access import NOBODY, PUBLIC
from schema.build import build_schema
from schema.declared import declared_fields
from settings import Settings
from tests.api.client import Client
from tests.api.conftest import Tokens, client_of, until_live
from tests.factories import Factory

SCHEMA = build_schema()._schema
KEPT = [
    each
    for each in SCHEMA.type_map.values()
    if isinstance(each, GraphQLObjectType) and not each.name.startswith("__") and kept_of(each)
]
ROOTS = {"Product": "product", "Seller": "seller", "Brand": "brand", "Category": "category"}
ROADS = "found: {root}(id: $id) {{ {shown} }} named: node(id: $id) {{ ... on {type} {{ {shown} }} }} "
LISTS = {
    "Product": "listed: products(first: 5) {{ nodes {{ {shown} }} edges {{ node {{ {shown} }} }} }}",
    "Seller": "listed: products(first: 5) {{ nodes {{ seller {{ {shown} }} }} }}",
    "Brand": "listed: brands(first: 5) {{ nodes {{ {shown} }} }}",
    "Category": "listed: categories {{ {brief} }}",
}
"""All that leads to an entity: by its id, as a node, in a list."""


def shown(type_: GraphQLObjectType, name: str, depth: int = 2) -> str:
    """A field with all the leaves below it."""
    named = get_named_type(type_.fields[name].type)
    if is_leaf_type(named):
        return name
    assert is_object_type(named)
    below = [
        shown(named, each, depth - 1)
        for each, field in named.fields.items()
        if is_leaf_type(get_named_type(field.type)) or depth
    ]
    return f"{name} {{ {' '.join(below)} }}"


def _selection(type_: GraphQLObjectType, fields: str) -> Selection:
    document = parse(f"{{ x {{ {fields} }} }}")
    [operation] = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    [node] = operation.selection_set.selections
    assert isinstance(node, FieldNode)
    assert node.selection_set is not None
    return Selector(SCHEMA, document, {}).select(type_, [node.selection_set])


def _paths(selection: Selection) -> Iterator[str]:
    for field in selection.fields:
        yield f"{selection.of.name}.{field.name}"
        if field.below is not None:
            assert isinstance(field.below, Selection)
            yield from _paths(field.below)


FIELDS = [(type_.name, name) for type_ in KEPT if type_.name in ROOTS for name in type_.fields]


def test_every_kept_type_is_found_at_the_root_or_below_a_product() -> None:
    assert {each.name for each in KEPT} == {*ROOTS, "Author"}


def test_what_is_kept_is_public_by_the_access_matrix() -> None:
    """All that can be in a fragment, and all that it can lead to, is for everybody."""
    access = {field.path: field.access for field in declared_fields(SCHEMA)}
    for type_name, name in FIELDS:
        type_ = SCHEMA.get_type(type_name)
        assert isinstance(type_, GraphQLObjectType)
        selection = _selection(type_, shown(type_, name))
        assert is_public(selection), f"{type_name}.{name}"
        for path in _paths(selection):
            assert PUBLIC in (access[path] or NOBODY), path


@pytest.fixture(scope="module")
async def people(prepared: Settings, make: Factory, token_of: Tokens) -> AsyncIterator[dict[str, Any]]:
    """Two gateways, of which one keeps nothing; five viewers of each; a product that all of them may see, and its seller."""
    emails = {"buyer": "a", "other buyer": "b", "seller": "s", "admin": "d"}
    groups = {"seller": "seller", "admin": "admin"}
    tokens = {
        who: await token_of(f"{mail}@fragments.example.com", groups.get(who, "buyer")) for who, mail in emails.items()
    }
    seller, author = await make.seller(), await make.user(name="太郎")
    top = await make.category()
    category, brand = await make.category(parent_id=top), await make.brand()
    product = await make.product(seller_id=seller, category_id=category, brand_id=brand)
    await make.image(product)
    await make.variation(product)
    await make.review(product, user_id=author)
    keeping, plain = create_app(prepared), create_app(prepared.model_copy(update={"fragments": False}))
    async with (
        keeping.router.lifespan_context(keeping),
        plain.router.lifespan_context(plain),
        client_of(keeping) as kept,
        client_of(plain) as fresh,
    ):
        await Client(fresh, token=tokens["seller"]).data("{ viewer { email } }")  # makes the user's row
        await make.member(seller, await make.user_id("s@fragments.example.com"))
        await until_live(keeping)
        yield {
            "kept": {who: Client(kept, token=tokens.get(who)) for who in (*tokens, "guest")},
            "fresh": {who: Client(fresh, token=tokens.get(who)) for who in (*tokens, "guest")},
            "ids": {"Product": product, "Seller": seller, "Brand": brand, "Category": category},
            "store": keeping.state.fragments,
        }


@pytest.mark.parametrize(("type_name", "name"), FIELDS)
async def test_two_viewers_in_turn_are_each_shown_their_own(people: dict[str, Any], type_name: str, name: str) -> None:
    key: UUID = people["ids"][type_name]
    type_ = SCHEMA.get_type(type_name)
    assert isinstance(type_, GraphQLObjectType)
    for roads in (ROADS, LISTS[type_name]):
        texts = {"shown": shown(type_, name), "brief": shown(type_, name, depth=0)}
        of_type = roads.format(root=ROOTS[type_name], type=type_name, **texts)
        query = f"query ($id: ID!) {{ {of_type} ids: node(id: $id) {{ id }} }}"
        await _in_turn(people, query, encode(type_name, key))


async def _in_turn(people: dict[str, Any], query: str, id: str) -> None:
    fresh = {who: (await client.data(query, id=id)) for who, client in people["fresh"].items()}
    hits = people["store"].counts.hits
    turns = [who for pair in itertools.combinations(people["kept"], 2) for who in pair]  # each after each of the others
    async with asyncio.timeout(60):
        while (
            people["store"].counts.hits == hits
        ):  # a busy machine may keep it from hearing of changes: then it shows none
            for who in (*turns, turns[0]):
                answer = await people["kept"][who].answer(query, id=id)
                assert answer["data"] == fresh[who], who
                assert who not in ("seller", "admin") or answer["extensions"]["cache"]["scope"] == "PRIVATE"
