"""The viewer in the schema."""

from datetime import date, datetime

import strawberry

from domain.accounts import details
from engine.declared.fields import After, Before, First, Last, Paging, attribute, edge, private_input, resolver
from resolvers import favorites, orders, sessions
from resolvers.context import Info
from schema.access import ASKERS_OWN, OWNER, PUBLIC, Ownership, of_user
from schema.addresses import Address
from schema.errors import UserError
from schema.favorites import Favorite, FirstViewed, ViewedProduct
from schema.order_queries import Filter
from schema.orders import Order
from schema.preferences import Preferences
from schema.relay import Connection
from schema.sessions import Session

strawberry.enum(details.Gender, description="As users say it themselves, or not at all.")


async def _orders(
    info: Info,
    filter: Filter = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> object:
    return await orders.of_viewer(info, filter, Paging(first, after, last, before))


async def _favorites(
    info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> object:
    return await favorites.of_viewer(info, Paging(first, after, last, before))


async def _recently_viewed(info: Info, first: FirstViewed = None) -> object:
    return await favorites.recently_viewed(info, first)


@strawberry.type(description="What a user tells of themselves. All of it may be left out.")
class Profile:
    ownership = ASKERS_OWN

    display_name: str | None = attribute(access=OWNER, description="The name shown beside reviews.")
    avatar_url: str | None = attribute(access=OWNER, description="Their picture, shown beside reviews.")
    birth_date: date | None = attribute(access=OWNER, description="Date of birth.")
    gender: details.Gender | None = attribute(access=OWNER, description="Gender.")
    phone_number: str | None = attribute(access=OWNER, description="E.164, such as +819012345678.")
    version: int = attribute(access=OWNER, description="Grows with each change, for `expectedVersion`; 0 at first.")


@strawberry.type(description="Whoever is signed in.")
class Viewer:
    ownership = Ownership(of_user(lambda profile: profile.id))

    email: str = attribute(access=OWNER, description="Mail address.")
    display_name: str | None = attribute(access=OWNER, description="The name shown beside reviews.")
    avatar_url: str | None = attribute(access=OWNER, description="Their picture.")
    created_at: datetime = attribute(access=OWNER, description="Since when they are known here.")
    details: Profile = attribute(access=OWNER, name="profile", description="What they tell of themselves.")
    addresses: list[Address] | None = edge(
        "addresses_of_user",
        key="id",
        access=OWNER,
        description="Where they have things sent, the default first; at most 20.",
    )
    preferences: Preferences | None = edge(
        "preferences_of_user", key="id", access=OWNER, description="How they want to be treated."
    )
    favorites: Connection[Favorite] | None = resolver(
        _favorites,
        access=OWNER,
        cost=2,
        graphql_type=Connection[Favorite] | None,
        description="What they keep for later, newest first.",
    )
    recently_viewed: list[ViewedProduct] | None = resolver(
        _recently_viewed,
        access=OWNER,
        graphql_type=list[ViewedProduct] | None,
        description="Products whose page they opened, last first; kept for 30 days unless their privacy settings say no.",
    )
    orders: Connection[Order] | None = resolver(
        _orders,
        access=OWNER,
        cost=2,
        graphql_type=Connection[Order] | None,
        description="What they ordered, newest first.",
    )
    sessions: list[Session] | None = resolver(
        sessions.of_viewer,
        access=OWNER,
        cost=2,
        graphql_type=list[Session] | None,
        description="Where they are signed in, the last used first; at most 50.",
    )


@strawberry.input(description="Changes what is given of the profile; null takes it back.")
class ProfileUpdateInput:
    expected_version: int = strawberry.field(description="The profile's version as the client knows it.")
    display_name: str | None = private_input(
        default=strawberry.UNSET, description="Shown beside reviews; at most 60 characters."
    )
    avatar_url: str | None = private_input(
        default=strawberry.UNSET, description="An address that starts with https://."
    )
    birth_date: date | None = private_input(default=strawberry.UNSET, description="Date of birth.")
    gender: details.Gender | None = private_input(default=strawberry.UNSET, description="Gender.")
    phone_number: str | None = private_input(default=strawberry.UNSET, description="A Japanese number.")


@strawberry.type(description="What became of `profileUpdate`.")
class ProfileUpdatePayload:
    ownership = ASKERS_OWN

    viewer: Viewer | None = attribute(access=OWNER, description="The viewer now; null when nothing was done.")
    user_errors: list[UserError] = attribute(access=PUBLIC, description="Why nothing was done.")
