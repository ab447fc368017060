"""The catalogue's root fields."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from domain.catalog.categories import Category
from domain.catalog.model import (
    BRANDS_ORDER,
    Attribute,
    Brand,
    Product,
    ProductFilter,
    ProductRef,
    ProductSort,
    ProductStatus,
)
from domain.sellers.model import Seller
from domain.shared.ids import BrandId, CategoryId, ProductId, SellerId
from domain.shared.money import MINOR_DIGITS, minor_units
from domain.shared.paging import Page, PageRequest
from domain.shared.refusals import InvalidInput, NotFound
from engine.declared.fields import Paging
from engine.fragments.declared import Finds
from resolvers.context import Context, Info
from resolvers.global_ids import decode, key_of

ALL_PRODUCTS = ProductFilter()


async def product(
    info: Info, product_id: str | None, slug: str | None, seller_id: str | None, sku: str | None
) -> Product | None:
    ref = ProductRef(
        ProductId(key_of(product_id, "Product", "id")) if product_id is not None else None,
        slug,
        SellerId(key_of(seller_id, "Seller", "sellerId")) if seller_id is not None else None,
        sku,
    )
    found = await info.context.services.catalog.product(
        info.context.viewer, ref, info.context.loaders.needs_of("products")
    )
    if found is not None:
        _known(info, [found])
        info.context.services.viewed.saw(info.context.viewer, found.id)
    return found


async def stock_changed(info: Info, product_id: str) -> AsyncIterator[Product | None]:
    """Raises NotFound for what is not on show when it begins."""
    key = ProductId(key_of(product_id, "Product", "productId"))
    if (await info.context.services.catalog.products_by_ids([key]))[0] is None:
        raise NotFound(key="id_not_found", type="Product", field=("productId",))
    return info.context.services.stock.watch(key)


async def products(info: Info, which: Any, sort: ProductSort, paging: Paging) -> Page[Product]:
    narrowed = product_filter(which) if which else ALL_PRODUCTS
    category = (
        CategoryId(key_of(which.category_id, "Category", "filter.categoryId")) if which and which.category_id else None
    )
    page = await info.context.services.catalog.products(
        info.context.viewer,
        narrowed,
        sort,
        PageRequest.of(sort, *paging, looks_ahead=info.context.loaders.looks_ahead("ProductConnection")),
        category,
        info.context.loaders.needs_of("products"),
    )
    _known(info, page.nodes)
    return page


def _known(info: Info, found: Sequence[Product]) -> None:
    """Spare the loader what was just read, unless it may be behind what the loader reads."""
    if info.context.services.catalog.is_current:
        info.context.loaders.know("products", {product.id: product for product in found})


def product_filter(given: Any) -> ProductFilter:
    """The filter of the schema's input. Raises InvalidInput, NotFound."""
    price = given.price
    currency: str | None = price.currency_code if price else None
    return ProductFilter(
        brand_ids=tuple(BrandId(key_of(each, "Brand", "filter.brandIds")) for each in given.brand_ids or ()),
        seller_id=SellerId(key_of(given.seller_id, "Seller", "filter.sellerId")) if given.seller_id else None,
        price_min=minor(price.min, price.currency_code) if price else None,
        price_max=minor(price.max, price.currency_code) if price else None,
        currency=currency,
        in_stock=given.in_stock,
        on_sale=given.on_sale,
        statuses=tuple(ProductStatus(each) for each in given.status or ()),
        text=given.text,
        attributes=tuple(Attribute(each.name, each.value) for each in given.attributes or ()),
    )


def minor(amount: Decimal | None, currency: str) -> int | None:
    """A bound of a price. Raises InvalidInput."""
    if amount is None:
        return None
    if currency not in MINOR_DIGITS:
        raise InvalidInput(key="price_currency", currency=currency, field=("filter", "price", "currencyCode"))
    try:
        return minor_units(amount, currency)
    except ValueError as error:
        raise InvalidInput(key="price_unpayable", field=("filter", "price")) from error


async def category(info: Info, category_id: str | None, slug: str | None) -> Category | None:
    if (category_id is None) == (slug is None):
        raise InvalidInput(key="category_reference")
    tree = await info.context.services.catalog.category_tree()
    if slug is not None:
        return tree.by_slug.get(slug)
    return tree.by_id.get(CategoryId(key_of(category_id or "", "Category", "id")))


async def categories(info: Info) -> Sequence[Category]:
    return (await info.context.services.catalog.category_tree()).roots


async def brand(info: Info, brand_id: str) -> Brand | None:
    found: Brand | None = await info.context.loaders.load("brands", key_of(brand_id, "Brand", "id"))
    return found


async def brands(info: Info, paging: Paging) -> Page[Brand]:
    return await info.context.services.catalog.brands(PageRequest.of(BRANDS_ORDER, *paging))


async def seller(info: Info, seller_id: str) -> Seller | None:
    found: Seller | None = await info.context.loaders.load("sellers", key_of(seller_id, "Seller", "id"))
    return found


def _key(type_name: str) -> Callable[[Mapping[str, Any]], UUID | None]:
    """The key of the argument `id`, where that is the only one. What is no id is left to the resolver to refuse."""

    def key(arguments: Mapping[str, Any]) -> UUID | None:
        given = {name: value for name, value in arguments.items() if value is not None}
        decoded = decode(given["id"]) if given.keys() == {"id"} else None
        return decoded[1] if decoded and decoded[0] == type_name else None

    return key


def _saw(context: Context, product_id: ProductId) -> None:
    context.services.viewed.saw(context.viewer, product_id)


FINDS_PRODUCT = Finds(_key("Product"), _saw)
FINDS_CATEGORY, FINDS_BRAND, FINDS_SELLER = Finds(_key("Category")), Finds(_key("Brand")), Finds(_key("Seller"))
