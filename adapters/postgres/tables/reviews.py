"""Reviews, and the ratings that follow from them."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from adapters.postgres.tables.base import keyed, metadata, timestamp

reviews = keyed(
    "reviews",
    "reviews",
    Column("user_id", Uuid),
    Column("product_id", Uuid),
    Column("order_item_id", Uuid),
    Column("rating", Integer),
    Column("title", Text),
    Column("comment", Text),
    Column("images", JSONB),
    Column("helpful_count", Integer),
    Column("is_verified_purchase", Boolean),
    timestamp("created_at"),
    timestamp("updated_at"),
)
seller_reviews = keyed(
    "reviews",
    "seller_reviews",
    Column("user_id", Uuid),
    Column("seller_id", Uuid),
    Column("order_id", Uuid),
    Column("rating", Integer),
    Column("comment", Text),
    timestamp("created_at"),
    timestamp("updated_at"),
)
product_ratings = Table(
    "product_ratings",
    metadata,
    Column("product_id", Uuid, primary_key=True),
    Column("rating_count", Integer),
    Column("rating_total", BigInteger),
    schema="reviews",
)
