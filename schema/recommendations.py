"""Recommendations in the schema."""

import strawberry

from domain.recommendations import model
from engine.declared.fields import attribute, edge
from schema.access import PUBLIC
from schema.catalog import Product

strawberry.enum(model.Reason, name="RecommendationReason", description="Why it is recommended.")


@strawberry.type(description="A product that may be liked.")
class Recommendation:
    score: float = attribute(access=PUBLIC, description="0 to 1; compares among those of the same reason.")
    reason: model.Reason = attribute(access=PUBLIC, description="Why it is recommended.")
    product: Product | None = edge("products", key="product_id", access=PUBLIC, description="The product.")
