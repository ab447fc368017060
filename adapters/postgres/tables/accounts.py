"""People, and what is theirs."""

from sqlalchemy import Boolean, Column, Date, Integer, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from adapters.postgres.tables.base import keyed, timestamp

users = keyed(
    "accounts",
    "users",
    Column("cognito_sub", Text),
    Column("email", Text),
    Column("phone_number", Text),
    timestamp("email_verified_at"),
    timestamp("created_at"),
    timestamp("updated_at"),
    Column("status", Text),
    timestamp("signed_out_at"),
    timestamp("deletion_requested_at"),
    timestamp("deleted_at"),
    Column("leaving_sub", Text),
    Column("signed_out_except", Uuid),
    Column("is_admin", Boolean),
    Column("suspension_reason", Text),
)
user_profiles = keyed(
    "accounts",
    "user_profiles",
    Column("user_id", Uuid),
    Column("display_name", Text),
    Column("avatar_url", Text),
    Column("birth_date", Date),
    Column("gender", Text),
    Column("preferences", JSONB),
    timestamp("created_at"),
    timestamp("updated_at"),
    Column("version", Integer),
)
addresses = keyed(
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
    timestamp("created_at"),
    timestamp("updated_at"),
    Column("recipient_name", Text),
    Column("version", Integer),
)
favorites = keyed("accounts", "favorites", Column("user_id", Uuid), Column("product_id", Uuid), timestamp("created_at"))
authors = keyed("accounts", "authors", Column("display_name", Text), Column("avatar_url", Text))
"""A view: what the public sees of those who wrote something."""
