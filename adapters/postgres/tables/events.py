"""Events on their way, and the mails that some of them become."""

from sqlalchemy import BigInteger, Column, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from adapters.postgres.tables.base import keyed, metadata, timestamp

outbox = keyed(
    "events",
    "outbox",
    Column("type", Text),
    Column("aggregate_type", Text),
    Column("aggregate_id", Uuid),
    Column("payload", JSONB),
    timestamp("created_at"),
    timestamp("sent_at"),
    Column("stream", Text),
    Column("sequence", BigInteger),
    Column("once", Text),
    Column("attempts", Integer),
    timestamp("try_at"),
    timestamp("done_at"),
)
deliveries = Table(
    "deliveries",
    metadata,
    Column("consumer", Text, primary_key=True),
    Column("event_id", Uuid, primary_key=True),
    timestamp("processed_at"),
    timestamp("failed_at"),
    Column("attempts", Integer),
    Column("reason", Text),
    Column("returned", Integer),
    Column("sent_again", Integer),
    timestamp("sent_again_at"),
    timestamp("reopened_at"),
    schema="events",
)
mails = keyed(
    "notifications",
    "mails",
    Column("key", Text),
    Column("template", Text),
    Column("language", Text),
    Column("user_id", Uuid),
    timestamp("begun_at"),
    timestamp("sent_at"),
    Column("message_id", Text),
    Column("order_id", Uuid),
    Column("seller_id", Uuid),
)
streams = Table(
    "streams",
    metadata,
    Column("stream", Text, primary_key=True),
    Column("last", BigInteger),
    timestamp("used_at"),
    schema="events",
)
untold = Table("untold", metadata, Column("event_id", Uuid, primary_key=True), schema="events")
"""Events of streams that those who watch have still to be told of."""

captures = Table("captures", metadata, Column("slot", Text, primary_key=True), timestamp("told_at"), schema="events")
stream_places = Table(
    "stream_places",
    metadata,
    Column("reader", Text, primary_key=True),
    Column("shard", Text, primary_key=True),
    Column("place", Text),
    timestamp("reached_at"),
    schema="events",
)
"""How far each reader of a stream has come."""
