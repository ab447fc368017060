"""The tables as SQLAlchemy Core sees them, a module a schema. Their truth is in the migrations; a test holds the two together."""

from adapters.postgres.tables.accounts import addresses, authors, favorites, user_profiles, users
from adapters.postgres.tables.base import metadata
from adapters.postgres.tables.catalog import (
    brands,
    categories,
    low_stock,
    product_images,
    product_texts,
    product_variations,
    products,
)
from adapters.postgres.tables.events import captures, deliveries, mails, outbox, stream_places, streams, untold
from adapters.postgres.tables.housekeeping import idempotency_keys, job_runs
from adapters.postgres.tables.orders import (
    checkouts,
    order_addresses,
    order_item_status_histories,
    order_items,
    order_moves,
    order_numbers,
    order_payments,
    order_sellers,
    order_status_histories,
    order_taxes,
    orders,
    refund_parts,
    refunds,
    reservations,
    returns,
)
from adapters.postgres.tables.payments import ledger_entries, ledger_transactions, refunds_made_there, webhook_events
from adapters.postgres.tables.reviews import product_ratings, reviews, seller_reviews
from adapters.postgres.tables.search import moments
from adapters.postgres.tables.sellers import members, public_profiles, seller_profiles, sellers, shipping_terms

__all__ = [
    "addresses",
    "authors",
    "brands",
    "captures",
    "categories",
    "checkouts",
    "deliveries",
    "favorites",
    "idempotency_keys",
    "job_runs",
    "ledger_entries",
    "ledger_transactions",
    "low_stock",
    "mails",
    "members",
    "metadata",
    "moments",
    "order_addresses",
    "order_item_status_histories",
    "order_items",
    "order_moves",
    "order_numbers",
    "order_payments",
    "order_sellers",
    "order_status_histories",
    "order_taxes",
    "orders",
    "outbox",
    "product_images",
    "product_ratings",
    "product_texts",
    "product_variations",
    "products",
    "public_profiles",
    "refund_parts",
    "refunds",
    "refunds_made_there",
    "reservations",
    "returns",
    "reviews",
    "seller_profiles",
    "seller_reviews",
    "sellers",
    "shipping_terms",
    "stream_places",
    "streams",
    "untold",
    "user_profiles",
    "users",
    "webhook_events",
]
