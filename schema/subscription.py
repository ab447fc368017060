"""The root `Subscription`: what tells by itself when it changes."""

from typing import Annotated

import strawberry

from engine.declared.fields import subscription
from engine.reading.secrecy import SENSITIVE
from resolvers import catalog, order_events
from resolvers.context import Info
from schema.access import PUBLIC, SIGNED_IN
from schema.catalog import Product
from schema.order_events import OrderStatusEvent, SellerEvent

After = Annotated[
    str | None,
    strawberry.argument(
        description="The `cursor` of the last event that the client has: whatever came after it is told first, in its order."
    ),
]


async def _stock_changed(
    info: Info,
    product_id: Annotated[strawberry.ID, strawberry.argument(description="The global id of a product.")],
) -> object:
    return await catalog.stock_changed(info, product_id)


async def _order_status_changed(
    info: Info,
    order_id: Annotated[strawberry.ID, strawberry.argument(description="The global id of an order.")],
    after: After = None,
    token: Annotated[
        str | None,
        strawberry.argument(
            description="Of `orderLinkCreate` or of a mail, for who has no account: it shows the order as `orderByLink` does.",
            metadata=SENSITIVE,
        ),
    ] = None,
) -> object:
    return await order_events.of_order(info, order_id, after, token)


async def _seller_order_items(
    info: Info,
    seller_id: Annotated[
        strawberry.ID | None,
        strawberry.argument(
            description="The global id of a seller; without it the only one that the viewer works for."
        ),
    ] = None,
    after: After = None,
) -> object:
    return await order_events.of_seller(info, seller_id, after)


@strawberry.type(description="What can be watched, over a WebSocket or as server-sent events.")
class Subscription:
    stock_changed: Product | None = subscription(
        _stock_changed,
        access=PUBLIC,
        graphql_type=Product | None,
        description=(
            "The product as it is now, at once, and again whenever its `stockQuantity` or `availability` has changed; null"
            " while it is not on show. Only the present value is told: changes that follow each other closely may come as one."
        ),
    )
    order_status_changed: OrderStatusEvent | None = subscription(
        _order_status_changed,
        access=PUBLIC,
        graphql_type=OrderStatusEvent | None,
        description=(
            "What happens to an order, for those who may see it: each event once, in order. It begins with `CURRENT`, or with what"
            " came after the cursor. `CURSOR_EXPIRED` where that is no longer kept: load the order, and begin without a cursor."
        ),
    )
    seller_order_items: SellerEvent | None = subscription(
        _seller_order_items,
        access=SIGNED_IN,
        graphql_type=SellerEvent | None,
        description=(
            "What happens to a seller's part of orders, and to its stock, for those who work for it: each event once, in order,"
            " as `orderStatusChanged` has it."
        ),
    )
