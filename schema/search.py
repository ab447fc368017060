"""Search in the schema."""

from datetime import datetime

import strawberry

from domain.search.facet_terms import FacetKind
from domain.search.request import SearchSort
from domain.search.suggesting import SuggestionKind
from engine.declared.fields import attribute, computed, edge
from schema.access import PUBLIC
from schema.catalog import Brand, Category, Product
from schema.inputs import AttributeInput, PriceRangeInput
from schema.money import Money
from schema.relay import Connection
from schema.sellers import Seller

strawberry.enum(SearchSort, description="The order of what is found; equals go by id.")
strawberry.enum(SuggestionKind, description="What is suggested.")
strawberry.enum(FacetKind, description="By what results are narrowed.")


@strawberry.input(
    description="Which of the matches are found. Of the values of one facet any will do, of several facets all must fit."
)
class SearchFilter:
    tokens: list[str] | None = strawberry.field(
        default=None, description="Values of facets, as their `token` says. They add to the fields below."
    )
    category_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="In one of these categories or below it."
    )
    brand_ids: list[strawberry.ID] | None = strawberry.field(default=None, description="Of one of these brands.")
    seller_ids: list[strawberry.ID] | None = strawberry.field(default=None, description="Of one of these sellers.")
    price: PriceRangeInput | None = strawberry.field(default=None, description="With a price to pay in this range.")
    rating_min: float | None = strawberry.field(
        default=None,
        description="With a mean rating of at least this, from 1 to 5; above 0 what nobody rated is left out.",
    )
    in_stock: bool | None = strawberry.field(default=None, description="With stock, or without.")
    attributes: list[AttributeInput] | None = strawberry.field(
        default=None, description="With these properties: of each name any of its values, of several names all."
    )


@strawberry.type(description="A part of a text.")
class HighlightPart:
    text: str = attribute(
        access=PUBLIC, description="Plain text, in one width as search reads it; to be escaped like any other."
    )
    is_match: bool = attribute(access=PUBLIC, description="Whether it is what was asked for.")


@strawberry.type(description="A piece of a product's text in which something matches.")
class SearchHighlight:
    field: str = attribute(access=PUBLIC, description="Where it stands: `name`, whole, or `description`.")
    parts: list[HighlightPart] = attribute(
        access=PUBLIC, size=5, description="The piece, cut where a match begins or ends."
    )


@strawberry.type(description="A product that was found.")
class SearchHit:
    score: float = attribute(
        access=PUBLIC,
        description="How well it matches; compares within one search. 0 in any other order than RELEVANCE.",
    )
    product: Product | None = edge(
        "products", key="product_id", access=PUBLIC, description="The product; null when it has just gone."
    )
    highlights: list[SearchHighlight] | None = edge(
        "highlights_of_hit",
        key="asked",
        access=PUBLIC,
        size=2,
        description="What of its name and description is what was asked for; null where no words were.",
    )


@strawberry.type(description="What may be meant by the letters typed so far.")
class SearchSuggestion:
    kind: SuggestionKind = attribute(access=PUBLIC, description="What it is; the field of that name has it.")
    query: str | None = attribute(
        access=PUBLIC, description="What at least five others searched for lately, and what finds something now."
    )
    product: Product | None = edge(
        "products", key="product_id", access=PUBLIC, description="A product with a word that begins so."
    )
    category: Category | None = edge(
        "categories", key="category_id", access=PUBLIC, description="A category that has products to show."
    )
    brand: Brand | None = edge(
        "brands", key="brand_id", access=PUBLIC, description="A brand that has products to show."
    )


@strawberry.type(description="A value that results can be narrowed to.")
class FacetValue:
    token: str = attribute(access=PUBLIC, description="To be sent back in `filter.tokens`; fit for an address.")
    count: int = attribute(
        access=PUBLIC,
        description="How many results there are with it and everything else that was asked, but for its own facet.",
    )
    is_selected: bool = attribute(access=PUBLIC, description="Whether the filter names it.")
    value: str = computed(
        lambda value: value.term.value, access=PUBLIC, description="What an attribute is, or the least rating, as text."
    )
    category: Category | None = edge(
        "categories",
        key="category_id",
        access=PUBLIC,
        cost=0,  # paid for by `facets`: a value leads to one thing at the most, and those of a facet to few
        description="Of the facet CATEGORY; each counts what is below it.",
    )
    brand: Brand | None = edge("brands", key="brand_id", access=PUBLIC, cost=0, description="Of the facet BRAND.")
    seller: Seller | None = edge("sellers", key="seller_id", access=PUBLIC, cost=0, description="Of the facet SELLER.")
    price_min: Money | None = attribute(access=PUBLIC, description="Of the facet PRICE, included.")
    price_max: Money | None = attribute(access=PUBLIC, description="Of the facet PRICE, included; null is open.")


@strawberry.type(description="A way in which results can be narrowed.")
class Facet:
    kind: FacetKind = computed(lambda facet: facet.key.kind, access=PUBLIC, description="By what.")
    name: str | None = computed(
        lambda facet: facet.key.name or None, access=PUBLIC, description="Of ATTRIBUTE, which one."
    )
    values: list[FacetValue] = attribute(
        access=PUBLIC, size=20, description="Commonest first, prices and ratings in order; what is selected is there."
    )


@strawberry.type(description="What was left out of a search that found nothing.")
class SearchRelaxation:
    words: list[str] = attribute(
        access=PUBLIC, size=3, description="Words of the query, as typed: left out, or spelled as `didYouMean` says."
    )
    filters: list[str] = attribute(access=PUBLIC, size=3, description="Tokens of the filters that were left out.")


@strawberry.type(description="A page of a list.")
class SearchHitConnection(Connection[SearchHit]):
    facets: list[Facet] | None = edge(
        "facets_of_search",
        key="narrowing",
        access=PUBLIC,
        cost=50,
        size=10,
        is_part=True,
        description="How the results can be narrowed, with counts as of `indexedAt`; counted when asked.",
    )
    indexed_at: datetime | None = attribute(
        access=PUBLIC, description="What was indexed by then is in these results; null where there is no index."
    )
    did_you_mean: str | None = attribute(
        access=PUBLIC, description="Where nothing was found: the query spelled otherwise, which does find something."
    )
    relaxed: SearchRelaxation | None = attribute(
        access=PUBLIC, description="Where nothing was found and these are the nearest results: what they leave out."
    )
    is_degraded: bool = attribute(
        access=PUBLIC,
        description="Whether the index is away and a simpler search answered: no facets, and another ranking.",
    )
