"""The catalogue in the schema: products, variations, images, categories, brands."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain.catalog import categories, model
from engine.declared.fields import attribute, connection, edge, shows
from engine.fragments.declared import Kept
from schema.access import PUBLIC
from schema.money import Money
from schema.relay import Connection, Node, global_id
from schema.reviews import Rating, Review
from schema.sellers import Seller

PRICE_AGE_S = 2
"""How old a price or a stock may be shown, in seconds."""
TEXT_AGE_S = 60
"""The same of names and texts."""

strawberry.enum(model.ProductStatus, description="Where a product stands; OUT_OF_STOCK sets itself.")
strawberry.enum(model.Availability, description="Whether it can be bought, derived from status and stock.")


@strawberry.type(description="A property of a product or variation, such as 色: 藍.")
class Attribute:
    name: str = attribute(access=PUBLIC, description="What is described.")
    value: str = attribute(access=PUBLIC, description="How it is.")


@strawberry.type(description="How a product travels.")
class ShippingInfo:
    ships_from: str | None = attribute(access=PUBLIC, description="Where from.")
    days_min: int | None = attribute(access=PUBLIC, description="Working days until it leaves, at the least.")
    days_max: int | None = attribute(access=PUBLIC, description="Working days until it leaves, at the most.")
    fee: Money | None = attribute(access=PUBLIC, description="What shipping costs.")
    free_over: Money | None = attribute(access=PUBLIC, description="From which total on shipping is free.")


@strawberry.type(description="A picture of a product.")
class ProductImage:
    url: str = attribute(access=PUBLIC, description="Where it is; may be relative to the gateway.")
    alt_text: str = attribute(access=PUBLIC, description="What it shows, for those who cannot see it.")
    is_primary: bool = attribute(access=PUBLIC, description="Whether it stands for the product in lists.")


@strawberry.type(description="A kind of a product that is priced and stocked by itself, such as a size.")
class ProductVariation:
    id: strawberry.ID = global_id("ProductVariation", access=PUBLIC)
    sku: str = attribute(access=PUBLIC, description="The seller's own code for it.")
    name: str = attribute(access=PUBLIC, description="What tells it from the others.")
    attributes: list[Attribute] = attribute(access=PUBLIC, description="Its properties.")
    price: Money = attribute(access=PUBLIC, description="What one costs, tax included.")
    stock_quantity: int = attribute(access=PUBLIC, description="Units left.")
    availability: model.Availability = attribute(access=PUBLIC, description="Whether it can be bought.")


@strawberry.type(description="A kind of product; categories form a tree.")
class Category(Node):
    is_type_of = shows(categories.Category)
    kept = Kept("category", "categories", held_by="id")

    id: strawberry.ID = global_id("Category", access=PUBLIC)
    name: str = attribute(access=PUBLIC, description="Shown to shoppers.")
    slug: str = attribute(access=PUBLIC, description="Its name in addresses.")
    icon_url: str | None = attribute(access=PUBLIC, description="Small picture.")
    parent: Annotated["Category", strawberry.lazy("schema.catalog")] | None = edge(
        "categories", key="parent_id", access=PUBLIC, description="The category above; null at the top."
    )
    path: list[Annotated["Category", strawberry.lazy("schema.catalog")]] = edge(
        "category_paths",
        key="id",
        access=PUBLIC,
        size=4,
        is_part=True,
        description="From the top down to this category.",
    )
    children: list[Annotated["Category", strawberry.lazy("schema.catalog")]] = edge(
        "category_children", key="id", access=PUBLIC, is_part=True, description="The categories right below."
    )


@strawberry.type(description="A make.")
class Brand(Node):
    is_type_of = shows(model.Brand)
    kept = Kept("brand", "brands", held_by="id")

    id: strawberry.ID = global_id("Brand", access=PUBLIC)
    name: str = attribute(access=PUBLIC, description="Shown to shoppers.")
    name_kana: str | None = attribute(access=PUBLIC, description="The name in kana.")
    logo_url: str | None = attribute(access=PUBLIC, description="Logo; may be relative to the gateway.")


@strawberry.type(description="Something a seller offers.")
class Product(Node):
    is_type_of = shows(model.Product)
    kept = Kept("product", "products", client_age_s=PRICE_AGE_S, held_by="id", version="version")

    id: strawberry.ID = global_id("Product", access=PUBLIC)
    sku: str = attribute(access=PUBLIC, description="The seller's own code for it; another seller may use the same.")
    slug: str = attribute(access=PUBLIC, description="Its name in addresses.")
    name: str = attribute(access=PUBLIC, description="Shown to shoppers, in the seller's language.")
    description: str = attribute(access=PUBLIC, description="What it is, in the seller's words.")
    base_price: Money = attribute(access=PUBLIC, description="The ordinary price, tax included.")
    sale_price: Money | None = attribute(access=PUBLIC, description="The present special price, tax included.")
    price: Money = attribute(access=PUBLIC, description="The price to pay for one, tax included.")
    is_on_sale: bool = attribute(access=PUBLIC, description="Whether the price to pay is below the ordinary one.")
    status: model.ProductStatus = attribute(access=PUBLIC, description="Where the product stands.")
    stock_quantity: int = attribute(access=PUBLIC, description="Units left, of all variations together.")
    availability: model.Availability = attribute(access=PUBLIC, description="Whether it can be bought.")
    attributes: list[Attribute] = attribute(access=PUBLIC, description="Its properties.")
    shipping_info: ShippingInfo = attribute(access=PUBLIC, description="How it travels.")
    published_at: datetime | None = attribute(access=PUBLIC, description="Since when it is shown.")
    updated_at: datetime = attribute(access=PUBLIC, description="When it, its variations or images last changed.")
    images: list[ProductImage] | None = edge(
        "images_of_product", key="id", access=PUBLIC, size=5, is_part=True, description="Its pictures, in order."
    )
    variations: list[ProductVariation] | None = edge(
        "variations_of_product",
        key="id",
        access=PUBLIC,
        is_part=True,
        description="Its kinds on sale; empty where it has none.",
    )
    category: Category | None = edge("categories", key="category_id", access=PUBLIC, description="Where it belongs.")
    brand: Brand | None = edge("brands", key="brand_id", access=PUBLIC, description="Its make.")
    seller: Seller | None = edge("sellers", key="seller_id", access=PUBLIC, description="Who sells it.")
    rating: Rating | None = edge(
        "rating_of_product", key="id", access=PUBLIC, is_part=True, description="What buyers make of it."
    )
    reviews: Connection[Review] | None = connection(
        "reviews_of_product",
        key="id",
        access=PUBLIC,
        is_part=True,
        description="What buyers say of it, newest first.",
    )
