"""The root `Mutation`: `nounVerb(input: NounVerbInput!): NounVerbPayload!`."""

import strawberry

from engine.declared.fields import mutation, taking
from resolvers import carts, sessions
from resolvers.context import Info
from schema import checkout, order_links
from schema.access import PUBLIC, SIGNED_IN
from schema.account_mutations import AccountMutations
from schema.carts import (
    CartClearInput,
    CartClearPayload,
    CartItemAddInput,
    CartItemAddPayload,
    CartItemRemoveInput,
    CartItemRemovePayload,
    CartItemUpdateInput,
    CartItemUpdatePayload,
    CartMergePayload,
)
from schema.checkout import CheckoutPayload
from schema.fulfilment import FulfilmentMutations
from schema.identity_mutations import IdentityMutations
from schema.order_links import OrderLinkCreatePayload
from schema.sessions import SessionRevokeInput, SessionRevokePayload


async def _cart_merge(info: Info) -> object:
    return await carts.merge(info)


MERGE = """Takes over the cart of the guest whose token comes with the request, who becomes another one. Of a line in both the larger
quantity holds, so that a second time changes nothing. `sessionCreate` does it by itself; this is for sign-ins elsewhere, and
for when a back end was away."""


CHECKOUT_S = 10
CHECKOUT = """Places an order of all that is in the cart, and begins its payment. Units are set aside for 30 minutes. Where price, stock or
terms are no longer as quoted nothing is written. While the payment provider is slow or away it answers `CheckoutProcessing` in about
two seconds, and within 10 seconds whatever happens."""


@strawberry.type(description="What can be done. A refusal is data (`userErrors`); only outages and bugs are errors.")
class Mutation(AccountMutations, FulfilmentMutations, IdentityMutations):
    cart_item_add: CartItemAddPayload = mutation(
        taking(
            lambda info, given: carts.add(info, given.product_id, given.variation_id, given.quantity),
            CartItemAddInput,
            "What to put in.",
        ),
        access=PUBLIC,
        graphql_type=CartItemAddPayload,
        description="Puts a product into the cart. Who has no identity yet becomes a guest: keep the `X-Guest-Token` header.",
    )
    cart_item_update: CartItemUpdatePayload = mutation(
        taking(
            lambda info, given: carts.update(info, given.line_id, given.quantity),
            CartItemUpdateInput,
            "What to change.",
        ),
        access=PUBLIC,
        graphql_type=CartItemUpdatePayload,
        description="Sets the quantity of a line.",
    )
    cart_item_remove: CartItemRemovePayload = mutation(
        taking(lambda info, given: carts.remove(info, given.line_id), CartItemRemoveInput, "What to take out."),
        access=PUBLIC,
        graphql_type=CartItemRemovePayload,
        description="Takes a line out of the cart.",
    )
    cart_clear: CartClearPayload = mutation(
        taking(lambda info, given: carts.clear(info, given.expected_version), CartClearInput, "Which state of it."),
        access=PUBLIC,
        graphql_type=CartClearPayload,
        description="Takes everything out of the cart.",
    )
    cart_merge: CartMergePayload = mutation(
        _cart_merge, access=SIGNED_IN, graphql_type=CartMergePayload, description=MERGE
    )
    checkout: CheckoutPayload = mutation(
        checkout.place,
        access=PUBLIC,
        graphql_type=CheckoutPayload,
        description=CHECKOUT,
        limit="checkout",
        within_s=CHECKOUT_S,
    )
    order_link_create: OrderLinkCreatePayload = mutation(
        order_links.create,
        access=PUBLIC,
        graphql_type=OrderLinkCreatePayload,
        description="Finds a guest's order by its number and mail address, and gives a link to it.",
        limit="order-lookup",
    )
    session_revoke: SessionRevokePayload = mutation(
        taking(lambda info, given: sessions.revoke(info, given.session_id), SessionRevokeInput, "Which."),
        access=SIGNED_IN,
        graphql_type=SessionRevokePayload,
        description="Signs the viewer out of one of their sessions: within a second its tokens stop and its sockets close.",
    )
