"""The port SessionStore, on DynamoDB alone and with Redis in front of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from adapters.aws.clients import Aws
from adapters.breaker import Breaker
from adapters.dynamodb.sessions import PAGE, DynamoSessions
from adapters.dynamodb.tables import SESSIONS
from adapters.redis.client import RedisClient, connect
from adapters.redis.sessions import CachedSessions
from domain.accounts.model import SESSION_IDLE, SESSION_LIFE, Device, SessionState, Sighting
from domain.accounts.ports import SessionStore
from domain.accounts.refusals import SessionNotFound
from domain.shared.ids import SessionId, UserId, uuid7
from domain.shared.refusals import Unavailable
from settings import Settings
from tests.relay import relayed
from tests.watch import Watch

PHONE = Device("203.0.113.7", "Mozilla/5.0 (iPhone; …)")


def new(watch: Watch, user_id: UserId | None = None, device: Device = PHONE) -> Sighting:
    """A session of its own, seen now."""
    now = watch.now()
    return Sighting(SessionId(uuid4()), user_id or UserId(uuid7()), now - timedelta(seconds=2), now, device)


@pytest.fixture
def dynamodb(aws: Aws, settings: Settings, watch: Watch) -> DynamoSessions:
    return DynamoSessions(aws, settings.dynamodb_table_prefix, watch)


@asynccontextmanager
async def redis_at(url: str, timeout_ms: int = 5_000) -> AsyncIterator[RedisClient]:
    client = connect(url, timeout_ms=timeout_ms)
    never_open = Breaker(clock=lambda: float("inf"))
    yield RedisClient(client, timeout_ms=timeout_ms, breaker=never_open)
    await client.aclose()


@pytest.fixture
async def redis(settings: Settings) -> AsyncIterator[RedisClient]:
    async with redis_at(settings.redis_url.get_secret_value()) as client:
        yield client


@pytest.fixture
def cached(dynamodb: DynamoSessions, redis: RedisClient) -> CachedSessions:
    return CachedSessions(dynamodb, redis)


@pytest.fixture(params=["dynamodb", "cached"])
def store(request: pytest.FixtureRequest, dynamodb: DynamoSessions, cached: CachedSessions) -> SessionStore:
    return dynamodb if request.param == "dynamodb" else cached


async def state(store: SessionStore, sighting: Sighting) -> Any:
    [found] = await store.states([sighting.session_id])
    return found


class TestEveryStore:
    async def test_a_session_is_known_once_it_was_seen(self, store: SessionStore, watch: Watch) -> None:
        session = new(watch)
        assert await state(store, session) is None
        assert not (await store.seen(session)).is_revoked
        known = await state(store, session)
        assert not known.is_revoked
        assert abs(known.last_seen_at - session.at) <= timedelta(seconds=1)

    async def test_states_come_in_the_order_of_the_ids(self, store: SessionStore, watch: Watch) -> None:
        sessions = [new(watch) for _ in range(130)]
        for each in sessions[::10]:
            await store.seen(each)
        found = await store.states([each.session_id for each in sessions])
        assert [each is not None for each in found] == [number % 10 == 0 for number in range(130)]

    async def test_a_revoked_session_stays_revoked_whatever_comes(self, store: SessionStore, watch: Watch) -> None:
        session = new(watch)
        await store.seen(session)
        await store.revoke(session.session_id, session.user_id, watch.now())
        assert (await state(store, session)).is_revoked
        assert (await store.seen(session)).is_revoked
        assert (await state(store, session)).is_revoked
        watch.wind(timedelta(days=30, hours=1, minutes=1))  # the last moment at which a token of it may come
        assert (await store.seen(replace(session, at=watch.now()))).is_revoked
        assert (await state(store, session)).is_revoked

    async def test_ending_it_again_is_no_error_and_keeps_the_first_end(self, store: SessionStore, watch: Watch) -> None:
        session = new(watch)
        await store.seen(session)
        first = await store.revoke(session.session_id, session.user_id, watch.now())
        again = await store.revoke(session.session_id, session.user_id, watch.now())
        assert (first.created_at, first.last_seen_at) == (session.signed_in_at, session.at)
        assert (first.ip_address, first.user_agent) == (PHONE.ip_address, PHONE.user_agent)  # as it was
        assert again == replace(first, ip_address=None, user_agent=None)  # which is then forgotten

    async def test_another_users_session_cannot_be_ended(self, store: SessionStore, watch: Watch) -> None:
        session = new(watch)
        await store.seen(session)
        with pytest.raises(SessionNotFound):
            await store.revoke(session.session_id, UserId(uuid7()), watch.now())
        with pytest.raises(SessionNotFound):
            await store.revoke(SessionId(uuid4()), session.user_id, watch.now())
        assert not (await state(store, session)).is_revoked

    async def test_a_user_sees_what_has_not_ended_the_last_used_first(self, store: SessionStore, watch: Watch) -> None:
        user_id = UserId(uuid7())
        ended, old, bare, latest = (new(watch, user_id, device) for device in (PHONE, PHONE, Device(), PHONE))
        await store.seen(new(watch))
        await store.seen(ended)
        await store.revoke(ended.session_id, user_id, watch.now())
        await store.seen(old)
        watch.wind(SESSION_IDLE)
        await store.seen(replace(bare, at=watch.now()))
        watch.wind(timedelta(seconds=1))
        await store.seen(replace(latest, at=watch.now()))
        found = await store.of_user(user_id, 10)
        assert [each.id for each in found] == [latest.session_id, bare.session_id, old.session_id]
        assert [(each.ip_address, each.user_agent) for each in found[:2]] == [
            (PHONE.ip_address, PHONE.user_agent),
            (None, None),
        ]
        assert [each.id for each in await store.of_user(user_id, 1)] == [latest.session_id]

    async def test_a_session_that_goes_on_keeps_when_it_began(self, store: SessionStore, watch: Watch) -> None:
        session = new(watch)
        await store.seen(session)
        watch.wind(timedelta(minutes=5))
        later = replace(session, at=watch.now(), signed_in_at=watch.now(), device=Device("198.51.100.1", "another"))
        await store.seen(later)
        [found] = await store.of_user(session.user_id, 10)
        assert (found.created_at, found.last_seen_at) == (session.signed_in_at, watch.now())
        assert (found.ip_address, found.user_agent) == ("198.51.100.1", "another")


class TestDynamoDB:
    async def test_an_item_is_as_the_document_says(
        self, dynamodb: DynamoSessions, aws: Aws, settings: Settings, watch: Watch
    ) -> None:
        session = new(watch)
        await dynamodb.seen(session)
        table = SESSIONS.named(settings.dynamodb_table_prefix)
        key = {"session_id": {"S": str(session.session_id)}}
        item = (await aws.dynamodb.get_item(TableName=table, Key=key))["Item"]
        document = {"session_id", "user_id", "data", "created_at", "expires_at", "ip_address", "user_agent"}
        assert item.keys() == document | {"last_seen_at"}
        assert item["data"] == {"M": {}}
        assert int(item["expires_at"]["N"]) == int((session.signed_in_at + SESSION_LIFE).timestamp())
        await dynamodb.revoke(session.session_id, session.user_id, watch.now())
        item = (await aws.dynamodb.get_item(TableName=table, Key=key))["Item"]
        assert int(item["expires_at"]["N"]) == int((watch.now() + SESSION_LIFE).timestamp())

    async def test_another_user_cannot_go_on_with_a_session(self, dynamodb: DynamoSessions, watch: Watch) -> None:
        session = new(watch)
        await dynamodb.seen(session)
        assert (await dynamodb.seen(replace(session, user_id=UserId(uuid7())))).is_revoked
        assert not (await state(dynamodb, session)).is_revoked

    async def test_a_session_is_over_before_it_is_deleted(self, dynamodb: DynamoSessions, watch: Watch) -> None:
        session = new(watch)
        await dynamodb.seen(session)
        watch.wind(SESSION_LIFE - timedelta(seconds=3))
        assert await state(dynamodb, session) == SessionState(session.at)
        assert [each.id for each in await dynamodb.of_user(session.user_id, 10)] == [session.session_id]
        watch.wind(timedelta(seconds=2))
        assert await state(dynamodb, session) is None
        assert await dynamodb.of_user(session.user_id, 10) == []

    async def test_many_that_were_ended_hide_none_that_was_not(self, dynamodb: DynamoSessions, watch: Watch) -> None:
        user_id = UserId(uuid7())
        oldest = new(watch, user_id)
        await dynamodb.seen(oldest)
        watch.wind(timedelta(minutes=1))
        ended = [new(watch, user_id) for _ in range(PAGE + 1)]
        await asyncio.gather(*(dynamodb.seen(each) for each in ended))
        await asyncio.gather(*(dynamodb.revoke(each.session_id, user_id, watch.now()) for each in ended))
        assert [each.id for each in await dynamodb.of_user(user_id, 10)] == [oldest.session_id]


class TestRedisInFront:
    async def test_what_redis_knows_is_not_asked_of_the_store(
        self, redis: RedisClient, cached: CachedSessions, watch: Watch
    ) -> None:
        session, ended = new(watch), new(watch)
        await cached.seen(session)
        await cached.seen(ended)
        await cached.revoke(ended.session_id, ended.user_id, watch.now())
        alone = CachedSessions(Away(), redis)
        found = await alone.states([session.session_id, SessionId(uuid4()), ended.session_id])
        assert isinstance(found[1], Unavailable)  # that one alone
        assert [isinstance(each, SessionState) and each.is_revoked for each in found] == [False, False, True]

    async def test_it_forgets_what_was_idle_for_half_an_hour(
        self, redis: RedisClient, cached: CachedSessions, watch: Watch
    ) -> None:
        session = new(watch)
        await cached.seen(session)
        assert 1790 < await redis.redis.ttl(f"torii:{{sessions}}:{session.session_id}") <= 1800

    async def test_a_slow_reader_does_not_bring_an_ended_session_back(
        self, dynamodb: DynamoSessions, redis: RedisClient, cached: CachedSessions, watch: Watch
    ) -> None:
        session = new(watch)
        await dynamodb.seen(session)

        class Slow(DynamoSessions):
            """Between its read and its answer the session is ended by another process."""

            async def states(self, ids: Any) -> Any:
                found = await dynamodb.states(ids)
                await cached.revoke(session.session_id, session.user_id, watch.now())
                return found

        slow = CachedSessions(Slow(Away(), "", watch), redis)  # type: ignore[arg-type]
        assert not (await state(slow, session)).is_revoked  # what it had read
        assert (await state(slow, session)).is_revoked

    async def test_without_redis_the_store_is_asked(
        self, dynamodb: DynamoSessions, settings: Settings, watch: Watch
    ) -> None:
        session = new(watch)
        async with relayed(settings.redis_url.get_secret_value()) as (relay, url), redis_at(url, 200) as redis:
            cached = CachedSessions(dynamodb, redis)
            relay.flowing.clear()
            assert await state(cached, session) is None
            await cached.seen(session)
            assert not (await state(cached, session)).is_revoked
            await cached.revoke(session.session_id, session.user_id, watch.now())
            assert (await state(cached, session)).is_revoked
            relay.flowing.set()

    async def test_redis_hears_of_an_ended_session_when_it_is_back(
        self, dynamodb: DynamoSessions, cached: CachedSessions, settings: Settings, watch: Watch
    ) -> None:
        session, other = new(watch), new(watch)
        await cached.seen(session)  # Redis says that it is alive
        async with relayed(settings.redis_url.get_secret_value()) as (relay, url), redis_at(url, 200) as redis:
            ours = CachedSessions(dynamodb, redis)
            relay.flowing.clear()
            await ours.revoke(session.session_id, session.user_id, watch.now())
            assert not (await state(cached, session)).is_revoked  # others still believe Redis
            relay.flowing.set()
            await state(ours, other)
        assert (await state(cached, session)).is_revoked

    async def test_the_next_write_of_its_use_corrects_redis(
        self, dynamodb: DynamoSessions, cached: CachedSessions, watch: Watch
    ) -> None:
        session = new(watch)
        await cached.seen(session)
        await dynamodb.revoke(
            session.session_id, session.user_id, watch.now()
        )  # and the process ended before Redis heard
        assert not (await state(cached, session)).is_revoked
        await cached.seen(session)
        assert (await state(cached, session)).is_revoked

    async def test_with_both_away_nobody_knows(self, settings: Settings, unused_tcp_port: int, watch: Watch) -> None:
        away = Aws(settings.aws_region, f"http://127.0.0.1:{unused_tcp_port}", timeout_ms=300)
        async with away, redis_at(f"redis://127.0.0.1:{unused_tcp_port}/0") as redis:
            with pytest.raises(Unavailable):
                await CachedSessions(DynamoSessions(away, "", watch), redis).states([new(watch).session_id])


class Away:
    """A store that is down."""

    async def states(self, ids: Any) -> Any:
        raise Unavailable("DynamoDB")

    seen = revoke = of_user = states
