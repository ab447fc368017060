"""Orders of the viewer."""

from typing import Any

from domain.orders.model import ORDERS_ORDER, Order
from domain.shared.paging import Page, PageRequest
from engine.declared.fields import Paging
from resolvers.context import Info
from resolvers.global_ids import decode
from resolvers.order_lists import order_filter


async def of_viewer(info: Info, which: Any, paging: Paging) -> Page[Order]:
    request = PageRequest.of(ORDERS_ORDER, *paging)
    return await info.context.services.orders.placed_by(info.context.viewer, request, order_filter(which))


async def order(info: Info, order_id: str) -> Order | None:
    """The order if the viewer may see it; a guessed id, another's order and another type's id all show nothing."""
    decoded = decode(order_id)
    if decoded is None or decoded[0] != "Order":
        return None
    found: Order | None = await info.context.loaders.load("orders", decoded[1])
    return found
