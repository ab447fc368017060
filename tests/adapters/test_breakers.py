"""What keeps failing is left alone: after five failures in a row, for half a minute, and then one may try.

Stripe's is in tests/payments/test_settlements.py, OpenSearch's in test_opensearch_client.py, and those of a worker's loops, which rest
by themselves, in tests/events/test_breakers.py.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from adapters.aws.clients import COGNITO, DYNAMODB, Aws
from adapters.breaker import FAILURES_TO_OPEN, OPEN_FOR_S, Breaker
from adapters.redis.client import Missed, RedisClient, connect
from domain.shared.refusals import Unavailable
from settings import Settings
from tests.relay import Fault, Relay, aws_service, relayed
from tests.watch import Seconds

PATIENT_MS = 20_000
AWAY = Missed, Unavailable


@dataclass
class BackEnd:
    """`ask` is one small question, answered or Missed or Unavailable."""

    relay: Relay
    breaker: Breaker
    clock: Seconds
    ask: Callable[[], Awaitable[Any]]

    async def fail(self, times: int) -> None:
        for _ in range(times):
            self.clock.now += 1
            with pytest.raises(AWAY):
                await self.ask()


@asynccontextmanager
async def redis(settings: Settings) -> AsyncIterator[BackEnd]:
    clock = Seconds()
    async with relayed(settings.redis_url.get_secret_value()) as (relay, url):
        client = RedisClient(connect(url, timeout_ms=PATIENT_MS), timeout_ms=PATIENT_MS, breaker=Breaker(clock))
        yield BackEnd(relay, client._breaker, clock, lambda: client.call("ECHO", "here"))
        await client.redis.aclose()


@asynccontextmanager
async def aws_of(
    settings: Settings, service: str, timeout_ms: int
) -> AsyncIterator[tuple[Relay, Aws, Breaker, Seconds]]:
    clock = Seconds()
    breaker = Breaker(clock)
    async with (
        relayed(f"{settings.aws_endpoint_url}/", aws_service) as (relay, url),
        Aws(settings.aws_region, url, timeout_ms, services=(service,), breakers={service: breaker}) as aws,
    ):
        yield relay, aws, breaker, clock


@asynccontextmanager
async def dynamodb(settings: Settings, timeout_ms: int = PATIENT_MS) -> AsyncIterator[BackEnd]:
    async with aws_of(settings, DYNAMODB, timeout_ms) as (relay, aws, breaker, clock):

        async def ask() -> None:
            async with aws.calling(DYNAMODB):
                await aws.dynamodb.list_tables(Limit=1)

        yield BackEnd(relay, breaker, clock, ask)


@asynccontextmanager
async def cognito(settings: Settings) -> AsyncIterator[BackEnd]:
    async with aws_of(settings, COGNITO, PATIENT_MS) as (relay, aws, breaker, clock):

        async def ask() -> None:
            async with aws.calling(COGNITO):
                await aws.cognito.list_user_pools(MaxResults=1)

        yield BackEnd(relay, breaker, clock, ask)


@pytest.mark.parametrize("opened", [redis, dynamodb, cognito])
async def test_it_opens_after_five_failures_and_lets_one_try_half_a_minute_later(
    settings: Settings, opened: Callable[[Settings], AbstractAsyncContextManager[BackEnd]]
) -> None:
    async with opened(settings) as back_end:
        await back_end.ask()
        await back_end.relay.begin(Fault.DOWN)
        await back_end.fail(FAILURES_TO_OPEN - 1)
        assert not back_end.breaker.has_opened
        await back_end.fail(1)
        assert back_end.breaker.has_opened

        back_end.clock.now += OPEN_FOR_S
        await back_end.fail(1)  # the one that may try: in vain
        await back_end.relay.end()
        heard = back_end.relay.heard
        await back_end.fail(1)
        assert back_end.relay.heard == heard  # it is back, and still left alone

        back_end.clock.now += OPEN_FOR_S
        both = await asyncio.gather(back_end.ask(), back_end.ask(), return_exceptions=True)
        assert [isinstance(each, AWAY) for each in both] == [False, True]
        assert not back_end.breaker.has_opened
        await back_end.ask()


async def test_an_answer_that_says_no_is_none_of_its_failures(settings: Settings) -> None:
    async with aws_of(settings, DYNAMODB, PATIENT_MS) as (_, aws, breaker, clock):
        for code, raised in (("ThrottlingException", Unavailable), ("ConditionalCheckFailedException", ClientError)):
            for _ in range(FAILURES_TO_OPEN):
                clock.now += 1
                with pytest.raises(raised):
                    async with aws.calling(DYNAMODB):
                        raise _answered(code, 400)
            assert not breaker.has_opened
        for _ in range(FAILURES_TO_OPEN):
            clock.now += 1
            with pytest.raises(Unavailable):
                async with aws.calling(DYNAMODB):
                    raise _answered("InternalServerError", 500)
        assert breaker.has_opened


def _answered(code: str, status: int) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Query")  # type: ignore[typeddict-item]


async def test_a_call_that_was_given_up_late_is_held_against_it_and_one_given_up_early_is_not(
    settings: Settings,
) -> None:
    async with dynamodb(settings, timeout_ms=100) as back_end:
        await back_end.relay.begin(Fault.HALF_OPEN)
        for given_up_s, opens in ((0.0, False), (0.06, True)):
            for _ in range(FAILURES_TO_OPEN):
                back_end.clock.now += 1
                with pytest.raises((TimeoutError, Unavailable)):  # Unavailable: so slow is the machine
                    async with asyncio.timeout(given_up_s):
                        await back_end.ask()
            assert back_end.breaker.has_opened == opens
