"""Reviews and ratings in the schema."""

from datetime import datetime

import strawberry

from domain.accounts import model as accounts
from domain.reviews import model
from engine.declared.fields import attribute, edge, shows
from engine.fragments.declared import Kept
from schema.access import PUBLIC
from schema.relay import Node, global_id


@strawberry.type(description="Who wrote something, as the public sees them.")
class Author:
    is_type_of = shows(accounts.Author)
    kept = Kept("author", "authors", is_tag=False)  # users' ids are nobody's business

    display_name: str = attribute(access=PUBLIC, description="The name they chose to show.")
    avatar_url: str | None = attribute(access=PUBLIC, description="Their picture.")


@strawberry.type(description="A buyer's word on a product.")
class Review(Node):
    is_type_of = shows(model.Review)

    id: strawberry.ID = global_id("Review", access=PUBLIC)
    rating: int = attribute(access=PUBLIC, description="1 to 5.")
    title: str | None = attribute(access=PUBLIC, description="Headline.")
    comment: str | None = attribute(access=PUBLIC, description="The review itself.")
    helpful_count: int = attribute(access=PUBLIC, description="How many found it helpful.")
    is_verified_purchase: bool = attribute(access=PUBLIC, description="Whether its author bought the product here.")
    created_at: datetime = attribute(access=PUBLIC, description="When it was written.")
    author: Author | None = edge(
        "authors", key="user_id", access=PUBLIC, description="Who wrote it; null for one who shows no name."
    )


@strawberry.type(description="All ratings of a product together.")
class Rating:
    average: float | None = attribute(
        access=PUBLIC, description="Mean of 1 to 5, to two digits; null before the first."
    )
    count: int = attribute(access=PUBLIC, description="How many ratings there are.")
