"""The root `Subscription`: what tells by itself when it changes."""

from typing import Annotated

import strawberry

from engine.declared.fields import subscription
from resolvers import catalog
from resolvers.context import Info
from schema.access import PUBLIC
from schema.catalog import Product


async def _stock_changed(
    info: Info,
    product_id: Annotated[strawberry.ID, strawberry.argument(description="The global id of a product.")],
) -> object:
    return await catalog.stock_changed(info, product_id)


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
