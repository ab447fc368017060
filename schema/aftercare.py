"""What happens to an order after it was placed: histories, returns, refunds, what may be done next."""

from datetime import datetime

import strawberry

from domain.orders import actions, model, refunds, returns, states
from engine.declared.fields import attribute, computed, edge, shows
from resolvers.global_ids import encoder
from schema.access import ASKERS_OWN, OWNER, SELLER, Ownership
from schema.money import Money
from schema.relay import Node, global_id

strawberry.enum(model.OrderStatus, description="Where an order, or one of its items, stands.")
strawberry.enum(actions.OrderAction, description="What may be done to an order.")
strawberry.enum(actions.ItemAction, name="OrderItemAction", description="What may be done to an item of an order.")
strawberry.enum(actions.ReturnAction, description="What may be done to a return.")
strawberry.enum(returns.ReturnReason, description="Why something is sent back.")
strawberry.enum(states.ReturnStatus, description="Where a return stands.")
strawberry.enum(states.RefundState, name="RefundStatus", description="Where a refund stands.")
strawberry.enum(states.Actor, name="OrderActor", description="In which part somebody acts on an order.")
strawberry.enum(refunds.RefundReason, description="Why money goes back.")
strawberry.enum(refunds.BorneBy, name="RefundBorneBy", description="Whose money goes back.")

PARTS = Ownership(lambda value, viewer: model.is_buyers(viewer, value), seller=lambda value: value.seller_id)
"""Of a part of an order that is one seller's: the buyer's and that seller's."""
BUYERS = Ownership(PARTS.owner)
ITEM_ID = encoder("OrderItem")


@strawberry.type(description="A step of an item's history.")
class OrderItemStatusChange:
    ownership = PARTS

    status: model.OrderStatus = attribute(access=OWNER | SELLER, description="The state it came to.")
    note: str | None = attribute(access=OWNER | SELLER, description="Why.")
    changed_as: states.Actor | None = attribute(
        access=OWNER | SELLER, description="Who did it; null for what is older than this record."
    )
    created_at: datetime = attribute(access=OWNER | SELLER, description="When.")


@strawberry.type(description="Something that happened to an order, to an item of it or to its money.")
class OrderEvent:
    ownership = BUYERS

    type: str = attribute(access=OWNER, description="What happened, such as `OrderItemShipped`; more types may come.")
    status: str = attribute(access=OWNER, description="The state that the order, item, return or refund came to.")
    item_id: strawberry.ID | None = computed(
        lambda entry: ITEM_ID(entry.item_id) if entry.item_id else None,
        access=OWNER,
        description="The item, where it is about one.",
    )
    note: str | None = attribute(access=OWNER, description="Why, where somebody said so.")
    changed_as: states.Actor | None = attribute(access=OWNER, description="Who did it, as far as it is known.")
    created_at: datetime = attribute(access=OWNER, description="When.")


@strawberry.type(description="So many of an item on their way back to the seller.")
class Return(Node):
    is_type_of = shows(returns.Return)
    ownership = PARTS

    id: strawberry.ID = global_id("Return", access=OWNER | SELLER)
    item_id: strawberry.ID = computed(
        lambda value: ITEM_ID(value.item_id), access=OWNER | SELLER, description="The item."
    )
    quantity: int = attribute(access=OWNER | SELLER, description="How many.")
    reason: returns.ReturnReason = attribute(access=OWNER | SELLER, description="Why.")
    comment: str | None = attribute(access=OWNER | SELLER, description="What the buyer says.")
    status: states.ReturnStatus = attribute(access=OWNER | SELLER, description="Where it stands.")
    note: str | None = attribute(access=OWNER | SELLER, description="What the seller says.")
    is_restocked: bool | None = attribute(
        access=OWNER | SELLER, description="Whether the goods went back on the shelf; null until they were received."
    )
    version: int = attribute(access=OWNER | SELLER, description="Grows with each change, for `expectedVersion`.")
    created_at: datetime = attribute(access=OWNER | SELLER, description="When it was asked for.")
    updated_at: datetime = attribute(access=OWNER | SELLER, description="When it last changed.")
    available_actions: list[actions.ReturnAction] | None = edge(
        "actions_of_return",
        key="standing",
        access=OWNER | SELLER,
        description="What the viewer may do with it.",
        size=3,
    )


