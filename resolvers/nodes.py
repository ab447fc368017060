"""`node` and `nodes`: whatever has a global id."""

import asyncio
from collections.abc import Sequence
from typing import Any

from domain.shared.paging import MAX_PAGE
from domain.shared.refusals import InvalidInput
from resolvers.context import Info
from resolvers.global_ids import decode

NODE_LOADERS = {
    "Address": "addresses",
    "Brand": "brands",
    "Category": "categories",
    "Order": "orders",
    "Product": "products",
    "Review": "reviews",
    "Seller": "sellers",
}
"""Which loader finds the nodes of a type."""


async def node(info: Info, global_id: str) -> Any:
    """What an id names, if the viewer may see it; None else, whatever the reason."""
    decoded = decode(global_id)
    if decoded is None or decoded[0] not in NODE_LOADERS:
        return None
    return await info.context.loaders.load(NODE_LOADERS[decoded[0]], decoded[1])


async def nodes(info: Info, global_ids: Sequence[str]) -> Sequence[Any]:
    """What each of the ids names; an exception in a place fails that place alone. Raises InvalidInput for too many."""
    if len(global_ids) > MAX_PAGE:
        raise InvalidInput(key="too_many_ids", most=MAX_PAGE, field=("ids",))
    return await asyncio.gather(*(node(info, each) for each in global_ids), return_exceptions=True)
