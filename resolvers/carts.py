"""Cart fields and mutations."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from domain.carts.model import Cart, CartOutcome, CartWarning
from domain.shared.ids import ProductId, VariationId
from resolvers.context import Info
from resolvers.errors import UserError, outcome_or_refusal
from resolvers.global_ids import key_of


@dataclass(frozen=True, slots=True)
class CartPayload:
    """What a cart mutation shows."""

    cart: Cart | None
    user_errors: Sequence[UserError]
    warnings: Sequence[CartWarning]


async def cart(info: Info) -> Cart:
    return await info.context.services.carts.cart(info.context.viewer)


async def add(info: Info, product_id: str, variation_id: str | None, quantity: int) -> CartPayload:
    async def use_case() -> CartOutcome:
        product = ProductId(key_of(product_id, "Product", "productId"))
        variation = VariationId(key_of(variation_id, "ProductVariation", "variationId")) if variation_id else None
        return await info.context.services.carts.add(info.context.known_viewer(), product, variation, quantity)

    return await _payload(info, use_case)


async def update(info: Info, line_id: str, quantity: int) -> CartPayload:
    return await _payload(
        info, lambda: info.context.services.carts.update(info.context.known_viewer(), line_id, quantity)
    )


async def remove(info: Info, line_id: str) -> CartPayload:
    return await _payload(info, lambda: info.context.services.carts.remove(info.context.known_viewer(), line_id))


async def _payload(info: Info, use_case: Callable[[], Awaitable[CartOutcome]]) -> CartPayload:
    outcome, refusals = await outcome_or_refusal(info, use_case)
    return CartPayload(outcome.cart, (), outcome.warnings) if outcome else CartPayload(None, refusals, ())
