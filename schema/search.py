"""Search in the schema."""

import strawberry

from engine.declared.fields import attribute, edge
from schema.access import PUBLIC
from schema.catalog import Product


@strawberry.type(description="A product that was found.")
class SearchHit:
    score: float = attribute(access=PUBLIC, description="How well it matches; compares within one search.")
    product: Product | None = edge(
        "products", key="product_id", access=PUBLIC, description="The product; null when it has just gone."
    )
