"""Mutations of placed orders."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.orders.decisions import RefundRequest, Shipment
from domain.orders.model import Order, OrderItem
from domain.orders.returns import Return, ReturnId
from domain.shared.ids import OrderId, OrderItemId
from domain.shared.money import MINOR_DIGITS, minor_units
from domain.shared.refusals import InvalidInput
from resolvers.context import Info
from resolvers.errors import UserError, outcome_or_refusal
from resolvers.global_ids import key_of


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


async def ship(info: Info, given: Any) -> ItemPayload:
    async def use_case() -> UUID:
        item_id = _item(given)
        shipment = Shipment(given.carrier, given.tracking_number)
        await info.context.services.fulfilment.ship(info.context.viewer, item_id, given.expected_version, shipment)
        return item_id

    return await _item_payload(info, use_case)


async def deliver(info: Info, given: Any) -> ItemPayload:
    async def use_case() -> UUID:
        item_id = _item(given)
        await info.context.services.fulfilment.deliver(info.context.viewer, item_id, given.expected_version)
        return item_id

    return await _item_payload(info, use_case)


async def cancel_item(info: Info, given: Any) -> ItemPayload:
    async def use_case() -> UUID:
        item_id = _item(given)
        await info.context.services.fulfilment.cancel_item(
            info.context.viewer, item_id, given.expected_version, given.reason, given.idempotency_key
        )
        return item_id

    return await _item_payload(info, use_case)


async def cancel_order(info: Info, given: Any) -> OrderPayload:
    async def use_case() -> UUID:
        order_id = _order(given)
        await info.context.services.fulfilment.cancel_order(
            info.context.viewer, order_id, given.expected_version, given.reason, given.idempotency_key
        )
        return order_id

    return await _order_payload(info, use_case)


async def create_refund(info: Info, given: Any) -> OrderPayload:
    async def use_case() -> UUID:
        order_id = _order(given)
        request = RefundRequest(
            given.reason,
            given.borne_by,
            None if given.order_item_id is None else _item(given),
            None if given.amount is None else await _minor(info, order_id, given.amount),
            given.note,
        )
        await info.context.services.fulfilment.refund(
            info.context.viewer, order_id, given.expected_version, request, given.idempotency_key
        )
        return order_id

    return await _order_payload(info, use_case)


async def request_return(info: Info, given: Any) -> ReturnPayload:
    async def use_case() -> UUID:
        return await info.context.services.fulfilment.request_return(
            info.context.viewer, _item(given), given.quantity, given.reason, given.comment, given.idempotency_key
        )

    return await _return_payload(info, use_case)


async def accept_return(info: Info, given: Any) -> ReturnPayload:
    async def use_case() -> UUID:
        return_id = _return(given)
        await info.context.services.fulfilment.accept_return(info.context.viewer, return_id, given.expected_version)
        return return_id

    return await _return_payload(info, use_case)


async def refuse_return(info: Info, given: Any) -> ReturnPayload:
    async def use_case() -> UUID:
        return_id = _return(given)
        await info.context.services.fulfilment.refuse_return(
            info.context.viewer, return_id, given.expected_version, given.note
        )
        return return_id

    return await _return_payload(info, use_case)


async def receive_return(info: Info, given: Any) -> ReturnPayload:
    async def use_case() -> UUID:
        return_id = _return(given)
        await info.context.services.fulfilment.receive_return(
            info.context.viewer,
            return_id,
            given.expected_version,
            restock=given.restock,
            key=given.idempotency_key,
        )
        return return_id

    return await _return_payload(info, use_case)


def _item(given: Any) -> OrderItemId:
    return OrderItemId(key_of(given.order_item_id, "OrderItem", "orderItemId"))


def _order(given: Any) -> OrderId:
    return OrderId(key_of(given.order_id, "Order", "orderId"))


def _return(given: Any) -> ReturnId:
    return ReturnId(key_of(given.return_id, "Return", "returnId"))


async def _minor(info: Info, order_id: OrderId, amount: Any) -> int:
    """In the order's own currency. Raises InvalidInput."""
    order = (await info.context.services.orders.by_ids(info.context.viewer, [order_id]))[0]
    currency = "JPY" if order is None else order.total.currency
    try:
        return minor_units(amount, currency)
    except ValueError:
        digits = MINOR_DIGITS[currency]
        raise InvalidInput(key="amount_digits", digits=digits, currency=currency, field=("amount",)) from None


async def _item_payload(info: Info, use_case: Callable[[], Awaitable[UUID]]) -> ItemPayload:
    key, refusals = await outcome_or_refusal(info, use_case)
    return ItemPayload(None if key is None else await info.context.loaders.load("order_items", key), refusals)


async def _order_payload(info: Info, use_case: Callable[[], Awaitable[UUID]]) -> OrderPayload:
    key, refusals = await outcome_or_refusal(info, use_case)
    return OrderPayload(None if key is None else await info.context.loaders.load("orders", key), refusals)


async def _return_payload(info: Info, use_case: Callable[[], Awaitable[UUID]]) -> ReturnPayload:
    key, refusals = await outcome_or_refusal(info, use_case)
    return ReturnPayload(None if key is None else await info.context.loaders.load("returns", key), refusals)
