"""Mutations of placed orders: by sellers, buyers and admins."""

from decimal import Decimal
from typing import Annotated, Any

import strawberry

from domain.orders.refunds import BorneBy, RefundReason
from domain.orders.returns import ReturnReason
from engine.declared.fields import attribute, mutation, private_input
from resolvers import fulfilment
from resolvers.context import Info
from schema.access import ADMIN, ASKERS_OWN, OWNER, PUBLIC, SIGNED_IN
from schema.aftercare import Return
from schema.errors import UserError
from schema.orders import Order, OrderItem

ITEM = "The item."
VERSION = "The version that was looked at; another one by now is a VERSION_CONFLICT."
KEY = "Names this intention: sent again, the same key and input do nothing more."
ERRORS = "Why nothing was done."


def _errors() -> Any:
    return attribute(access=PUBLIC, description=ERRORS)


@strawberry.input(description="An item was handed to the carrier.")
class OrderItemShipInput:
    order_item_id: strawberry.ID = strawberry.field(description=ITEM)
    expected_version: int = strawberry.field(description=VERSION)
    carrier: str = strawberry.field(description="Who carries it; at most 100 characters.")
    tracking_number: str = private_input(description="The carrier's number for it; at most 100 characters.")


@strawberry.input(description="An item arrived.")
class OrderItemDeliverInput:
    order_item_id: strawberry.ID = strawberry.field(description=ITEM)
    expected_version: int = strawberry.field(description=VERSION)


@strawberry.input(description="An item will not be sent.")
class OrderItemCancelInput:
    order_item_id: strawberry.ID = strawberry.field(description=ITEM)
    expected_version: int = strawberry.field(description=VERSION)
    reason: str | None = private_input(default=None, description="Why; the buyer sees it. At most 1,000 characters.")
    idempotency_key: str = strawberry.field(description=KEY)


@strawberry.input(description="An order is not wanted any more.")
class OrderCancelInput:
    order_id: strawberry.ID = strawberry.field(description="The order.")
    expected_version: int = strawberry.field(description=VERSION)
    reason: str | None = private_input(default=None, description="Why; the sellers see it. At most 1,000 characters.")
    idempotency_key: str = strawberry.field(description=KEY)


@strawberry.input(description="Something delivered is to be sent back.")
class ReturnRequestInput:
    order_item_id: strawberry.ID = strawberry.field(description=ITEM)
    quantity: int = strawberry.field(description="How many of it.")
    reason: ReturnReason = strawberry.field(description="Why.")
    comment: str | None = private_input(default=None, description="In the buyer's words; at most 1,000 characters.")
    idempotency_key: str = strawberry.field(description=KEY)


@strawberry.input(description="A return may be sent.")
class ReturnAcceptInput:
    return_id: strawberry.ID = strawberry.field(description="The return.")
    expected_version: int = strawberry.field(description=VERSION)


@strawberry.input(description="A return is not taken.")
class ReturnRefuseInput:
    return_id: strawberry.ID = strawberry.field(description="The return.")
    expected_version: int = strawberry.field(description=VERSION)
    note: str | None = private_input(default=None, description="Why; the buyer sees it. At most 1,000 characters.")


@strawberry.input(description="What was sent back has arrived.")
class ReturnReceiveInput:
    return_id: strawberry.ID = strawberry.field(description="The return.")
    expected_version: int = strawberry.field(description=VERSION)
    restock: bool = strawberry.field(description="Whether it can be sold again, and goes back on the shelf.")
    idempotency_key: str = strawberry.field(description=KEY)


@strawberry.input(description="Money that an admin gives back.")
class RefundCreateInput:
    order_id: strawberry.ID = strawberry.field(description="The order.")
    expected_version: int = strawberry.field(description=VERSION)
    order_item_id: strawberry.ID | None = strawberry.field(
        default=None, description="What it is for. Without it the amount is spread over all that is left of the order."
    )
    amount: Decimal | None = strawberry.field(
        default=None, description="How much, in major units of the order's currency. Without it all of the item."
    )
    reason: RefundReason = strawberry.field(
        default=RefundReason.GOODWILL, description="GOODWILL, or LOST for an item that never arrived, and ends with it."
    )
    borne_by: BorneBy = strawberry.field(default=BorneBy.SELLER, description="Whose money it is.")
    note: str | None = private_input(default=None, description="Why, in words; at most 1,000 characters.")
    idempotency_key: str = strawberry.field(description=KEY)


@strawberry.type(description="What came of shipping an item.")
class OrderItemShipPayload:
    ownership = ASKERS_OWN

    order_item: OrderItem | None = attribute(access=OWNER, description="The item as it is now.")
    user_errors: list[UserError] = _errors()


@strawberry.type(description="What came of delivering an item.")
class OrderItemDeliverPayload:
    ownership = ASKERS_OWN

    order_item: OrderItem | None = attribute(access=OWNER, description="The item as it is now.")
    user_errors: list[UserError] = _errors()


@strawberry.type(description="What came of cancelling an item.")
class OrderItemCancelPayload:
    ownership = ASKERS_OWN

    order_item: OrderItem | None = attribute(access=OWNER, description="The item as it is now.")
    user_errors: list[UserError] = _errors()


