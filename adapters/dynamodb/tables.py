"""The tables, as section 3 of the database document has them.

Differences on purpose: names carry a prefix, so that several environments fit into one account; the Carts table has one
more item a cart, its header (see carts.py); Sessions has an index by user and three more attributes (see sessions.py);
Features is ours, the document has no table for models.
"""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from adapters.aws.clients import DYNAMODB, Aws, error_code
from domain.shared.refusals import Unavailable

TTL_ATTRIBUTE = "expires_at"


@dataclass(frozen=True, slots=True)
class Index:
    """A global secondary index with all attributes: its keys are a string and a number. It lags behind by some milliseconds."""

    name: str
    partition_key: str
    sort_key: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table's keys, all of them strings. `expires`: DynamoDB deletes items some time after their `expires_at`."""

    name: str
    partition_key: str
    sort_key: str | None = None
    expires: bool = False
    index: Index | None = None

    def named(self, prefix: str) -> str:
        return prefix + self.name


CARTS = Table("Carts", "user_id", "product_id", expires=True)
FEATURES = Table("Features", "product_id")
SESSIONS = Table(
    "Sessions", "session_id", expires=True, index=Index("by_user", partition_key="user_id", sort_key="last_seen_at")
)
USER_PREFERENCES = Table("UserPreferences", "user_id")

TABLES = (CARTS, FEATURES, SESSIONS, USER_PREFERENCES)


async def ensure_tables(aws: Aws, prefix: str) -> None:
    """Create what is missing and wait until it can be used; what is there is left alone. Raises Unavailable."""
    for table in TABLES:
        await _ensure(aws, table, table.named(prefix))


async def _ensure(aws: Aws, table: Table, name: str) -> None:
    types = {table.partition_key: "S"} | ({table.sort_key: "S"} if table.sort_key else {})
    schema = _key_schema(*types)
    indexes: dict[str, Any] = {}
    if table.index:
        types |= {table.index.partition_key: "S", table.index.sort_key: "N"}
        keys = _key_schema(table.index.partition_key, table.index.sort_key)
        projection = {"ProjectionType": "ALL"}
        indexes["GlobalSecondaryIndexes"] = [
            {"IndexName": table.index.name, "KeySchema": keys, "Projection": projection}
        ]
    try:
        async with aws.calling(DYNAMODB):
            await aws.dynamodb.create_table(
                TableName=name,
                BillingMode="PAY_PER_REQUEST",
                KeySchema=schema,
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in types.items()],
                **indexes,
            )
    except ClientError as error:
        if error_code(error) != "ResourceInUseException":
            raise
    # AWS takes some seconds to make a table, longer than a call may: waiting has a limit of its own
    await aws.dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    if table.expires:
        await _ensure_expiry(aws, name)


def _key_schema(*keys: str) -> list[dict[str, str]]:
    return [{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)]


async def _ensure_expiry(aws: Aws, name: str) -> None:
    async with aws.calling(DYNAMODB):
        found = await aws.dynamodb.describe_time_to_live(TableName=name)
        if found["TimeToLiveDescription"]["TimeToLiveStatus"] in ("ENABLED", "ENABLING"):
            return  # enabling it twice is an error
        await aws.dynamodb.update_time_to_live(
            TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": TTL_ATTRIBUTE}
        )


async def check_tables(aws: Aws, prefix: str) -> str:
    """How many of our tables are there. Raises Unavailable, also for one that is missing."""
    for table in TABLES:
        try:
            async with aws.calling(DYNAMODB):
                await aws.dynamodb.describe_table(TableName=table.named(prefix))
        except ClientError as error:
            if error_code(error) == "ResourceNotFoundException":
                raise Unavailable(f"table {table.named(prefix)}") from error
            raise
    return f"{len(TABLES)} tables"
