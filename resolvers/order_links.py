"""Links to guests' orders."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from domain.orders.links import OrderLink
from domain.orders.model import Order
from resolvers.context import Info
from resolvers.errors import UserError, outcome_or_refusal


@dataclass(frozen=True, slots=True)
class OrderLinkPayload:
    token: str | None = field(repr=False)
    user_errors: Sequence[UserError]


async def create(info: Info, order_number: str, email: str) -> OrderLinkPayload:
    async def use_case() -> OrderLink:
        return await info.context.services.order_finding.find(order_number, email)

    link, refusals = await outcome_or_refusal(info, use_case)
    return OrderLinkPayload(None if link is None else link.token, refusals)


async def order(info: Info, token: str) -> Order | None:
    shown = info.context.services.order_finding.shown(info.context.viewer, token)
    if shown is None:
        return None
    viewer, order_id = shown
    info.context.see_as(viewer)
    found: Order | None = await info.context.loaders.load("orders", order_id)
    return found
