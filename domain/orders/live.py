"""What is told of orders as it happens: to a buyer of one order, to a seller of all that it has to do with."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Generic, TypeVar
from uuid import UUID

from domain.events.live import LiveStreams, Make, Watching
from domain.events.streams import cursor_of, place_of
from domain.orders.model import OrderStatus
from domain.shared.events import EventRecord
from domain.shared.ids import OrderId, OrderItemId, ProductId, SellerId
from domain.shared.refusals import Forbidden, InvalidInput
from domain.shared.viewer import Role, Viewer


class OrderEventType(StrEnum):
    """What happened. `CURRENT` where one begins to watch; `CHANGED` for what has no name here yet."""

    CURRENT = "Current"
    CHANGED = "Changed"
    ORDER_PLACED = "OrderPlaced"
    ORDER_PAID = "OrderPaid"
    ORDER_PAYMENT_FAILED = "OrderPaymentFailed"
    ORDER_ITEM_SHIPPED = "OrderItemShipped"
    ORDER_ITEM_DELIVERED = "OrderItemDelivered"
    ORDER_ITEM_CANCELLED = "OrderItemCancelled"
    ORDER_ITEM_REFUNDED = "OrderItemRefunded"
    ORDER_CANCELLED = "OrderCancelled"
    ORDER_EXPIRED = "OrderExpired"
    RETURN_REQUESTED = "ReturnRequested"
    RETURN_ACCEPTED = "ReturnAccepted"
    RETURN_REFUSED = "ReturnRefused"
    RETURN_RECEIVED = "ReturnReceived"
    REFUND_SUCCEEDED = "RefundSucceeded"
    REFUND_FAILED = "RefundFailed"
    STOCK_LOW = "StockLow"


TYPES = {each.value: each for each in OrderEventType}


@dataclass(frozen=True, slots=True)
class OrderStatusEvent:
    """Something that happened to an order, or where it stands as one begins to watch. Statuses are those right after it."""

    cursor: str
    type: OrderEventType
    order_id: OrderId
    occurred_at: datetime | None = None
    order_status: OrderStatus | None = None
    item_status: OrderStatus | None = None
    item_id: OrderItemId | None = None


@dataclass(frozen=True, slots=True)
class SellerEvent:
    """Something that happened to what a seller sold or sells."""

    cursor: str
    type: OrderEventType
    seller_id: SellerId
    occurred_at: datetime | None = None
    order_id: OrderId | None = None
    order_status: OrderStatus | None = None
    item_status: OrderStatus | None = None
    item_id: OrderItemId | None = None
    product_id: ProductId | None = None


def order_stream(order_id: OrderId) -> str:
    return f"order/{order_id}"


def seller_stream(seller_id: SellerId) -> str:
    return f"seller/{seller_id}"


T = TypeVar("T")
TOLD_LAST = 256


class Told(Generic[T]):
    """The values of the events that were told last: one for all who are told of the same event, so that its answer is shared, too."""

    def __init__(self, most: int = TOLD_LAST) -> None:
        self._most = most
        self._values: OrderedDict[tuple[str | None, int], T] = OrderedDict()

    def of(self, make: Make[T]) -> Make[T]:
        def told(sequence: int, record: EventRecord | None) -> T:
            if record is None:  # where it stands as one begins to watch is nobody else's
                return make(sequence, None)
            key = (record.event.stream, sequence)
            value = self._values.get(key)
            if value is None:
                value = self._values[key] = make(sequence, record)
                if len(self._values) > self._most:
                    self._values.popitem(last=False)
            return value

        return told


class OrderWatch:
    """Watching what happens to orders. What comes back has to be closed."""

    def __init__(self, live: LiveStreams) -> None:
        self._live = live
        self._orders: Told[OrderStatusEvent] = Told()
        self._sellers: Told[SellerEvent] = Told()

    async def order(self, viewer: Viewer, order_id: OrderId, after: str | None) -> Watching[OrderStatusEvent]:
        """One order's events, for whoever may see it. Raises NotFound, InvalidCursor, CursorExpired, Unavailable."""
        stream = order_stream(order_id)
        return await self._live.watch(
            viewer, stream, place_of(stream, after), self._orders.of(partial(_of_order, order_id))
        )

    async def seller(self, viewer: Viewer, seller_id: SellerId | None, after: str | None) -> Watching[SellerEvent]:
        """A seller's events, for whoever works for it; without an id the only seller that the viewer works for.

        Raises Forbidden, InvalidInput, InvalidCursor, CursorExpired, Unavailable.
        """
        if seller_id is None:
            if len(viewer.seller_ids) > 1:
                raise InvalidInput(key="seller_reference", field=("sellerId",))
            seller_id = viewer.seller_ids[0] if viewer.seller_ids else None
        if seller_id is None or not (viewer.works_for(seller_id) or viewer.role is Role.ADMIN):
            raise Forbidden
        stream = seller_stream(seller_id)
        return await self._live.watch(
            viewer, stream, place_of(stream, after), self._sellers.of(partial(_of_seller, seller_id))
        )


def _of_order(order_id: OrderId, sequence: int, record: EventRecord | None) -> OrderStatusEvent:
    cursor = cursor_of(order_stream(order_id), sequence)
    if record is None:
        return OrderStatusEvent(cursor, OrderEventType.CURRENT, order_id)
    told = record.event.payload
    type = TYPES.get(record.event.type, OrderEventType.CHANGED)
    item_id = _key(told, "itemId")
    return OrderStatusEvent(
        cursor,
        type,
        order_id,
        record.time,
        _status(told, "orderStatus"),
        _status(told, "itemStatus"),
        OrderItemId(item_id) if item_id else None,
    )


def _of_seller(seller_id: SellerId, sequence: int, record: EventRecord | None) -> SellerEvent:
    cursor = cursor_of(seller_stream(seller_id), sequence)
    if record is None:
        return SellerEvent(cursor, OrderEventType.CURRENT, seller_id)
    told = record.event.payload
    order_id, item_id, product_id = (_key(told, name) for name in ("orderId", "itemId", "productId"))
    return SellerEvent(
        cursor,
        TYPES.get(record.event.type, OrderEventType.CHANGED),
        seller_id,
        record.time,
        OrderId(order_id) if order_id else None,
        _status(told, "orderStatus"),
        _status(told, "itemStatus"),
        OrderItemId(item_id) if item_id else None,
        ProductId(product_id) if product_id else None,
    )


def _key(told: Mapping[str, object], name: str) -> UUID | None:
    value = told.get(name)
    return UUID(value) if isinstance(value, str) else None


def _status(told: Mapping[str, object], name: str) -> OrderStatus | None:
    value = told.get(name)
    return OrderStatus(value) if isinstance(value, str) else None
