"""Calls that were carried out once, and jobs that ran."""

from sqlalchemy import BigInteger, Column, LargeBinary, Table, Text, Uuid

from adapters.postgres.tables.base import metadata, timestamp

idempotency_keys = Table(
    "keys",
    metadata,
    Column("principal", Text, primary_key=True),
    Column("mutation", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", LargeBinary),
    Column("result", Uuid),
    timestamp("created_at"),
    schema="idempotency",
)
job_runs = Table(
    "runs",
    metadata,
    Column("job", Text, primary_key=True),
    timestamp("started_at"),
    timestamp("ended_at"),
    Column("outcome", Text),
    Column("count", BigInteger),
    Column("error", Text),
    schema="jobs",
)
