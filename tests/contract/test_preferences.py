"""The port PreferenceStore, on DynamoDB."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.aws.clients import Aws
from adapters.dynamodb.preferences import DynamoPreferences
from adapters.dynamodb.tables import USER_PREFERENCES
from domain.accounts.preferences import NotificationSettings, Preferences, PrivacySettings
from domain.shared.ids import UserId, uuid7
from domain.shared.languages import Language
from settings import Settings

AT = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
FIRST = Preferences(Language.EN, "USD", NotificationSettings(promotions=True), version=1, updated_at=AT)
PRIVATE = replace(FIRST, privacy=PrivacySettings(keeps_view_history=False), version=2)


@pytest.fixture
def store(aws: Aws, settings: Settings) -> DynamoPreferences:
    return DynamoPreferences(aws, settings.dynamodb_table_prefix)


@pytest.fixture
def user() -> UserId:
    return UserId(uuid7())


async def test_who_chose_nothing_has_the_defaults(store: DynamoPreferences, user: UserId) -> None:
    assert await store.of(user) == Preferences()
    assert Preferences().language is Language.JA


async def test_what_was_stored_is_read_whole(store: DynamoPreferences, user: UserId) -> None:
    assert await store.store(user, FIRST)
    assert await store.of(user) == FIRST
    assert await store.store(user, PRIVATE)
    assert await store.of(user) == PRIVATE


async def test_another_version_is_not_overwritten(store: DynamoPreferences, user: UserId) -> None:
    await store.store(user, FIRST)
    assert not await store.store(user, replace(FIRST, currency="GBP"))
    assert not await store.store(user, replace(FIRST, currency="GBP", version=3))
    assert await store.of(user) == FIRST


async def test_what_is_sent_again_by_the_client_library_is_no_conflict(store: DynamoPreferences, user: UserId) -> None:
    assert await store.store(user, FIRST)
    assert await store.store(user, FIRST)


async def test_one_of_many_at_once_is_stored(store: DynamoPreferences, user: UserId) -> None:
    wishes = [replace(FIRST, currency=currency) for currency in ("JPY", "USD", "EUR", "GBP", "KRW")]
    stored = await asyncio.gather(*(store.store(user, wish) for wish in wishes))
    assert [wish for wish, done in zip(wishes, stored, strict=True) if done] == [await store.of(user)]


async def test_many_are_read_in_the_order_of_their_ids(store: DynamoPreferences, user: UserId) -> None:
    await store.store(user, FIRST)
    nobody = UserId(uuid7())
    assert await store.of_many([nobody, user, nobody]) == [Preferences(), FIRST, Preferences()]
    assert await store.of_many([]) == []


async def test_what_is_forgotten_is_gone_and_may_be_forgotten_again(store: DynamoPreferences, user: UserId) -> None:
    await store.store(user, FIRST)
    for _ in range(2):
        await store.forget(user)
        assert await store.of(user) == Preferences()


async def test_it_lies_as_the_document_says(
    store: DynamoPreferences, user: UserId, aws: Aws, settings: Settings
) -> None:
    await store.store(user, FIRST)
    table, key = USER_PREFERENCES.named(settings.dynamodb_table_prefix), {"user_id": {"S": str(user)}}
    item: Any = (await aws.dynamodb.get_item(TableName=table, Key=key))["Item"]
    assert {name: next(iter(value)) for name, value in item.items()} == {
        "user_id": "S",
        "language": "S",
        "currency": "S",
        "notification_settings": "M",
        "privacy_settings": "M",
        "recommendation_preferences": "M",
        "updated_at": "N",
        "version": "N",
    }


async def test_a_setting_that_came_later_has_its_default_and_one_that_went_is_passed_over(
    store: DynamoPreferences, user: UserId, aws: Aws, settings: Settings
) -> None:
    await store.store(user, FIRST)
    await aws.dynamodb.update_item(
        TableName=USER_PREFERENCES.named(settings.dynamodb_table_prefix),
        Key={"user_id": {"S": str(user)}},
        UpdateExpression="SET notification_settings = :n",
        ExpressionAttributeValues={":n": {"M": {"promotions": {"BOOL": True}, "fax": {"BOOL": True}}}},
    )
    assert await store.of(user) == FIRST
