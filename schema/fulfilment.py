"""Mutations of placed orders: by sellers, buyers and admins."""

from decimal import Decimal
from typing import Any

import strawberry

from domain.orders.refunds import BorneBy, RefundReason
from domain.orders.returns import ReturnReason
from engine.declared.fields import attribute, mutation, private_input, taking
from resolvers import fulfilment
from schema.access import ADMIN, ASKERS_OWN, OWNER, PUBLIC, SIGNED_IN
from schema.aftercare import Return
from schema.errors import UserError
from schema.orders import Order, OrderItem

ERRORS = "Why nothing was done."
VERSION = "The version that was looked at; another one by now is a VERSION_CONFLICT."


def _key() -> Any:
    return strawberry.field(description="Names this intention: sent again, the same key and input do nothing more.")


@strawberry.input
class _OfItem:
    order_item_id: strawberry.ID = strawberry.field(description="The item.")


@strawberry.input
class _ChangesItem(_OfItem):
    expected_version: int = strawberry.field(description=VERSION)


@strawberry.input
class _ChangesOrder:
    order_id: strawberry.ID = strawberry.field(description="The order.")
    expected_version: int = strawberry.field(description=VERSION)


@strawberry.input
class _ChangesReturn:
    return_id: strawberry.ID = strawberry.field(description="The return.")
    expected_version: int = strawberry.field(description=VERSION)


@strawberry.input(description="An item was handed to the carrier.")
class OrderItemShipInput(_ChangesItem):
    carrier: str = strawberry.field(description="Who carries it; at most 100 characters.")
    tracking_number: str = private_input(description="The carrier's number for it; at most 100 characters.")


@strawberry.input(description="An item arrived.")
class OrderItemDeliverInput(_ChangesItem): ...


@strawberry.input(description="An item will not be sent.")
class OrderItemCancelInput(_ChangesItem):
    reason: str | None = private_input(default=None, description="Why; the buyer sees it. At most 1,000 characters.")
    idempotency_key: str = _key()


@strawberry.input(description="An order is not wanted any more.")
class OrderCancelInput(_ChangesOrder):
    reason: str | None = private_input(default=None, description="Why; the sellers see it. At most 1,000 characters.")
    idempotency_key: str = _key()


@strawberry.input(description="Something delivered is to be sent back.")
class ReturnRequestInput(_OfItem):
    quantity: int = strawberry.field(description="How many of it.")
    reason: ReturnReason = strawberry.field(description="Why.")
    comment: str | None = private_input(default=None, description="In the buyer's words; at most 1,000 characters.")
    idempotency_key: str = _key()


@strawberry.input(description="A return may be sent.")
class ReturnAcceptInput(_ChangesReturn): ...


@strawberry.input(description="A return is not taken.")
class ReturnRefuseInput(_ChangesReturn):
    note: str | None = private_input(default=None, description="Why; the buyer sees it. At most 1,000 characters.")


@strawberry.input(description="What was sent back has arrived.")
class ReturnReceiveInput(_ChangesReturn):
    restock: bool = strawberry.field(description="Whether it can be sold again, and goes back on the shelf.")
    idempotency_key: str = _key()


@strawberry.input(description="Money that an admin gives back.")
class RefundCreateInput(_ChangesOrder):
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
    idempotency_key: str = _key()


@strawberry.type
class _ItemPayload:
    ownership = ASKERS_OWN

    order_item: OrderItem | None = attribute(access=OWNER, description="The item as it is now.")
    user_errors: list[UserError] = attribute(access=PUBLIC, description=ERRORS)


@strawberry.type
class _OrderPayload:
    ownership = ASKERS_OWN

    order: Order | None = attribute(access=OWNER, description="The order as it is now.")
    user_errors: list[UserError] = attribute(access=PUBLIC, description=ERRORS)


