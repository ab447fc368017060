"""Products, and what orders them."""

from sqlalchemy import ARRAY, CHAR, BigInteger, Boolean, Column, Computed, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from adapters.postgres.tables.base import keyed, metadata, timestamp

categories = keyed(
    "catalog",
    "categories",
    Column("parent_id", Uuid),
    Column("name", Text),
    Column("slug", Text),
    Column("icon_url", Text),
    Column("sort_order", Integer),
    Column("is_active", Boolean),
    timestamp("created_at"),
    timestamp("updated_at"),
    Column("tax_class", Text),
)
brands = keyed(
    "catalog",
    "brands",
    Column("name", Text),
    Column("name_kana", Text),
    Column("logo_url", Text),
    Column("is_active", Boolean),
    timestamp("created_at"),
    timestamp("updated_at"),
)
products = keyed(
    "catalog",
    "products",
    Column("seller_id", Uuid),
    Column("category_id", Uuid),
    Column("brand_id", Uuid),
    Column("sku", Text),
    Column("slug", Text),
    Column("name", Text),
    Column("description", Text),
    Column("currency", CHAR(3)),
    Column("base_price", BigInteger),
    Column("sale_price", BigInteger),
    Column("effective_price", BigInteger, Computed("coalesce(sale_price, base_price)")),
    Column("stock_quantity", Integer),
    Column("status", Text),
    Column("attributes", JSONB),
    Column("shipping_info", JSONB),
    Column("version", BigInteger),
    timestamp("published_at"),
    timestamp("created_at"),
    timestamp("updated_at"),
    Column("reserved_quantity", Integer),
    Column("sellable_quantity", Integer, Computed("greatest(stock_quantity - reserved_quantity, 0)")),
)
product_images = keyed(
    "catalog",
    "product_images",
    Column("product_id", Uuid),
    Column("image_url", Text),
    Column("alt_text", Text),
    Column("sort_order", Integer),
    Column("is_primary", Boolean),
    timestamp("created_at"),
)
product_variations = keyed(
    "catalog",
    "product_variations",
    Column("product_id", Uuid),
    Column("seller_id", Uuid),
    Column("sku", Text),
    Column("name", Text),
    Column("attributes", JSONB),
    Column("price_adjustment", BigInteger),
    Column("stock_quantity", Integer),
    Column("is_active", Boolean),
    timestamp("created_at"),
    timestamp("updated_at"),
    Column("reserved_quantity", Integer),
    Column("sellable_quantity", Integer, Computed("greatest(stock_quantity - reserved_quantity, 0)")),
)
low_stock = Table(
    "low_stock", metadata, Column("product_id", Uuid, primary_key=True), timestamp("since"), schema="catalog"
)
product_texts = Table(
    "product_texts",
    metadata,
    Column("product_id", Uuid, primary_key=True),
    Column("name", Text),
    Column("labels", Text),
    Column("grams", ARRAY(Text)),
    schema="catalog",
)
"""What shown products are found by while the search index is away."""
