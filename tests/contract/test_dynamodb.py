"""What every adapter on DynamoDB relies on: tables, batches within its limits, outages that are named in time."""

import asyncio
import time
from typing import Any

import pytest

from adapters.aws.clients import Aws
from adapters.dynamodb.backoff import ATTEMPTS
from adapters.dynamodb.batch import Item, batch_delete, batch_get, batch_put
from adapters.dynamodb.carts import DynamoCarts
from adapters.dynamodb.tables import CARTS, FEATURES, ensure_tables
from domain.carts.changes import Decision
from domain.carts.model import Cart, CartOwner, OwnerKind
from domain.shared.ids import uuid7
from domain.shared.refusals import Unavailable
from settings import Settings
from tests.watch import Watch

OWNER = CartOwner(OwnerKind.GUEST, uuid7())


class Busy(Aws):
    """DynamoDB under load: the first `times` batches are done in part, but for their last half. Keeps page sizes."""

    def __init__(self, settings: Settings, times: int) -> None:
        super().__init__(settings.aws_region, settings.aws_endpoint_url, timeout_ms=30_000)
        self.times = times
        self.pages: list[int] = []

    @property
    def dynamodb(self) -> Any:
        return self

    async def batch_get_item(self, RequestItems: Item) -> Item:  # noqa: N803
        [(table, request)] = RequestItems.items()
        now, later = self._split(request["Keys"])
        answer: Item = await super().dynamodb.batch_get_item(RequestItems={table: {"Keys": now}})
        return answer | {"UnprocessedKeys": {table: {"Keys": later}} if later else {}}

    async def batch_write_item(self, RequestItems: Item) -> Item:  # noqa: N803
        [(table, requests)] = RequestItems.items()
        now, later = self._split(requests)
        answer: Item = await super().dynamodb.batch_write_item(RequestItems={table: now})
        return answer | {"UnprocessedItems": {table: later} if later else {}}

    def _split(self, page: list[Item]) -> tuple[list[Item], list[Item]]:
        self.pages.append(len(page))
        self.times -= 1
        half = len(page) if self.times < 0 or len(page) == 1 else len(page) // 2
        return page[:half], page[half:]


def item(key: str) -> Item:
    return {"product_id": {"S": key}, "model": {"S": "batch"}, "scored": {"B": b""}}


@pytest.fixture
def table(settings: Settings) -> str:
    return FEATURES.named(settings.dynamodb_table_prefix)


class TestBatches:
    async def test_any_number_of_keys_comes_back_in_their_order(self, aws: Aws, table: str) -> None:
        keys = [f"batch-{uuid7()}" for _ in range(250)]
        await batch_put(aws, table, [item(key) for key in keys])
        asked = [*keys[::-1], "batch-missing", keys[7], keys[7]]
        found = await batch_get(aws, table, "product_id", asked)
        assert [each and each["product_id"]["S"] for each in found] == [*keys[::-1], None, keys[7], keys[7]]
        await batch_delete(aws, table, [{"product_id": {"S": key}} for key in keys])
        assert await batch_get(aws, table, "product_id", keys) == [None] * 250

    async def test_no_keys_are_no_call(self, settings: Settings, table: str) -> None:
        async with Busy(settings, times=0) as busy:
            assert await batch_get(busy, table, "product_id", []) == []
            await batch_put(busy, table, [])
            assert busy.pages == []

    async def test_what_was_not_processed_is_asked_for_again(self, settings: Settings, table: str) -> None:
        keys = [f"batch-{uuid7()}" for _ in range(130)]
        async with Busy(settings, times=4) as busy:
            await batch_put(busy, table, [item(key) for key in keys])
            assert max(busy.pages) == 25
            assert len(busy.pages) > 6
            busy.times, busy.pages = 3, []
            found = await batch_get(busy, table, "product_id", keys)
            assert [each and each["product_id"]["S"] for each in found] == keys
            assert max(busy.pages) == 100
            assert len(busy.pages) == 5

    async def test_batches_that_never_get_done_are_an_outage(self, settings: Settings, table: str) -> None:
        async with Busy(settings, times=1000) as busy:
            keys = [f"batch-{uuid7()}" for _ in range(100)]
            with pytest.raises(Unavailable):
                await batch_get(busy, table, "product_id", keys)
            assert len(busy.pages) == ATTEMPTS


async def test_tables_are_made_once_and_expire_where_the_document_says(aws: Aws, settings: Settings) -> None:
    prefix = settings.dynamodb_table_prefix
    await ensure_tables(aws, prefix)
    described = (await aws.dynamodb.describe_table(TableName=CARTS.named(prefix)))["Table"]
    assert [(key["AttributeName"], key["KeyType"]) for key in described["KeySchema"]] == [
        ("user_id", "HASH"),
        ("product_id", "RANGE"),
    ]
    assert described["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    expiry = (await aws.dynamodb.describe_time_to_live(TableName=CARTS.named(prefix)))["TimeToLiveDescription"]
    assert expiry == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}


def nothing(_: Cart) -> Decision:
    return Decision()


class TestAway:
    async def test_a_closed_port_is_an_outage_within_the_time_limit(
        self, settings: Settings, aws: Aws, unused_tcp_port: int
    ) -> None:
        async with Aws(settings.aws_region, f"http://127.0.0.1:{unused_tcp_port}", timeout_ms=300) as away:
            started = time.perf_counter()
            with pytest.raises(Unavailable) as refused:
                await DynamoCarts(away, "", Watch()).cart(OWNER)
            assert time.perf_counter() - started < 15  # the driver by itself would take a minute
        assert refused.value.retryable

    async def test_one_that_never_answers_is_an_outage_within_the_time_limit(
        self, settings: Settings, aws: Aws
    ) -> None:
        given_up = asyncio.Event()

        async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await given_up.wait()
            writer.close()

        async with await asyncio.start_server(never, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with Aws(settings.aws_region, f"http://127.0.0.1:{port}", timeout_ms=300) as away:
                started = time.perf_counter()
                with pytest.raises(Unavailable):
                    await DynamoCarts(away, "", Watch()).change(OWNER, nothing)
                assert time.perf_counter() - started < 15  # the driver by itself would take a minute
            given_up.set()
