"""Root fields of sellers and admins about orders, and the arguments of lists of orders."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain.orders.model import OrderStatus
from engine.declared.fields import After, Before, First, Last, Paging, resolver
from resolvers import order_lists
from resolvers.context import Info
from schema.access import ADMIN, PUBLIC, SIGNED_IN
from schema.aftercare import SellerBalance
from schema.orders import Order, OrderItem
from schema.relay import Connection


@strawberry.input(description="Which orders, or items of orders, a list holds. What is left out does not narrow.")
class OrderFilter:
    status: list[OrderStatus] | None = strawberry.field(default=None, description="In one of these states.")
    since: datetime | None = strawberry.field(default=None, description="Placed at this moment or later.")
    until: datetime | None = strawberry.field(default=None, description="Placed before this moment.")


Filter = Annotated[OrderFilter | None, strawberry.argument(description="Which of them.")]
SellerId = Annotated[
    strawberry.ID | None,
    strawberry.argument(description="Of this seller alone; admins name one."),
]


async def _orders(
    info: Info,
    filter: Filter = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> object:
    return await order_lists.all_orders(info, filter, Paging(first, after, last, before))


async def _seller_order_items(
    info: Info,
    seller_id: SellerId = None,
    filter: Filter = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> object:
    return await order_lists.seller_items(info, seller_id, filter, Paging(first, after, last, before))


async def _seller_balances(
    info: Info, seller_id: Annotated[strawberry.ID, strawberry.argument(description="The seller.")]
) -> object:
    return await order_lists.balances(info, seller_id)


async def _order_item(
    info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its global id.")]
) -> object:
    return await order_lists.item(info, id)


ORDERS = resolver(
    _orders,
    access=ADMIN,
    cost=2,
    graphql_type=Connection[Order] | None,
    description="Orders of everybody, newest first.",
)
ORDER_ITEM = resolver(
    _order_item,
    access=PUBLIC,
    graphql_type=OrderItem | None,
    description="An item of an order, for those who may see it: its buyer and its seller; null for others.",
)
SELLER_ORDER_ITEMS = resolver(
    _seller_order_items,
    access=SIGNED_IN,
    cost=2,
    graphql_type=Connection[OrderItem] | None,
    description="What was bought of the sellers that the viewer works for, newest first.",
)
SELLER_BALANCES = resolver(
    _seller_balances,
    access=SIGNED_IN,
    graphql_type=list[SellerBalance] | None,
    description="What a seller is owed, by currency; null for who does not work for it.",
    size=2,
)
