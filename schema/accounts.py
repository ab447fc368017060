"""The viewer in the schema."""

from datetime import datetime

import strawberry

from engine.fields import After, Before, First, Last, attribute, resolver
from resolvers import orders
from resolvers.context import Info
from schema.access import OWNER, Ownership, of_user
from schema.orders import Order
from schema.relay import Connection


async def _orders(
    info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> object:
    return await orders.of_viewer(info, {"first": first, "after": after, "last": last, "before": before})


@strawberry.type(description="Whoever is signed in.")
class Viewer:
    ownership = Ownership(of_user(lambda profile: profile.id))

    email: str = attribute(access=OWNER, description="Mail address.")
    display_name: str | None = attribute(access=OWNER, description="The name shown beside reviews.")
    avatar_url: str | None = attribute(access=OWNER, description="Their picture.")
    created_at: datetime = attribute(access=OWNER, description="Since when they are known here.")
    orders: Connection[Order] | None = resolver(
        _orders,
        access=OWNER,
        cost=2,
        graphql_type=Connection[Order] | None,
        description="What they ordered, newest first.",
    )
