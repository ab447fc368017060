"""Favourites and recently viewed products in the schema."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from engine.declared.fields import attribute, edge
from schema.access import ASKERS_OWN, OWNER, PUBLIC, Ownership, of_user
from schema.catalog import Product
from schema.errors import UserError

FirstViewed = Annotated[int | None, strawberry.argument(description="How many; 20 unless said, at most 50.")]


@strawberry.type(description="A product that a user keeps for later.")
class Favorite:
    ownership = Ownership(of_user(lambda favorite: favorite.user_id))

    created_at: datetime = attribute(access=OWNER, description="Since when.")
    product: Product | None = edge(
        "products", key="product_id", access=OWNER, description="The product; null when it is no longer shown."
    )


@strawberry.type(description="A product that somebody looked at.")
class ViewedProduct:
    ownership = ASKERS_OWN

    product: Product | None = edge(
        "products", key="product_id", access=OWNER, description="The product; null when it is no longer shown."
    )


@strawberry.input(description="Keeps a product for later.")
class FavoriteAddInput:
    product_id: strawberry.ID = strawberry.field(description="The product.")


@strawberry.input(description="Keeps a product no longer.")
class FavoriteRemoveInput:
    product_id: strawberry.ID = strawberry.field(description="The product.")


def _payload(name: str, description: str, changed: str) -> Any:
    class Payload:
        ownership = ASKERS_OWN

        favorite: Favorite | None = attribute(access=OWNER, description=changed)
        user_errors: list[UserError] = attribute(access=PUBLIC, description="Why nothing was done.")

    Payload.__name__ = name
    return strawberry.type(Payload, name=name, description=description)


FavoriteAddPayload = _payload(
    "FavoriteAddPayload", "What became of `favoriteAdd`.", "The favourite, which may have been there before."
)
FavoriteRemovePayload = _payload(
    "FavoriteRemovePayload", "What became of `favoriteRemove`.", "What was removed; null where it was not kept."
)
