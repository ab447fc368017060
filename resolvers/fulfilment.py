"""Mutations of placed orders."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from domain.orders.decisions import RefundRequest, Shipment
from domain.orders.model import Order, OrderItem
from domain.orders.returns import Return, ReturnId
from domain.shared.ids import OrderId, OrderItemId
from domain.shared.money import MINOR_DIGITS, minor_units
from domain.shared.refusals import InvalidInput
from resolvers.context import Context, Info
from resolvers.errors import UserError, outcome_or_refusal
from resolvers.global_ids import key_of

K = TypeVar("K")
P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class ItemPayload:
    order_item: OrderItem | None
    user_errors: Sequence[UserError]


@dataclass(frozen=True, slots=True)
class OrderPayload:
    order: Order | None
    user_errors: Sequence[UserError]


@dataclass(frozen=True, slots=True)
class ReturnPayload:
    return_: Return | None
    user_errors: Sequence[UserError]


@dataclass(frozen=True, slots=True)
class Changing(Generic[K, P]):
    """What all mutations of one kind of thing have in common: which of them is meant, and how it is shown afterwards."""

    id_of: Callable[[Any], K]
    loader: str
    payload: Callable[[Any, Sequence[UserError]], P]

    def by(self, act: Callable[[Context, K, Any], Awaitable[object]]) -> Callable[[Info, Any], Awaitable[P]]:
        """A mutation by which what its input names is changed."""

        async def key_after(context: Context, given: Any) -> K:
            key = self.id_of(given)
            await act(context, key, given)
            return key

        return self.giving(key_after)

    def giving(self, act: Callable[[Context, Any], Awaitable[K]]) -> Callable[[Info, Any], Awaitable[P]]:
        """A mutation that itself says of which it is."""

        async def mutate(info: Info, given: Any) -> P:
            key, refusals = await outcome_or_refusal(info, lambda: act(info.context, given))
            return self.payload(None if key is None else await info.context.loaders.load(self.loader, key), refusals)

        return mutate


def _item(given: Any) -> OrderItemId:
    return OrderItemId(key_of(given.order_item_id, "OrderItem", "orderItemId"))


def _order(given: Any) -> OrderId:
    return OrderId(key_of(given.order_id, "Order", "orderId"))


def _return(given: Any) -> ReturnId:
    return ReturnId(key_of(given.return_id, "Return", "returnId"))


async def _minor(context: Context, order_id: OrderId, amount: Any) -> int:
    """In the order's own currency. Raises InvalidInput."""
    order = (await context.services.orders.by_ids(context.viewer, [order_id]))[0]
    currency = "JPY" if order is None else order.total.currency
    try:
        return minor_units(amount, currency)
    except ValueError:
        digits = MINOR_DIGITS[currency]
        raise InvalidInput(key="amount_digits", digits=digits, currency=currency, field=("amount",)) from None


ITEM = Changing(_item, "order_items", ItemPayload)
ORDER = Changing(_order, "orders", OrderPayload)
RETURN = Changing(_return, "returns", ReturnPayload)


@ITEM.by
async def ship(context: Context, item: OrderItemId, given: Any) -> None:
    shipment = Shipment(given.carrier, given.tracking_number)
    await context.services.fulfilment.ship(context.viewer, item, given.expected_version, shipment)


@ITEM.by
async def deliver(context: Context, item: OrderItemId, given: Any) -> None:
    await context.services.fulfilment.deliver(context.viewer, item, given.expected_version)


@ITEM.by
async def cancel_item(context: Context, item: OrderItemId, given: Any) -> None:
    await context.services.fulfilment.cancel_item(
        context.viewer, item, given.expected_version, given.reason, given.idempotency_key
    )


@ORDER.by
async def cancel_order(context: Context, order: OrderId, given: Any) -> None:
    await context.services.fulfilment.cancel_order(
        context.viewer, order, given.expected_version, given.reason, given.idempotency_key
    )


@ORDER.by
async def create_refund(context: Context, order: OrderId, given: Any) -> None:
    item = None if given.order_item_id is None else _item(given)
    amount = None if given.amount is None else await _minor(context, order, given.amount)
    request = RefundRequest(given.reason, given.borne_by, item, amount, given.note)
    await context.services.fulfilment.refund(
        context.viewer, order, given.expected_version, request, given.idempotency_key
    )


@RETURN.giving
async def request_return(context: Context, given: Any) -> ReturnId:
    return await context.services.fulfilment.request_return(
        context.viewer, _item(given), given.quantity, given.reason, given.comment, given.idempotency_key
    )


@RETURN.by
async def accept_return(context: Context, return_: ReturnId, given: Any) -> None:
    await context.services.fulfilment.accept_return(context.viewer, return_, given.expected_version)


@RETURN.by
async def refuse_return(context: Context, return_: ReturnId, given: Any) -> None:
    await context.services.fulfilment.refuse_return(context.viewer, return_, given.expected_version, given.note)


@RETURN.by
async def receive_return(context: Context, return_: ReturnId, given: Any) -> None:
    await context.services.fulfilment.receive_return(
        context.viewer, return_, given.expected_version, restock=given.restock, key=given.idempotency_key
    )
