"""What an operation looks at, type by type."""

from typing import Any

from graphql import OperationDefinitionNode, parse

from engine.compiled.needs import Needs, needs_of
from engine.compiled.selection import Selector
from schema.build import build_schema


def needs(text: str, **conditions: Any) -> Needs:
    document, schema = parse(text), build_schema()._schema
    [operation] = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    root = schema.get_root_type(operation.operation)
    assert root is not None
    return needs_of(Selector(schema, document, conditions).select(root, [operation.selection_set]))


def test_attributes_keys_of_edges_and_what_tells_entities_apart_are_looked_at() -> None:
    found = needs('{ product(slug: "a") { id title: name __typename price { amount } seller { name } } }')
    assert found["Product"] == {"id", "version", "name", "price", "seller_id"}
    assert found["Seller"] == {"id", "name"}
    assert found["Money"] == {"amount"}


def test_what_is_looked_at_in_several_places_is_put_together() -> None:
    found = needs(
        """
        query ($slug: Boolean!) {
          node(id: "x") { id ... on Category { ...C } }
          product(slug: "a") { category { name parent { ...C } } }
        }
        fragment C on Category { iconUrl slug @include(if: $slug) }
        """,
        slug=False,
    )
    assert found["Category"] == {"id", "icon_url", "name", "parent_id"}
    assert found["Product"] == {"id", "version", "category_id"}


def test_where_a_resolver_or_a_guard_stands_anything_may_be_looked_at() -> None:
    found = needs('{ viewer { orders { nodes { orderNumber } } } product(slug: "a") { name } }')
    assert "Query" not in found
    assert not {"Viewer", "Order"} & found.keys()
    assert found["Product"] == {"id", "version", "name"}
