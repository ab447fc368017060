"""`node` and `nodes`: whatever has a global id."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from domain.shared.paging import MAX_PAGE
from domain.shared.refusals import InvalidInput
from resolvers.context import Info
from resolvers.global_ids import decode

NODE_LOADERS = {
    "Address": "addresses",
    "Brand": "brands",
    "Category": "categories",
    "Order": "orders",
    "OrderItem": "order_items",
    "Product": "products",
    "Return": "returns",
    "Review": "reviews",
    "Seller": "sellers",
}
"""Which loader finds the nodes of a type."""


async def node(info: Info, global_id: str) -> Any:
    """What an id names, if the viewer may see it; None else, whatever the reason."""
    named = _named(global_id)
    return None if named is None else await info.context.loaders.load(*named)


async def nodes(info: Info, global_ids: Sequence[str]) -> Sequence[Any]:
    """What each of the ids names, those of a type loaded together; an exception in a place fails that place alone.

    Raises InvalidInput for too many.
    """
    if len(global_ids) > MAX_PAGE:
        raise InvalidInput(key="too_many_ids", most=MAX_PAGE, field=("ids",))
    named = [_named(each) for each in global_ids]
    keys: dict[str, list[UUID]] = {}
    for loader, key in filter(None, named):
        keys.setdefault(loader, []).append(key)
    levels = await asyncio.gather(*(info.context.loaders.load_level(loader, own) for loader, own in keys.items()))
    found = {loader: iter(level) for loader, level in zip(keys, levels, strict=True)}
    return [None if each is None else next(found[each[0]]) for each in named]


def _named(global_id: str) -> tuple[str, UUID] | None:
    """The loader and key of an id; None when there is no such thing."""
    decoded = decode(global_id)
    return None if decoded is None or decoded[0] not in NODE_LOADERS else (NODE_LOADERS[decoded[0]], decoded[1])