@strawberry.type(description="What came of cancelling an order.")
class OrderCancelPayload:
    ownership = ASKERS_OWN

    order: Order | None = attribute(access=OWNER, description="The order as it is now.")
    user_errors: list[UserError] = _errors()


@strawberry.type(description="What came of a refund.")
class RefundCreatePayload:
    ownership = ASKERS_OWN

    order: Order | None = attribute(access=OWNER, description="The order as it is now.")
    user_errors: list[UserError] = _errors()


@strawberry.type(description="What came of asking for a return.")
class ReturnRequestPayload:
    ownership = ASKERS_OWN

    return_: Return | None = attribute(access=OWNER, name="return", description="The return.")
    user_errors: list[UserError] = _errors()


@strawberry.type(description="What came of accepting a return.")
class ReturnAcceptPayload:
    ownership = ASKERS_OWN

    return_: Return | None = attribute(access=OWNER, name="return", description="The return as it is now.")
    user_errors: list[UserError] = _errors()


@strawberry.type(description="What came of refusing a return.")
class ReturnRefusePayload:
    ownership = ASKERS_OWN

    return_: Return | None = attribute(access=OWNER, name="return", description="The return as it is now.")
    user_errors: list[UserError] = _errors()


@strawberry.type(description="What came of receiving a return.")
class ReturnReceivePayload:
    ownership = ASKERS_OWN

    return_: Return | None = attribute(access=OWNER, name="return", description="The return as it is now.")
    user_errors: list[UserError] = _errors()


async def _ship(
    info: Info, input: Annotated[OrderItemShipInput, strawberry.argument(description="What was sent how.")]
) -> object:
    return await fulfilment.ship(info, input)


async def _deliver(
    info: Info, input: Annotated[OrderItemDeliverInput, strawberry.argument(description="What arrived.")]
) -> object:
    return await fulfilment.deliver(info, input)


async def _cancel_item(
    info: Info, input: Annotated[OrderItemCancelInput, strawberry.argument(description="What is not sent.")]
) -> object:
    return await fulfilment.cancel_item(info, input)


async def _cancel_order(
    info: Info, input: Annotated[OrderCancelInput, strawberry.argument(description="Which order.")]
) -> object:
    return await fulfilment.cancel_order(info, input)


async def _refund(
    info: Info, input: Annotated[RefundCreateInput, strawberry.argument(description="How much of what.")]
) -> object:
    return await fulfilment.create_refund(info, input)


async def _request_return(
    info: Info, input: Annotated[ReturnRequestInput, strawberry.argument(description="What comes back.")]
) -> object:
    return await fulfilment.request_return(info, input)


async def _accept_return(
    info: Info, input: Annotated[ReturnAcceptInput, strawberry.argument(description="Which return.")]
) -> object:
    return await fulfilment.accept_return(info, input)


async def _refuse_return(
    info: Info, input: Annotated[ReturnRefuseInput, strawberry.argument(description="Which return.")]
) -> object:
    return await fulfilment.refuse_return(info, input)


async def _receive_return(
    info: Info, input: Annotated[ReturnReceiveInput, strawberry.argument(description="Which return.")]
) -> object:
    return await fulfilment.receive_return(info, input)


@strawberry.type
class FulfilmentMutations:
    order_item_ship: OrderItemShipPayload = mutation(
        _ship,
        access=SIGNED_IN,
        graphql_type=OrderItemShipPayload,
        description="Its seller sent a paid item.",
    )
    order_item_deliver: OrderItemDeliverPayload = mutation(
        _deliver, access=SIGNED_IN, graphql_type=OrderItemDeliverPayload, description="An item that was sent arrived."
    )
    order_item_cancel: OrderItemCancelPayload = mutation(
        _cancel_item,
        access=SIGNED_IN,
        graphql_type=OrderItemCancelPayload,
        description="Its seller will not send a paid item: its price goes back, and it goes back on the shelf. The seller's"
        " carriage goes back once all of its items were cancelled.",
    )
    order_cancel: OrderCancelPayload = mutation(
        _cancel_order,
        access=PUBLIC,
        graphql_type=OrderCancelPayload,
        description="The buyer does not want it any more, before anything was shipped: what was paid goes back.",
    )
    return_request: ReturnRequestPayload = mutation(
        _request_return,
        access=PUBLIC,
        graphql_type=ReturnRequestPayload,
        description="The buyer asks to send back what was delivered, within 30 days.",
    )
    return_accept: ReturnAcceptPayload = mutation(
        _accept_return, access=SIGNED_IN, graphql_type=ReturnAcceptPayload, description="Its seller takes it back."
    )
    return_refuse: ReturnRefusePayload = mutation(
        _refuse_return,
        access=SIGNED_IN,
        graphql_type=ReturnRefusePayload,
        description="Its seller does not take it back.",
    )
    return_receive: ReturnReceivePayload = mutation(
        _receive_return,
        access=SIGNED_IN,
        graphql_type=ReturnReceivePayload,
        description="Its seller has it again: the price of what came back goes back.",
    )
    refund_create: RefundCreatePayload = mutation(
        _refund,
        access=ADMIN,
        graphql_type=RefundCreatePayload,
        description="Gives money back, never more than was paid less what went back.",
    )
