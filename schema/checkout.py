"""Checkout in the schema: what is sent, and how far it has come."""

from typing import Annotated, Any

import strawberry

from domain.payments.refusals import PaymentReason
from engine.declared.fields import attribute, edge, private_input, shows
from resolvers import checkout
from resolvers.context import Info
from schema.access import ASKERS_OWN, OWNER, PUBLIC
from schema.cart_quotes import CartProblem, CartQuote
from schema.errors import UserError
from schema.orders import Order

strawberry.enum(PaymentReason, name="PaymentReason", description="Why a payment did not go through.")


def _order() -> Any:
    return edge("orders", key="order_id", access=OWNER, description="The order as it is now.")


@strawberry.type(description="The order is placed, and paid.")
class CheckoutSucceeded:
    is_type_of = shows(checkout.Succeeded)
    ownership = ASKERS_OWN

    order: Order | None = _order()


@strawberry.type(
    description="The order is placed; whether it is paid is not known yet. Ask `checkoutState`, or send the same checkout again."
)
class CheckoutProcessing:
    is_type_of = shows(checkout.Processing)
    ownership = ASKERS_OWN

    order: Order | None = _order()
    poll_after_ms: int = attribute(access=OWNER, description="How long to wait before asking again.")


@strawberry.type(description="The order is placed, and waits for its buyer: to pay, or to confirm the payment.")
class CheckoutActionRequired:
    is_type_of = shows(checkout.ActionRequired)
    ownership = ASKERS_OWN

    order: Order | None = _order()
    client_secret: str = attribute(
        access=OWNER, description="For Stripe.js in the buyer's browser (`confirmPayment`). Nobody else is to see it."
    )


@strawberry.type(description="The order is placed, and its last payment failed.")
class CheckoutFailed:
    is_type_of = shows(checkout.Failed)
    ownership = ASKERS_OWN

    order: Order | None = _order()
    retry_client_secret: str | None = attribute(
        access=OWNER,
        description="As `clientSecret`, to try again with another card; null where the order can be paid no more.",
    )
    reason: PaymentReason | None = attribute(access=OWNER, description="Why, as far as the buyer is to know.")
    message: str | None = attribute(access=OWNER, description="The same for people.")


CheckoutResult = Annotated[
    CheckoutSucceeded | CheckoutProcessing | CheckoutActionRequired | CheckoutFailed,
    strawberry.union("CheckoutResult", description="How far an order, and its payment, have come."),
]


@strawberry.input(description="Where an order goes, written out. Deliveries are within Japan.")
class CheckoutAddressInput:
    recipient_name: str = private_input(description="Who receives it; at most 60 characters.")
    postal_code: str = private_input(description="Seven digits of any width, with or without 〒 and hyphen.")
    prefecture: str = private_input(description="Such as 東京都, 東京 or Tokyo.")
    city: str = private_input(description="City, ward, town or village; at most 100 characters.")
    line1: str = private_input(description="Quarter and number; at most 100 characters.")
    line2: str | None = private_input(default=None, description="Building and room; at most 100 characters.")
    phone_number: str | None = private_input(default=None, description="A Japanese number, for the carrier.")


@strawberry.input(description="Buys the viewer's cart.")
class CheckoutInput:
    idempotency_key: str = strawberry.field(
        description="Names this intention: sent again, the same key and input give the same order as it is by then."
    )
    quote_hash: str = strawberry.field(description="`cart.quote.quoteHash` as the buyer saw it: what was agreed to.")
    address_id: strawberry.ID | None = strawberry.field(
        default=None, description="One of the user's addresses; instead of `address`."
    )
    address: CheckoutAddressInput | None = strawberry.field(
        default=None, description="Where it goes, written out: a guest's, or once for a user."
    )
    email: str | None = private_input(
        default=None, description="A guest's mail address, by which the order is found again. A user's is known."
    )


@strawberry.type(description="What became of `checkout`.")
class CheckoutPayload:
    ownership = ASKERS_OWN

    checkout: CheckoutResult | None = attribute(
        access=OWNER, description="The order, and how far it has come; null when nothing was done."
    )
    problems: list[CartProblem] = attribute(
        access=OWNER, description="What is not as it was quoted, line by line, when nothing was done for that.", size=10
    )
    quote: CartQuote | None = attribute(
        access=OWNER, description="What the cart comes to now, when that has changed and it can be bought."
    )
    user_errors: list[UserError] = attribute(access=PUBLIC, description="Why nothing was done.")


async def place(
    info: Info, input: Annotated[CheckoutInput, strawberry.argument(description="What was agreed to, and where to.")]
) -> object:
    return await checkout.place(info, input)


async def state(
    info: Info, order_id: Annotated[strawberry.ID, strawberry.argument(description="The order's global id.")]
) -> object:
    return await checkout.state(info, order_id)
