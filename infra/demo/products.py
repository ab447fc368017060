"""Rows of products, their variations and images."""

from collections.abc import Iterator

from infra.demo.categories import CategoryKeys
from infra.demo.dice import dice, key
from infra.demo.listings import Listing, Listings
from infra.demo.rows import Row

PRODUCTS_COLUMNS = (
    "id", "seller_id", "category_id", "brand_id", "sku", "slug", "name", "description", "base_price", "sale_price",
    "stock_quantity", "status", "attributes", "shipping_info", "published_at", "created_at", "updated_at",
)  # fmt: skip
VARIATIONS_COLUMNS = (
    "id", "product_id", "seller_id", "sku", "name", "attributes", "price_adjustment",
    "stock_quantity", "created_at", "updated_at",
)  # fmt: skip
IMAGES_COLUMNS = ("id", "product_id", "image_url", "alt_text", "sort_order", "is_primary", "created_at")
BULKY_FEE = 1_650
"""Shipping of furniture, whatever the shop asks for small things. In yen."""
VIEWS = ("", "(別の角度)", "(使用イメージ)", "(細部)")


def product_rows(seed: int, listings: Listings, keys: CategoryKeys) -> Iterator[Row]:
    for listing in listings:
        brand = listing.wording.brand
        yield (
            listing.id, listing.shop.id, keys.leaves[listing.leaf.slug], keys.brands[brand.ascii] if brand else None,
            listing.sku, listing.slug, listing.name, description_of(seed, listing), listing.base_price, listing.sale_price,
            listing.stock, listing.status, attributes_of(seed, listing), shipping_of(listing), listing.published_at,
            listing.created_at, listing.published_at or listing.created_at,
        )  # fmt: skip


def variation_rows(listings: Listings) -> Iterator[Row]:
    for listing in listings:
        for kind in listing.kinds:
            yield (
                kind.id, listing.id, listing.shop.id, kind.sku, kind.name, kind.values, kind.extra,
                kind.stock, listing.created_at, listing.created_at,
            )  # fmt: skip


def image_rows(seed: int, listings: Listings) -> Iterator[Row]:
    for listing in listings:
        for number in range(1, listing.images + 1):
            yield (
                key(listing.created_at, seed, "image", listing.index, number), listing.id,
                f"/images/products/{listing.id}/{number}.svg", f"{listing.name} {VIEWS[number - 1]}".rstrip(),
                number - 1, number == 1, listing.created_at,
            )  # fmt: skip


def description_of(seed: int, listing: Listing) -> str:
    """Two to four sentences: what it is, what is good about it, and what else there is to know."""
    random = dice(seed, "description", listing.index)
    leaf, wording = listing.leaf, listing.wording
    maker = wording.brand.text if wording.brand else listing.shop.about.name
    opening = random.choice(leaf.openings).format(maker=maker, item=wording.item, place=listing.shop.about.prefecture)
    features = random.sample(leaf.features, 1 + (random.random() < 0.5))
    closing = [random.choice(leaf.closings)] if random.random() < 0.8 else []
    return "".join([opening, *features, *closing])


def attributes_of(seed: int, listing: Listing) -> dict[str, str]:
    random = dice(seed, "attributes", listing.origin)
    found = {name: random.choice(values) for name, values in listing.leaf.attributes.items()}
    if listing.wording.variant:
        found[listing.leaf.axis] = listing.wording.variant
    if listing.wording.color:
        found["色"] = listing.wording.color
    return found


def shipping_of(listing: Listing) -> dict[str, object]:
    shop = listing.shop
    return {
        "ships_from": shop.about.prefecture,
        "days_min": shop.days_min,
        "days_max": shop.days_max,
        "fee": shipping_fee(listing),
        "free_over": shop.free_over,
    }


def shipping_fee(listing: Listing) -> int:
    return BULKY_FEE if listing.leaf.department.bulky else listing.shop.fee
