"""Changes on their way from the database over a stream to the index and the lake, on the embedded servers."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pyarrow import parquet

from adapters.aws.clients import KINESIS, S3
from adapters.aws.kinesis import KinesisStream, ensure_stream
from adapters.postgres.database import Database
from composition.capturing import CaptureWork, drop_capture, open_capture, run_capture, state_of_capture
from composition.cloud import open_aws
from composition.search_index import open_index
from composition.search_upkeep import marketplace_documents
from domain.capture.model import Change, Operation
from domain.search.model import SearchScope
from domain.search.request import SearchRequest, SearchSort
from domain.search.service import Search
from domain.shared.clock import SystemClock
from domain.shared.paging import PageRequest
from infra.worker import Stop
from settings import Settings
from tests.events.conftest import until
from tests.postgres.shop import Shop, connect


@pytest.fixture
async def captured(settings: Settings, tmp_path: Path) -> AsyncIterator[Settings]:
    """Settings with a stream, a slot, a lake and an index of the test's own."""
    name = uuid4().hex[:12]
    own = {
        "capture_stream": f"t-{name}",
        "capture_slot": f"t_{name}",
        "lake_bucket": f"t-{name}",
        "search_index_dir": tmp_path / "search",
    }
    settings = settings.model_copy(update=own)
    async with open_aws(settings, 30_000, (KINESIS, S3)) as aws:
        await aws.s3.create_bucket(
            Bucket=own["lake_bucket"], CreateBucketConfiguration={"LocationConstraint": settings.aws_region}
        )
        await ensure_stream(aws, settings.capture_stream)
        yield settings
        await aws.kinesis.delete_stream(StreamName=settings.capture_stream)
    await drop_capture(settings)


@pytest.fixture
async def shop(captured: Settings) -> AsyncIterator[Shop]:
    url = captured.database_worker_url.get_secret_value()
    connection = await connect(url, synchronous_commit="on")  # decoding goes as far as the log is flushed
    yield Shop(connection)
    await connection.close()


async def build_index(settings: Settings) -> None:
    database = Database(settings.database_worker_url.get_secret_value(), pool_size=1, timeout_ms=30_000)
    async with open_index(settings) as index:
        await Search(index).reindex(marketplace_documents(database), lambda _: None)
    await database.close()


async def all_told(work: CaptureWork) -> None:
    while await work.capture.pump():
        pass


async def all_followed(work: CaptureWork) -> int:
    done = 0
    for following in work.following.values():
        while found := await following.follow():
            done += found
    return done


async def in_lake(settings: Settings) -> dict[str, list[dict[str, Any]]]:
    """Rows of each file."""
    found = {}
    async with open_aws(settings, 30_000, (S3,)) as aws:
        for each in (await aws.s3.list_objects_v2(Bucket=settings.lake_bucket)).get("Contents", []):
            body = await (await aws.s3.get_object(Bucket=settings.lake_bucket, Key=each["Key"]))["Body"].read()
            found[each["Key"]] = parquet.read_table(io.BytesIO(body)).to_pylist()
    return found


async def finds(settings: Settings, text: str) -> list[Any]:
    async with open_index(settings) as index:
        page = await index.search(SearchRequest.of(text), PageRequest.of(SearchSort.RELEVANCE.order))
        assert isinstance(page.scope, SearchScope)
        return [hit.product_id for hit in page.nodes]


async def test_a_change_reaches_index_and_lake_and_what_was_read_does_not_come_again(
    captured: Settings, shop: Shop
) -> None:
    seller, category = await shop.seller(), await shop.category()
    await build_index(captured)
    async with open_capture(captured) as work:
        await all_told(work)
        await all_followed(work)
        mark = f"茶筅 {uuid4().hex[:12]}"
        key = await shop.product(seller, category, name=mark)
        await all_told(work)
        assert await all_followed(work) >= 2
        assert await finds(captured, mark) == [key]

        await shop.connection.execute("UPDATE catalog.products SET status = 'discontinued' WHERE id = $1", key)
        await all_told(work)
        await all_followed(work)
        assert await finds(captured, mark) == []
        assert await all_followed(work) == 0
    files = await in_lake(captured)
    rows = [row for name, rows in files.items() if "table=catalog.products/" in name for row in rows]
    mine = sorted((row for row in rows if row["id"] == str(key)), key=lambda row: row["_position"])
    assert [(row["_op"], row["status"]) for row in mine] == [("c", "active"), ("u", "discontinued")]
    assert mine[0]["created_at"].tzinfo is not None
    assert mine[0]["version"] < mine[1]["version"]


async def test_a_stream_that_is_gone_is_made_again_and_read_from_its_beginning(captured: Settings, shop: Shop) -> None:
    async with open_capture(captured) as work, open_aws(captured, 30_000, (KINESIS,)) as aws:
        await all_told(work)
        await all_followed(work)
        await aws.kinesis.delete_stream(StreamName=captured.capture_stream)
        await work.ensure()
        at = SystemClock().now()
        lost = Change("catalog.brands", Operation.CREATE, {"id": "1"}, None, {"id": "1"}, 1, 1, at)
        await KinesisStream(aws, captured.capture_stream).put([lost])
        assert await all_followed(work) == 2  # by each of two followers


async def test_a_worker_captures_by_itself_and_is_told_to_stop(captured: Settings, shop: Shop) -> None:
    stop = Stop()
    seller, category = await shop.seller(), await shop.category()
    await build_index(captured)
    async with asyncio.timeout(120), asyncio.TaskGroup() as group:
        group.create_task(run_capture(captured, stop, 10))
        mark = f"急須 {uuid4().hex[:12]}"
        key = await shop.product(seller, category, name=mark)

        async def is_found() -> bool:
            return await finds(captured, mark) == [key]

        await until(is_found, 60)
        stop.ask()
    state = await state_of_capture(captured)
    assert (state.is_there, state.is_lost) == (True, False)
