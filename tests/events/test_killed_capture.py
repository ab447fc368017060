"""A worker that captures changes and ends with -9 between any two lines: no change is missing on the stream."""

from pathlib import Path
from typing import Any
from uuid import uuid4

from adapters.aws.clients import KINESIS
from adapters.aws.kinesis import KinesisStream, ensure_stream
from adapters.debezium import change_of
from composition.capturing import change_log, drop_capture
from composition.cloud import open_aws
from composition.pipeline import EventTools
from domain.capture.model import Change, Operation
from domain.capture.service import Capture
from tests.events.conftest import with_settings
from tests.events.killed import BRAND
from tests.events.test_killed import KILLS, killed


async def on_stream(aws: Any, name: str) -> list[Change]:
    """All that was put there."""
    found: list[Change] = []
    for shard in (await aws.kinesis.list_shards(StreamName=name))["Shards"]:
        where = {"StreamName": name, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        iterator = (await aws.kinesis.get_shard_iterator(**where))["ShardIterator"]
        while records := (answer := await aws.kinesis.get_records(ShardIterator=iterator))["Records"]:
            found += [change_of(each["Data"]) for each in records]
            iterator = answer["NextShardIterator"]
    return found


async def test_a_capture_that_is_killed_anywhere_loses_no_change(
    tools: EventTools, worker: Any, corner: dict[str, str], tmp_path: Path
) -> None:
    name, kills = uuid4().hex[:12], KILLS * 3 // 4
    tools = with_settings(tools, capture_stream=f"t-{name}", capture_slot=f"t_{name}")
    own = {"TORII_CAPTURE_STREAM": f"t-{name}", "TORII_CAPTURE_SLOT": f"t_{name}"}
    log = change_log(tools.settings)
    async with open_aws(tools.settings, 30_000, (KINESIS,)) as aws:
        await ensure_stream(aws, tools.settings.capture_stream)
        await Capture(log, KinesisStream(aws, tools.settings.capture_stream)).pump()  # the rows of before
        await log.close()
        before = {row["id"] for row in await worker.fetch("SELECT id FROM catalog.brands WHERE name = $1", BRAND)}
        count, lines = await killed({**corner, **own}, tools, tmp_path, "capture", kills)
        assert lines > 50
        assert count == kills
        while await Capture(log, KinesisStream(aws, tools.settings.capture_stream)).pump():
            pass
        told = await on_stream(aws, tools.settings.capture_stream)
        await aws.kinesis.delete_stream(StreamName=tools.settings.capture_stream)
    await log.close()
    await drop_capture(tools.settings)
    made = {row["id"] for row in await worker.fetch("SELECT id FROM catalog.brands WHERE name = $1", BRAND)} - before
    assert len(made) == kills + 1
    positions = [
        {each.position for each in told if each.operation is Operation.CREATE and each.key["id"] == str(brand)}
        for brand in made
    ]
    assert [len(each) for each in positions] == [1] * len(made)  # told once or more, each time at the same position
    assert len(told) > len({(each.table, str(each.key), each.position) for each in told})
