"""What is told of orders as it happens."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from domain.orders import live, model
from engine.declared.fields import attribute, computed, edge
from resolvers.global_ids import encoder
from schema.access import ASKERS_OWN, OWNER, SELLER, Access, Ownership
from schema.catalog import Product
from schema.orders import Order, OrderItem
from schema.sellers import Seller

strawberry.enum(
    live.OrderEventType,
    description=(
        "What happened. `CURRENT` comes first where no cursor was given, and says where things stand; `CHANGED` is what has no"
        " name here yet. Names are added: treat one that you do not know as `CHANGED`."
    ),
)

CURSOR = "Give it as `after` to be told what came later, once and in order. Kept for 30 days."
STATUS = "Where the order stood right after it."
ITEM_STATUS = "Where the item stood right after it, if it is about one."


def _id_of(type_name: str, key: Callable[[Any], UUID | None], *, access: Access, description: str) -> Any:
    encode = encoder(type_name)

    def read(event: Any) -> str | None:
        found = key(event)
        return None if found is None else encode(found)

    return computed(read, access=access, description=description)


@strawberry.type(description="Something that happened to an order.")
class OrderStatusEvent:
    ownership = ASKERS_OWN

    cursor: str = attribute(access=OWNER, description=CURSOR)
    type: live.OrderEventType = attribute(access=OWNER, description="What happened.")
    occurred_at: datetime | None = attribute(access=OWNER, description="When; null for `CURRENT`.")
    order_status: model.OrderStatus | None = attribute(access=OWNER, description=STATUS)
    item_status: model.OrderStatus | None = attribute(access=OWNER, description=ITEM_STATUS)
    item_id: strawberry.ID | None = _id_of(
        "OrderItem", lambda event: event.item_id, access=OWNER, description="The item, if it is about one."
    )
    item: OrderItem | None = edge(
        "order_items", key="item_id", access=OWNER, description="The item as it is now, if it is about one."
    )
    order: Order | None = edge("orders", key="order_id", access=OWNER, description="The order as it is now.")


@strawberry.type(description="Something that happened to what a seller sold or sells.")
class SellerEvent:
    ownership = Ownership(seller=lambda event: event.seller_id)

    cursor: str = attribute(access=SELLER, description=CURSOR)
    type: live.OrderEventType = attribute(access=SELLER, description="What happened.")
    occurred_at: datetime | None = attribute(access=SELLER, description="When; null for `CURRENT`.")
    order_id: strawberry.ID | None = _id_of(
        "Order", lambda event: event.order_id, access=SELLER, description="The order, if it is about one."
    )
    order_status: model.OrderStatus | None = attribute(access=SELLER, description=STATUS)
    item_status: model.OrderStatus | None = attribute(access=SELLER, description=ITEM_STATUS)
    item_id: strawberry.ID | None = _id_of(
        "OrderItem", lambda event: event.item_id, access=SELLER, description="The item, if it is about one."
    )
    item: OrderItem | None = edge(
        "order_items", key="item_id", access=SELLER, description="The item as it is now, if it is about one."
    )
    items: list[OrderItem] | None = edge(
        "items_of_order", key="order_id", access=SELLER, description="What is yours of the order, as it is now."
    )
    product: Product | None = edge(
        "products", key="product_id", access=SELLER, description="The product as it is now, if it is about one."
    )
    seller: Seller | None = edge("sellers", key="seller_id", access=SELLER, description="Whose event it is.")