@strawberry.type(description="Money of a payment that goes back, or went.")
class Refund:
    ownership = PARTS

    amount: Money = attribute(access=OWNER | SELLER, description="How much.")
    reason: refunds.RefundReason = attribute(access=OWNER | SELLER, description="Why.")
    status: states.RefundState = attribute(access=OWNER | SELLER, description="Where it stands.")
    note: str | None = attribute(access=OWNER | SELLER, description="What was said to it.")
    created_at: datetime = attribute(access=OWNER | SELLER, description="When it was decided.")
    settled_at: datetime | None = attribute(access=OWNER | SELLER, description="When the provider had carried it out.")


@strawberry.type(description="What a seller is owed in one currency.")
class SellerBalance:
    ownership = Ownership(seller=lambda balance: balance.seller_id)

    payable: Money = attribute(access=SELLER, description="What is owed; below zero the seller owes the marketplace.")
    sales: Money = attribute(access=SELLER, description="What buyers paid for goods.")
    shipping: Money = attribute(access=SELLER, description="What buyers paid for carriage.")
    commission: Money = attribute(access=SELLER, description="The marketplace's part of the sales.")
    clawed_back: Money = attribute(access=SELLER, description="What went back to buyers, less the commission on it.")


@strawberry.type(description="So many of something, on a receipt.")
class ReceiptLine:
    ownership = ASKERS_OWN

    name: str = attribute(access=OWNER, description="What it was called when it was ordered.")
    quantity: int = attribute(access=OWNER, description="How many.")
    unit_price: Money = attribute(access=OWNER, description="What one cost, tax included.")
    total: Money = attribute(access=OWNER, description="What all of them cost, tax included.")
    tax_percent: int = attribute(access=OWNER, description="The rate of the tax in it.")
    is_reduced: bool = attribute(access=OWNER, description="Whether that is the reduced rate, which has to be marked.")


@strawberry.type(description="One rate of tax on a receipt, rounded down once.")
class ReceiptTax:
    ownership = ASKERS_OWN

    percent: int = attribute(access=OWNER, description="The rate.")
    taxable: Money = attribute(access=OWNER, description="What was paid at this rate, tax included.")
    tax: Money = attribute(access=OWNER, description="The tax in it.")
    refunded: Money = attribute(access=OWNER, description="What of it went back.")
    refunded_tax: Money = attribute(access=OWNER, description="The tax in what went back.")


@strawberry.type(description="What was paid to one seller, as a qualified invoice says it.")
class Receipt:
    ownership = PARTS

    order_number: str = attribute(access=OWNER, description="Of the order.")
    seller_name: str = attribute(access=OWNER, description="Who sold, as it was called then.")
    registration_number: str | None = attribute(
        access=OWNER,
        description="Of a registered issuer of qualified invoices, such as T1234567890123; null of others.",
    )
    issued_at: datetime = attribute(access=OWNER, description="When it was paid.")
    pdf_url: str | None = edge(
        "address_of_receipt",
        key="key",
        access=OWNER,
        description="Opens it as PDF, for ten minutes from now and for whoever has it; ask again for another.",
    )
    lines: list[ReceiptLine] = attribute(access=OWNER, description="What was bought.")
    shipping_fee: Money = attribute(access=OWNER, description="Carriage, tax included.")
    total: Money = attribute(access=OWNER, description="All of it, tax included.")
    taxes: list[ReceiptTax] = attribute(access=OWNER, description="By rate.")
    refunded: Money = attribute(access=OWNER, description="What went back of it.")
    refunded_at: datetime | None = attribute(access=OWNER, description="When the last of that went back.")
