"""Tags of what is shown of the catalogue, by which a shop front finds the pages that are out of date."""

from collections.abc import Sequence

from domain.shared.events import Event

PRODUCT_CHANGED = "ProductChanged"
"""A product, its variations or images changed, came or went. Written by a trigger, once a product and transaction."""
CATALOG_CHANGED = "CatalogChanged"
"""So much changed in one transaction that it is not told product by product."""

LISTS = ("products",)
"""Lists that any product may come into, by the field that gives them: docs/caching.md says what an answer is tagged with."""
CATALOG = "catalog"
"""All of the catalogue. No answer bears it: a shop front adds it to whatever it keeps, for changes that name no product."""


def product_tag(product_id: object) -> str:
    """What shows the product, in a list or by itself."""
    return f"product:{product_id}"


def category_tag(category_id: object) -> str:
    """What lists products of the category."""
    return f"category:{category_id}"


def seller_tag(seller_id: object) -> str:
    """What lists products of the seller."""
    return f"seller:{seller_id}"


def tags_of(event: Event) -> Sequence[str]:
    """Tags of what the event makes out of date; none when nothing is."""
    if event.type == CATALOG_CHANGED:
        return (CATALOG, *LISTS)
    if event.type != PRODUCT_CHANGED:
        return ()
    named = ((category_tag, "categoryId"), (seller_tag, "sellerId"))
    others = [tag(event.payload[key]) for tag, key in named if event.payload.get(key)]
    return (product_tag(event.aggregate_id), *others, *LISTS)
