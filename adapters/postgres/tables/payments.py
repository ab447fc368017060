"""The ledger, and what Stripe tells."""

from sqlalchemy import CHAR, BigInteger, Column, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSON

from adapters.postgres.tables.base import keyed, metadata, timestamp

ledger_transactions = keyed(
    "payments",
    "ledger_transactions",
    Column("kind", Text),
    Column("key", Text),
    Column("order_id", Uuid),
    Column("seller_id", Uuid),
    Column("refund_id", Uuid),
    Column("currency", CHAR(3)),
    timestamp("created_at"),
    Column("dispute_id", Uuid),
)
ledger_entries = Table(
    "ledger_entries",
    metadata,
    Column("transaction_id", Uuid, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("amount", BigInteger),
    schema="payments",
)
refunds_made_there = Table(
    "refunds_made_there",
    metadata,
    Column("provider_id", Text, primary_key=True),
    Column("order_id", Uuid),
    Column("amount", BigInteger),
    Column("currency", CHAR(3)),
    Column("unbooked", BigInteger),
    timestamp("created_at"),
    timestamp("failed_at"),
    schema="payments",
)
webhook_events = keyed(
    "payments",
    "webhook_events",
    Column("event_id", Text),
    Column("type", Text),
    Column("payload", JSON),
    timestamp("received_at"),
    timestamp("handled_at"),
    Column("attempts", Integer),
    timestamp("try_at"),
    Column("outcome", Text),
    Column("problem", Text),
)
