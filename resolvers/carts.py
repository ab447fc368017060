"""Cart fields and mutations."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from domain.carts.model import Cart, CartOutcome, CartWarning, WarningCode
from domain.carts.quotes import CartProblem, CartQuote, PricedCart
from domain.shared.ids import ProductId, VariationId
from domain.shared.refusals import Refusal
from resolvers.context import Info
from resolvers.errors import UserError, outcome_or_refusal
from resolvers.global_ids import key_of

NOT_MERGED = CartOutcome(Cart(None), (CartWarning(WarningCode.NOT_MERGED, "", requested=0, applied=0),))


@dataclass(frozen=True, slots=True)
class CartPayload:
    """What a cart mutation shows."""

    cart: Cart | None
    user_errors: Sequence[UserError]
    warnings: Sequence[CartWarning]
    merged_lines: Sequence[str] = ()


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


async def clear(info: Info, expected_version: int) -> CartPayload:
    return await _payload(
        info, lambda: info.context.services.carts.clear(info.context.known_viewer(), expected_version)
    )


async def merge(info: Info) -> CartPayload:
    """Take over what the guest of the request has in the cart; one who is no guest any more has nothing there."""
    context = info.context

    async def use_case() -> CartOutcome:
        guest_id = context.viewer.guest_id
        if guest_id is None:
            return CartOutcome(await context.services.carts.cart(context.viewer))
        outcome = await context.services.carts.merge(context.viewer, guest_id)
        context.change_guest()
        return outcome

    return await _payload(info, use_case)


async def take_over(info: Info, access_token: str) -> CartOutcome | None:
    """At a sign-in, whose mutation still runs as the guest: what became of the guest's cart; None without one.

    Where it cannot be had now the outcome says so in a warning, and the guest stays the same one, so that `cartMerge` can do it
    later: nobody is kept from signing in.
    """
    context = info.context
    guest_id = context.viewer.guest_id
    if guest_id is None:
        return None
    try:
        user = await context.services.accounts.user_of(access_token)
    except Refusal:
        return NOT_MERGED
    outcome = await context.services.carts.take_over(user, guest_id)
    if outcome is None:
        return NOT_MERGED
    context.change_guest()
    return outcome


async def problems(info: Info, cart: Cart) -> Sequence[CartProblem]:
    return (await _pricing(info, cart)).problems


async def quote(info: Info, cart: Cart) -> CartQuote | None:
    return (await _pricing(info, cart)).quote


async def _pricing(info: Info, cart: Cart) -> PricedCart:
    priced: PricedCart = await info.context.loaders.load("cart_pricings", cart)
    return priced


async def _payload(info: Info, use_case: Callable[[], Awaitable[CartOutcome]]) -> CartPayload:
    outcome, refusals = await outcome_or_refusal(info, use_case)
    if outcome is None:
        return CartPayload(None, refusals, ())
    return CartPayload(outcome.cart, (), outcome.warnings, outcome.merged)
