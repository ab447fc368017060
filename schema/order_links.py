"""Links to guests' orders in the schema."""

from typing import Annotated

import strawberry

from engine.declared.fields import attribute, private_input
from engine.reading.secrecy import SENSITIVE
from resolvers import order_links
from resolvers.context import Info
from schema.access import ASKERS_OWN, OWNER, PUBLIC
from schema.errors import UserError


@strawberry.input(description="Finds a guest's order.")
class OrderLinkCreateInput:
    order_number: str = private_input(description="As on the confirmation, in any case, with or without the hyphen.")
    email: str = private_input(description="The mail address that the order was placed with.")


@strawberry.type(description="What became of `orderLinkCreate`.")
class OrderLinkCreatePayload:
    ownership = ASKERS_OWN

    token: str | None = attribute(
        access=OWNER,
        description="For `orderByLink`, 90 days long. Whoever has it sees the order: keep it as a password.",
    )
    user_errors: list[UserError] = attribute(access=PUBLIC, description="Why there is none.")


async def create(
    info: Info, input: Annotated[OrderLinkCreateInput, strawberry.argument(description="Which order.")]
) -> object:
    return await order_links.create(info, input.order_number, input.email)


async def order(
    info: Info, token: Annotated[str, strawberry.argument(description="Of `orderLinkCreate`.", metadata=SENSITIVE)]
) -> object:
    return await order_links.order(info, token)
