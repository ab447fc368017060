"""Arguments of the catalogue's lists."""

from decimal import Decimal

import strawberry

from domain.catalog import model

strawberry.enum(model.ProductSort, description="The order of a list of products; equals go by id.")


@strawberry.input(description="Prices from `min` to `max`, both included, in one currency.")
class PriceRangeInput:
    min: Decimal | None = strawberry.field(default=None, description="The lowest price, in major units.")
    max: Decimal | None = strawberry.field(default=None, description="The highest price, in major units.")
    currency_code: str = strawberry.field(default="JPY", description="ISO 4217.")


@strawberry.input(description="A property that products must have.")
class AttributeInput:
    name: str = strawberry.field(description="What is described.")
    value: str = strawberry.field(description="How it has to be.")


@strawberry.input(description="Which products a list holds. What is left out does not narrow.")
class ProductFilter:
    category_id: strawberry.ID | None = strawberry.field(default=None, description="In this category or below it.")
    brand_ids: list[strawberry.ID] | None = strawberry.field(default=None, description="Of one of these brands.")
    seller_id: strawberry.ID | None = strawberry.field(default=None, description="Of this seller.")
    price: PriceRangeInput | None = strawberry.field(default=None, description="With a price to pay in this range.")
    in_stock: bool | None = strawberry.field(default=None, description="With stock, or without.")
    on_sale: bool | None = strawberry.field(default=None, description="With a special price, or without.")
    status: list[model.ProductStatus] | None = strawberry.field(
        default=None,
        description="In one of these states; ACTIVE unless asked. Shoppers see ACTIVE only, sellers also their own others.",
    )
    text: str | None = strawberry.field(default=None, description="With this in the name or SKU.")
    attributes: list[AttributeInput] | None = strawberry.field(
        default=None, description="With all of these properties."
    )
