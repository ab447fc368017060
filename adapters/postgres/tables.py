"""The tables as SQLAlchemy Core sees them. Their truth is in the migrations; a test holds the two together."""

from sqlalchemy import (
    CHAR,
    BigInteger,
    Boolean,
    Column,
    Computed,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSON, JSONB

metadata = MetaData()


def _time(name: str) -> Column[object]:
    return Column(name, DateTime(timezone=True))


def _table(schema: str, name: str, *columns: Column[object]) -> Table:
    return Table(name, metadata, Column("id", Uuid, primary_key=True), *columns, schema=schema)


users = _table(
    "accounts",
    "users",
    Column("cognito_sub", Text),
    Column("email", Text),
    Column("phone_number", Text),
    _time("email_verified_at"),
    _time("created_at"),
    _time("updated_at"),
    Column("status", Text),
    _time("signed_out_at"),
    _time("deletion_requested_at"),
    _time("deleted_at"),
    Column("leaving_sub", Text),
    Column("signed_out_except", Uuid),
    Column("is_admin", Boolean),
)
user_profiles = _table(
    "accounts",
    "user_profiles",
    Column("user_id", Uuid),
    Column("display_name", Text),
    Column("avatar_url", Text),
    Column("birth_date", Date),
    Column("gender", Text),
    Column("preferences", JSONB),
    _time("created_at"),
    _time("updated_at"),
    Column("version", Integer),
)
addresses = _table(
    "accounts",
    "addresses",
    Column("user_id", Uuid),
    Column("postal_code", Text),
    Column("prefecture", Text),
    Column("city", Text),
    Column("address_line1", Text),
    Column("address_line2", Text),
    Column("phone_number", Text),
    Column("is_default", Boolean),
    _time("created_at"),
    _time("updated_at"),
    Column("recipient_name", Text),
    Column("version", Integer),
)
favorites = _table("accounts", "favorites", Column("user_id", Uuid), Column("product_id", Uuid), _time("created_at"))
authors = _table("accounts", "authors", Column("display_name", Text), Column("avatar_url", Text))
"""A view: what the public sees of those who wrote something."""

idempotency_keys = Table(
    "keys",
    metadata,
    Column("principal", Text, primary_key=True),
    Column("mutation", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", LargeBinary),
    Column("result", Uuid),
    _time("created_at"),
    schema="idempotency",
)

sellers = _table(
    "sellers",
    "sellers",
    Column("company_name", Text),
    Column("company_name_kana", Text),
    Column("email", Text),
    Column("phone_number", Text),
    Column("postal_code", Text),
    Column("address", Text),
    Column("business_license_number", Text),
    Column("status", Text),
    Column("commission_rate", Numeric(5, 4)),
    _time("approved_at"),
    _time("created_at"),
    _time("updated_at"),
    Column("registration_number", Text),
)
seller_profiles = _table(
    "sellers",
    "seller_profiles",
    Column("seller_id", Uuid),
    Column("description", Text),
    Column("logo_url", Text),
    Column("banner_url", Text),
    Column("business_hours", JSONB),
    Column("shipping_policies", JSONB),
    Column("return_policies", JSONB),
    _time("created_at"),
    _time("updated_at"),
)
members = Table(
    "members",
    metadata,
    Column("seller_id", Uuid, primary_key=True),
    Column("user_id", Uuid, primary_key=True),
    _time("created_at"),
    schema="sellers",
)
public_profiles = _table(
    "sellers",
    "public_profiles",
    Column("company_name", Text),
    Column("company_name_kana", Text),
    Column("description", Text),
    Column("logo_url", Text),
    Column("banner_url", Text),
    _time("approved_at"),
)
"""A view: what the public sees of active sellers."""
shipping_terms = _table("sellers", "shipping_terms", Column("shipping_policies", JSONB))
"""A view: what active sellers take for carriage."""

categories = _table(
    "catalog",
    "categories",
    Column("parent_id", Uuid),
    Column("name", Text),
    Column("slug", Text),
    Column("icon_url", Text),
    Column("sort_order", Integer),
    Column("is_active", Boolean),
    _time("created_at"),
    _time("updated_at"),
    Column("tax_class", Text),
)
brands = _table(
    "catalog",
    "brands",
    Column("name", Text),
    Column("name_kana", Text),
    Column("logo_url", Text),
    Column("is_active", Boolean),
    _time("created_at"),
    _time("updated_at"),
)
products = _table(
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
    _time("published_at"),
    _time("created_at"),
    _time("updated_at"),
    Column("reserved_quantity", Integer),
    Column("sellable_quantity", Integer, Computed("greatest(stock_quantity - reserved_quantity, 0)")),
)
product_images = _table(
    "catalog",
    "product_images",
    Column("product_id", Uuid),
    Column("image_url", Text),
    Column("alt_text", Text),
    Column("sort_order", Integer),
    Column("is_primary", Boolean),
    _time("created_at"),
)
product_variations = _table(
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
    _time("created_at"),
    _time("updated_at"),
    Column("reserved_quantity", Integer),
    Column("sellable_quantity", Integer, Computed("greatest(stock_quantity - reserved_quantity, 0)")),
)

orders = _table(
    "orders",
    "orders",
    Column("order_number", Text),
    Column("user_id", Uuid),
    Column("shipping_address_id", Uuid),
    Column("currency", CHAR(3)),
    Column("subtotal", BigInteger),
    Column("tax_amount", BigInteger),
    Column("shipping_fee", BigInteger),
    Column("total_amount", BigInteger),
    Column("status", Text),
    Column("metadata", JSONB),
    _time("ordered_at"),
    _time("created_at"),
    _time("updated_at"),
    Column("guest_id", Uuid),
    Column("cart_owner", Text),
    _time("expires_at"),
    Column("version", Integer),
)
order_items = _table(
    "orders",
    "order_items",
    Column("order_id", Uuid),
    Column("product_id", Uuid),
    Column("product_variation_id", Uuid),
    Column("seller_id", Uuid),
    Column("product_name", Text),
    Column("currency", CHAR(3)),
    Column("quantity", Integer),
    Column("unit_price", BigInteger),
    Column("total_price", BigInteger),
    Column("fulfillment_status", Text),
    Column("metadata", JSONB),
    _time("created_at"),
    _time("updated_at"),
    Column("variation_name", Text),
    Column("sku", Text),
    Column("tax_percent", Integer),
    Column("version", Integer),
    Column("carrier", Text),
    Column("tracking_number", Text),
    _time("shipped_at"),
    _time("delivered_at"),
)
order_payments = _table(
    "orders",
    "order_payments",
    Column("order_id", Uuid),
    Column("stripe_payment_intent_id", Text),
    Column("amount", BigInteger),
    Column("currency", CHAR(3)),
    Column("status", Text),
    Column("payment_method_details", JSONB),
    _time("paid_at"),
    _time("created_at"),
    _time("updated_at"),
    Column("intent_attempt", Integer),
    _time("check_at"),
)
order_status_histories = _table(
    "orders",
    "order_status_histories",
    Column("order_id", Uuid),
    Column("status", Text),
    Column("note", Text),
    Column("changed_by", Uuid),
    _time("created_at"),
    Column("changed_as", Text),
)

order_numbers = Table(
    "order_numbers",
    metadata,
    Column("order_number", Text, primary_key=True),
    Column("order_id", Uuid),
    schema="orders",
)
checkouts = Table(
    "checkouts",
    metadata,
    Column("cart_owner", Text, primary_key=True),
    Column("cart_id", Uuid, primary_key=True),
    Column("cart_version", BigInteger, primary_key=True),
    Column("order_id", Uuid),
    _time("created_at"),
    schema="orders",
)
reservations = _table(
    "orders",
    "reservations",
    Column("order_id", Uuid),
    Column("product_id", Uuid),
    Column("product_variation_id", Uuid),
    Column("quantity", Integer),
    _time("expires_at"),
    Column("state", Text),
    _time("created_at"),
    _time("settled_at"),
)
order_sellers = Table(
    "order_sellers",
    metadata,
    Column("order_id", Uuid, primary_key=True),
    Column("seller_id", Uuid, primary_key=True),
    Column("seller_name", Text),
    Column("registration_number", Text),
    Column("currency", CHAR(3)),
    Column("subtotal", BigInteger),
    Column("shipping_fee", BigInteger),
    Column("total", BigInteger),
    Column("commission_rate_bp", Integer),
    Column("commission", BigInteger),
    _time("created_at"),
    schema="orders",
)
order_taxes = Table(
    "order_taxes",
    metadata,
    Column("order_id", Uuid, primary_key=True),
    Column("seller_id", Uuid, primary_key=True),
    Column("percent", Integer, primary_key=True),
    Column("taxable", BigInteger),
    Column("tax", BigInteger),
    schema="orders",
)
order_addresses = Table(
    "order_addresses",
    metadata,
    Column("order_id", Uuid, primary_key=True),
    Column("recipient_name", Text),
    Column("postal_code", Text),
    Column("prefecture", Text),
    Column("city", Text),
    Column("address_line1", Text),
    Column("address_line2", Text),
    Column("phone_number", Text),
    Column("email", Text),
    Column("language", Text),
    _time("created_at"),
    schema="orders",
)
"""The mail address is read by `torii_till` and workers alone."""

order_moves = Table(
    "moves",
    metadata,
    Column("machine", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    schema="orders",
)
order_item_status_histories = _table(
    "orders",
    "order_item_status_histories",
    Column("order_item_id", Uuid),
    Column("status", Text),
    Column("note", Text),
    Column("changed_by", Uuid),
    Column("changed_as", Text),
    _time("created_at"),
)
returns = _table(
    "orders",
    "returns",
    Column("order_item_id", Uuid),
    Column("order_id", Uuid),
    Column("seller_id", Uuid),
    Column("quantity", Integer),
    Column("reason", Text),
    Column("comment", Text),
    Column("status", Text),
    Column("note", Text),
    Column("is_restocked", Boolean),
    Column("version", Integer),
    _time("created_at"),
    _time("updated_at"),
)
refunds = _table(
    "orders",
    "refunds",
    Column("order_id", Uuid),
    Column("payment_id", Uuid),
    Column("seller_id", Uuid),
    Column("return_id", Uuid),
    Column("amount", BigInteger),
    Column("currency", CHAR(3)),
    Column("reason", Text),
    Column("borne_by", Text),
    Column("note", Text),
    Column("status", Text),
    Column("provider_id", Text),
    Column("requested_by", Uuid),
    Column("requested_as", Text),
    _time("created_at"),
    _time("settled_at"),
    Column("attempt", Integer),
    _time("try_at"),
    Column("problem", Text),
)
refund_parts = _table(
    "orders",
    "refund_parts",
    Column("refund_id", Uuid),
    Column("order_item_id", Uuid),
    Column("quantity", Integer),
    Column("amount", BigInteger),
    Column("tax_percent", Integer),
)

ledger_transactions = _table(
    "payments",
    "ledger_transactions",
    Column("kind", Text),
    Column("key", Text),
    Column("order_id", Uuid),
    Column("seller_id", Uuid),
    Column("refund_id", Uuid),
    Column("currency", CHAR(3)),
    _time("created_at"),
)
ledger_entries = Table(
    "ledger_entries",
    metadata,
    Column("transaction_id", Uuid, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("amount", BigInteger),
    schema="payments",
)
webhook_events = _table(
    "payments",
    "webhook_events",
    Column("event_id", Text),
    Column("type", Text),
    Column("payload", JSON),
    _time("received_at"),
    _time("handled_at"),
    Column("attempts", Integer),
    _time("try_at"),
    Column("outcome", Text),
    Column("problem", Text),
)

reviews = _table(
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
    _time("created_at"),
    _time("updated_at"),
)
seller_reviews = _table(
    "reviews",
    "seller_reviews",
    Column("user_id", Uuid),
    Column("seller_id", Uuid),
    Column("order_id", Uuid),
    Column("rating", Integer),
    Column("comment", Text),
    _time("created_at"),
    _time("updated_at"),
)
product_ratings = Table(
    "product_ratings",
    metadata,
    Column("product_id", Uuid, primary_key=True),
    Column("rating_count", Integer),
    Column("rating_total", BigInteger),
    schema="reviews",
)

outbox = _table(
    "events",
    "outbox",
    Column("type", Text),
    Column("aggregate_type", Text),
    Column("aggregate_id", Uuid),
    Column("payload", JSONB),
    _time("created_at"),
    _time("sent_at"),
    Column("stream", Text),
    Column("sequence", BigInteger),
    Column("once", Text),
    Column("attempts", Integer),
    _time("try_at"),
    _time("done_at"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("consumer", Text, primary_key=True),
    Column("event_id", Uuid, primary_key=True),
    _time("processed_at"),
    _time("failed_at"),
    Column("attempts", Integer),
    Column("reason", Text),
    Column("returned", Integer),
    Column("sent_again", Integer),
    _time("sent_again_at"),
    _time("reopened_at"),
    schema="events",
)

mails = _table(
    "notifications",
    "mails",
    Column("key", Text),
    Column("template", Text),
    Column("language", Text),
    Column("user_id", Uuid),
    _time("begun_at"),
    _time("sent_at"),
    Column("message_id", Text),
    Column("order_id", Uuid),
    Column("seller_id", Uuid),
)

streams = Table(
    "streams",
    metadata,
    Column("stream", Text, primary_key=True),
    Column("last", BigInteger),
    _time("used_at"),
    schema="events",
)

low_stock = Table("low_stock", metadata, Column("product_id", Uuid, primary_key=True), _time("since"), schema="catalog")

untold = Table("untold", metadata, Column("event_id", Uuid, primary_key=True), schema="events")
"""Events of streams that those who watch have still to be told of."""

job_runs = Table(
    "runs",
    metadata,
    Column("job", Text, primary_key=True),
    _time("started_at"),
    _time("ended_at"),
    Column("outcome", Text),
    Column("count", BigInteger),
    Column("error", Text),
    schema="jobs",
)
