"""Preferences in DynamoDB, after section 3.3 of the database document. The attribute `version` is ours."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from adapters.aws.clients import DYNAMODB, Aws, error_code
from adapters.dynamodb.batch import Item, batch_get
from adapters.dynamodb.cart_items import instant, number
from adapters.dynamodb.tables import USER_PREFERENCES
from domain.accounts.preferences import (
    NotificationSettings,
    Preferences,
    PrivacySettings,
    RecommendationSettings,
)
from domain.shared.ids import UserId
from domain.shared.languages import Language

G = TypeVar("G")


class DynamoPreferences:
    """The port PreferenceStore on the table `{prefix}UserPreferences`."""

    def __init__(self, aws: Aws, prefix: str) -> None:
        self._aws = aws
        self._table = USER_PREFERENCES.named(prefix)

    async def of(self, user_id: UserId) -> Preferences:
        async with self._aws.calling(DYNAMODB):
            answer = await self._aws.dynamodb.get_item(
                TableName=self._table,
                Key={"user_id": {"S": str(user_id)}},
                ConsistentRead=True,  # whoever chose must see it
            )
        return preferences_of(answer.get("Item"))

    async def of_many(self, user_ids: Sequence[UserId]) -> Sequence[Preferences]:
        found = await batch_get(self._aws, self._table, "user_id", [str(each) for each in user_ids])
        return [preferences_of(item) for item in found]

    async def store(self, user_id: UserId, preferences: Preferences) -> bool:
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(user_id)"}
        if preferences.version > 1:
            condition = {
                "ConditionExpression": "version = :before",
                "ExpressionAttributeValues": {":before": number(preferences.version - 1)},
            }
        try:
            async with self._aws.calling(DYNAMODB):
                await self._aws.dynamodb.put_item(
                    TableName=self._table, Item=item_of(user_id, preferences), **condition
                )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            # The client library sends again what was not answered: then it was ourselves who were faster.
            return await self.of(user_id) == preferences
        return True

    async def forget(self, user_id: UserId) -> None:
        async with self._aws.calling(DYNAMODB):
            await self._aws.dynamodb.delete_item(TableName=self._table, Key={"user_id": {"S": str(user_id)}})


def item_of(user_id: UserId, preferences: Preferences) -> Item:
    assert preferences.updated_at is not None
    return {
        "user_id": {"S": str(user_id)},
        "language": {"S": preferences.language.value},
        "currency": {"S": preferences.currency},
        "notification_settings": _map(preferences.notifications),
        "privacy_settings": _map(preferences.privacy),
        "recommendation_preferences": _map(preferences.recommendations),
        "version": number(preferences.version),
        "updated_at": instant(preferences.updated_at),
    }


def preferences_of(item: Item | None) -> Preferences:
    if item is None:
        return Preferences()
    return Preferences(
        Language(item["language"]["S"]),
        item["currency"]["S"],
        _group(NotificationSettings, item["notification_settings"]),
        _group(PrivacySettings, item["privacy_settings"]),
        _group(RecommendationSettings, item["recommendation_preferences"]),
        int(item["version"]["N"]),
        datetime.fromtimestamp(float(item["updated_at"]["N"]), UTC),
    )


def _map(group: Any) -> Item:
    return {"M": {name: {"BOOL": value} for name, value in asdict(group).items()}}


def _group(kind: type[G], value: Item) -> G:
    """What is stored of a group; the default for a setting that came later."""
    names = {each.name for each in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: each["BOOL"] for name, each in value["M"].items() if name in names})
