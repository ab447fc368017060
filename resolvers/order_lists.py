"""Lists of orders and of items of orders."""

from collections.abc import Sequence
from typing import Any

from domain.orders.ledger import Balance
from domain.orders.model import ORDERS_ORDER, Order, OrderFilter, OrderItem
from domain.orders.records import ITEMS_ORDER
from domain.shared.ids import SellerId
from domain.shared.paging import Page, PageRequest
from engine.declared.fields import Paging
from resolvers.context import Info
from resolvers.global_ids import decode, key_of


def order_filter(which: Any) -> OrderFilter:
    """What the input says; a moment without a zone is refused by the scalar."""
    if which is None:
        return OrderFilter()
    return OrderFilter(tuple(which.status or ()), which.since, which.until)


async def item(info: Info, item_id: str) -> OrderItem | None:
    """The item if the viewer may see it."""
    decoded = decode(item_id)
    if decoded is None or decoded[0] != "OrderItem":
        return None
    found: OrderItem | None = await info.context.loaders.load("order_items", decoded[1])
    return found


async def all_orders(info: Info, which: Any, paging: Paging) -> Page[Order]:
    request = PageRequest.of(ORDERS_ORDER, *paging)
    return await info.context.services.records.all_orders(info.context.viewer, order_filter(which), request)


async def seller_items(info: Info, seller_id: str | None, which: Any, paging: Paging) -> Page[OrderItem]:
    key = None if seller_id is None else SellerId(key_of(seller_id, "Seller", "sellerId"))
    request = PageRequest.of(ITEMS_ORDER, *paging)
    return await info.context.services.records.seller_items(info.context.viewer, key, order_filter(which), request)


async def balances(info: Info, seller_id: str) -> Sequence[Balance] | None:
    key = SellerId(key_of(seller_id, "Seller", "sellerId"))
    found: Sequence[Balance] | None = await info.context.loaders.load("balances_of_seller", key)
    return found
