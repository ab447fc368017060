"""Sellers, and what the public may know of them."""

from sqlalchemy import Column, Numeric, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from adapters.postgres.tables.base import keyed, metadata, timestamp

sellers = keyed(
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
    timestamp("approved_at"),
    timestamp("created_at"),
    timestamp("updated_at"),
    Column("registration_number", Text),
)
seller_profiles = keyed(
    "sellers",
    "seller_profiles",
    Column("seller_id", Uuid),
    Column("description", Text),
    Column("logo_url", Text),
    Column("banner_url", Text),
    Column("business_hours", JSONB),
    Column("shipping_policies", JSONB),
    Column("return_policies", JSONB),
    timestamp("created_at"),
    timestamp("updated_at"),
)
members = Table(
    "members",
    metadata,
    Column("seller_id", Uuid, primary_key=True),
    Column("user_id", Uuid, primary_key=True),
    timestamp("created_at"),
    schema="sellers",
)
public_profiles = keyed(
    "sellers",
    "public_profiles",
    Column("company_name", Text),
    Column("company_name_kana", Text),
    Column("description", Text),
    Column("logo_url", Text),
    Column("banner_url", Text),
    timestamp("approved_at"),
)
"""A view: what the public sees of active sellers."""
shipping_terms = keyed("sellers", "shipping_terms", Column("shipping_policies", JSONB))
"""A view: what active sellers take for carriage."""
