"""Sellers in the schema: the public profile only."""

from datetime import datetime

import strawberry

from domain.sellers import model
from engine.declared.fields import attribute, shows
from engine.fragments.declared import Kept
from schema.access import PUBLIC
from schema.relay import Node, global_id


@strawberry.type(description="Who sells.")
class Seller(Node):
    is_type_of = shows(model.Seller)
    kept = Kept("seller", "sellers", held_by="id")

    id: strawberry.ID = global_id("Seller", access=PUBLIC)
    name: str = attribute(access=PUBLIC, description="Company or shop name.")
    name_kana: str | None = attribute(access=PUBLIC, description="The name in kana.")
    description: str = attribute(access=PUBLIC, description="The seller in its own words.")
    logo_url: str | None = attribute(access=PUBLIC, description="Logo; may be relative to the gateway.")
    banner_url: str | None = attribute(access=PUBLIC, description="Banner; may be relative to the gateway.")
    approved_at: datetime | None = attribute(access=PUBLIC, description="Since when it sells here.")