@strawberry.type
class _ReturnPayload:
    ownership = ASKERS_OWN

    return_: Return | None = attribute(access=OWNER, name="return", description="The return as it is now.")
    user_errors: list[UserError] = attribute(access=PUBLIC, description=ERRORS)


@strawberry.type(description="What came of shipping an item.")
class OrderItemShipPayload(_ItemPayload): ...


@strawberry.type(description="What came of delivering an item.")
class OrderItemDeliverPayload(_ItemPayload): ...


@strawberry.type(description="What came of cancelling an item.")
class OrderItemCancelPayload(_ItemPayload): ...


@strawberry.type(description="What came of cancelling an order.")
class OrderCancelPayload(_OrderPayload): ...


@strawberry.type(description="What came of a refund.")
class RefundCreatePayload(_OrderPayload): ...


@strawberry.type(description="What came of asking for a return.")
class ReturnRequestPayload(_ReturnPayload):
    return_: Return | None = attribute(access=OWNER, name="return", description="The return.")


@strawberry.type(description="What came of accepting a return.")
class ReturnAcceptPayload(_ReturnPayload): ...


@strawberry.type(description="What came of refusing a return.")
class ReturnRefusePayload(_ReturnPayload): ...


@strawberry.type(description="What came of receiving a return.")
class ReturnReceivePayload(_ReturnPayload): ...


@strawberry.type
class FulfilmentMutations:
    order_item_ship: OrderItemShipPayload = mutation(
        taking(fulfilment.ship, OrderItemShipInput, "What was sent how."),
        access=SIGNED_IN,
        graphql_type=OrderItemShipPayload,
        description="Its seller sent a paid item.",
    )
    order_item_deliver: OrderItemDeliverPayload = mutation(
        taking(fulfilment.deliver, OrderItemDeliverInput, "What arrived."),
        access=SIGNED_IN,
        graphql_type=OrderItemDeliverPayload,
        description="An item that was sent arrived.",
    )
    order_item_cancel: OrderItemCancelPayload = mutation(
        taking(fulfilment.cancel_item, OrderItemCancelInput, "What is not sent."),
        access=SIGNED_IN,
        graphql_type=OrderItemCancelPayload,
        description="Its seller will not send a paid item: its price goes back, and it goes back on the shelf. The seller's"
        " carriage goes back once all of its items were cancelled.",
    )
    order_cancel: OrderCancelPayload = mutation(
        taking(fulfilment.cancel_order, OrderCancelInput, "Which order."),
        access=PUBLIC,
        graphql_type=OrderCancelPayload,
        description="The buyer does not want it any more, before anything was shipped: what was paid goes back.",
    )
    return_request: ReturnRequestPayload = mutation(
        taking(fulfilment.request_return, ReturnRequestInput, "What comes back."),
        access=PUBLIC,
        graphql_type=ReturnRequestPayload,
        description="The buyer asks to send back what was delivered, within 30 days.",
    )
    return_accept: ReturnAcceptPayload = mutation(
        taking(fulfilment.accept_return, ReturnAcceptInput, "Which return."),
        access=SIGNED_IN,
        graphql_type=ReturnAcceptPayload,
        description="Its seller takes it back.",
    )
    return_refuse: ReturnRefusePayload = mutation(
        taking(fulfilment.refuse_return, ReturnRefuseInput, "Which return."),
        access=SIGNED_IN,
        graphql_type=ReturnRefusePayload,
        description="Its seller does not take it back.",
    )
    return_receive: ReturnReceivePayload = mutation(
        taking(fulfilment.receive_return, ReturnReceiveInput, "Which return."),
        access=SIGNED_IN,
        graphql_type=ReturnReceivePayload,
        description="Its seller has it again: the price of what came back goes back.",
    )
    refund_create: RefundCreatePayload = mutation(
        taking(fulfilment.create_refund, RefundCreateInput, "How much of what."),
        access=ADMIN,
        graphql_type=RefundCreatePayload,
        description="Gives money back, never more than was paid less what went back.",
    )
