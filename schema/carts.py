"""Carts in the schema, and the mutations that change them."""

from datetime import datetime
from typing import Any

import strawberry

from domain.carts import model
from engine.declared.fields import attribute, edge, resolver
from resolvers import carts
from resolvers.context import Info
from schema.access import ASKERS_OWN, OWNER, PUBLIC, Ownership
from schema.cart_quotes import CartProblem, CartQuote
from schema.catalog import Product, ProductVariation
from schema.errors import UserError
from schema.money import Money

MERGED_LINES = "Lines that a guest's cart made, or made more of."
strawberry.enum(model.WarningCode, name="CartWarningCode", description="What was not done as asked.")


@strawberry.type(description="So many of a product, in a cart.")
class CartLine:
    ownership = ASKERS_OWN

    id: strawberry.ID = attribute(access=OWNER, description="Names the line within its cart.")
    quantity: int = attribute(access=OWNER, description="How many.")
    price_snapshot: Money = attribute(access=OWNER, description="What one cost when it was last added.")
    current_price: Money | None = edge(
        "cart_line_prices",
        key="ref",
        access=OWNER,
        description="What one costs now; null when it is not on sale any more.",
    )
    added_at: datetime = attribute(access=OWNER, description="When it was put in.")
    product: Product | None = edge(
        "products",
        key="product_id",
        access=OWNER,
        description="The product as it is now; null when it is no longer shown.",
    )
    variation: ProductVariation | None = edge(
        "variations", key="ref", access=OWNER, description="The kind chosen; null where the product has none."
    )


async def _problems(root: Any, info: Info) -> object:
    return await carts.problems(info, root)


async def _quote(root: Any, info: Info) -> object:
    return await carts.quote(info, root)


@strawberry.type(description="What a buyer or guest is about to buy.")
class Cart:
    # one who is known by nothing has the empty cart, which is nobody's
    ownership = Ownership(lambda cart, viewer: cart.owner == model.CartOwner.of(viewer))

    lines: list[CartLine] = attribute(access=OWNER, description="The lines, oldest first; at most 50.")
    total_quantity: int = attribute(access=OWNER, description="Units of all lines together.")
    problems: list[CartProblem] = resolver(
        _problems,
        access=OWNER,
        graphql_type=list[CartProblem],
        description="What changed, went away or is short since the lines were put in.",
        size=10,
    )
    quote: CartQuote | None = resolver(
        _quote,
        access=OWNER,
        graphql_type=CartQuote | None,
        description="What it costs to buy all of it now; null while a problem blocks that, or the cart is empty.",
    )
    version: int = attribute(access=OWNER, description="Grows by one with each change.")
    expires_at: datetime | None = attribute(
        access=OWNER, description="When it is forgotten unless it changes: 30 days."
    )


@strawberry.type(description="Something was done, but not as asked.")
class CartWarning:
    ownership = ASKERS_OWN

    code: model.WarningCode = attribute(access=OWNER, description="What.")
    target: str = attribute(access=OWNER, description="Id of the line; empty for what concerns the whole cart.")
    requested: int = attribute(access=OWNER, description="Quantity asked for.")
    applied: int = attribute(access=OWNER, description="Quantity the line has now.")


@strawberry.input(description="Puts so many more of a product into the cart.")
class CartItemAddInput:
    product_id: strawberry.ID = strawberry.field(description="The product.")
    variation_id: strawberry.ID | None = strawberry.field(default=None, description="Its kind, where it has any.")
    quantity: int = strawberry.field(default=1, description="How many more, from 1.")


@strawberry.input(description="Sets the quantity of a line.")
class CartItemUpdateInput:
    line_id: strawberry.ID = strawberry.field(description="The line.")
    quantity: int = strawberry.field(description="How many, all told; 0 takes the line out.")


@strawberry.input(description="Takes a line out of the cart.")
class CartItemRemoveInput:
    line_id: strawberry.ID = strawberry.field(description="The line.")


@strawberry.input(description="Empties the cart.")
class CartClearInput:
    expected_version: int = strawberry.field(description="The cart's version as the client knows it.")


def _payload(name: str, description: str, *, merges: bool = False) -> Any:
    """A payload type: each mutation has its own, so that each can grow by itself."""

    class Payload:
        ownership = ASKERS_OWN

        cart: Cart | None = attribute(
            access=OWNER, description="The cart after the change; null when nothing was done."
        )
        user_errors: list[UserError] = attribute(access=PUBLIC, description="Why nothing was done.")
        warnings: list[CartWarning] = attribute(access=OWNER, description="What was not done as asked.")
        if merges:
            merged_lines: list[strawberry.ID] = attribute(access=OWNER, description=MERGED_LINES)

    Payload.__name__ = name
    return strawberry.type(Payload, name=name, description=description)


CartItemAddPayload = _payload("CartItemAddPayload", "What became of `cartItemAdd`.")
CartItemUpdatePayload = _payload("CartItemUpdatePayload", "What became of `cartItemUpdate`.")
CartItemRemovePayload = _payload("CartItemRemovePayload", "What became of `cartItemRemove`.")
CartClearPayload = _payload("CartClearPayload", "What became of `cartClear`.")
CartMergePayload = _payload("CartMergePayload", "What became of `cartMerge`.", merges=True)
