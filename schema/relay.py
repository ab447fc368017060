"""Relay: nodes with global ids, and connections."""

from typing import Any, Generic, TypeVar

import strawberry

from domain.shared.paging import Precision
from engine.declared.fields import attribute, computed, edge
from resolvers.global_ids import encoder
from schema.access import PUBLIC, Access

T = TypeVar("T")


def global_id(type_name: str, *, access: Access) -> Any:
    return computed(encoder(type_name), of="id", access=access, description="Global id, for `node` and for caches.")


@strawberry.interface(description="Something with a global id.")
class Node:
    id: strawberry.ID = attribute(access=PUBLIC, description="Global id, for `node` and for caches.")


strawberry.enum(Precision, name="CountPrecision", description="How exact a count is.")


@strawberry.type(description="How many there are.")
class Count:
    value: int = attribute(access=PUBLIC, description="The number.")
    precision: Precision = attribute(access=PUBLIC, description="Whether the number is exact; counting stops early.")


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    has_next_page: bool = attribute(access=PUBLIC, description="Whether more comes after this page.")
    has_previous_page: bool = attribute(access=PUBLIC, description="Whether something comes before this page.")
    start_cursor: str | None = attribute(access=PUBLIC, description="Cursor of the first row, to be sent as `before`.")
    end_cursor: str | None = attribute(access=PUBLIC, description="Cursor of the last row, to be sent as `after`.")


@strawberry.type(description="A row of a page.")
class Edge(Generic[T]):
    node: T = attribute(access=PUBLIC, description="What the row shows.")
    cursor: str = attribute(access=PUBLIC, description="Marks this place in the list, for `after` and `before`.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    nodes: list[T] = attribute(access=PUBLIC, description="The rows.")
    edges: list[Edge[T]] = attribute(access=PUBLIC, description="The rows, each with its cursor.")
    page_info: PageInfo = attribute(access=PUBLIC, description="Where the page stands in its list.")
    total_count: Count | None = edge(
        "totals",
        key="scope",
        access=PUBLIC,
        cost=5,
        is_part=True,
        description="How many rows the whole list has; counted when asked.",
    )
