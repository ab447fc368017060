"""A Kinesis stream: changes put on it, and read off it shard by shard."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

from botocore.exceptions import ClientError

from adapters.aws.clients import KINESIS, Aws, error_code
from adapters.debezium import MalformedChange, change_of, key_of, record_of
from domain.capture.model import Change
from domain.capture.ports import ReadBatch
from domain.events.ports import PlacesAreGone
from domain.shared.refusals import Unavailable

log = logging.getLogger("torii.capture")

AT_ONCE, BYTES_AT_ONCE = 500, 4_500_000
"""What one PutRecords takes, a little rounded down."""
ATTEMPTS = 5
READ_AT_ONCE = 1_000
LOOKS_AT_ONCE, BETWEEN_LOOKS_S = 100, 0.25
"""How often a shard is looked at further on where nothing came back; it may be read five times a second."""
END = "END"
"""The place of a shard that was closed and read to its end."""
MAKING_S = 60


async def ensure_stream(aws: Aws, name: str) -> None:
    """Made, on demand, where it is not there; ready when it returns. Raises Unavailable."""
    try:
        async with aws.calling(KINESIS):
            await aws.kinesis.create_stream(StreamName=name, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    except ClientError as error:
        if error_code(error) != "ResourceInUseException":
            raise
    async with asyncio.timeout(MAKING_S):
        while True:
            async with aws.calling(KINESIS):
                told = await aws.kinesis.describe_stream_summary(StreamName=name)
            if told["StreamDescriptionSummary"]["StreamStatus"] in ("ACTIVE", "UPDATING"):
                return
            await asyncio.sleep(1)


@asynccontextmanager
async def _there(aws: Aws) -> AsyncIterator[Any]:
    """Around one call. Raises Unavailable, PlacesAreGone."""
    try:
        async with aws.calling(KINESIS):
            yield aws.kinesis
    except ClientError as error:
        if error_code(error) == "ResourceNotFoundException":
            raise PlacesAreGone(KINESIS) from error
        raise


class KinesisStream:
    """The port `ChangeStream`."""

    def __init__(self, aws: Aws, name: str) -> None:
        self._aws = aws
        self._name = name

    async def put(self, changes: Sequence[Change]) -> None:
        entries = [{"PartitionKey": key_of(each), "Data": record_of(each)} for each in changes]
        start = 0
        while start < len(entries):
            size, end = _size(entries[start]), start + 1
            while end < len(entries) and end - start < AT_ONCE and size + _size(entries[end]) <= BYTES_AT_ONCE:
                size += _size(entries[end])
                end += 1
            await self._put(entries[start:end])
            start = end

    async def _put(self, entries: Sequence[Any]) -> None:
        """What was not taken is sent again; it may then stand behind what came later: readers go by positions."""
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(0.1 * 2**attempt)  # a shard takes so much a second
            async with _there(self._aws) as kinesis:
                answer = await kinesis.put_records(StreamName=self._name, Records=list(entries))
            entries = [
                entry
                for entry, told in zip(entries, answer["Records"], strict=True)
                if told.get("ErrorCode") is not None
            ]
            if not entries:
                return
        raise Unavailable(KINESIS)


class Places(Protocol):
    """How far a reader has come: adapters/postgres/events_stream_places.py."""

    def turn(self) -> AbstractAsyncContextManager[bool]: ...

    async def reached(self) -> dict[str, str]: ...

    async def reach(self, shard: str, place: str) -> None: ...


class KinesisReader:
    """The port `ChangeReader`: shards that others came of first, so that a row's changes stay in order across a split."""

    def __init__(self, aws: Aws, name: str, places: Places) -> None:
        self._aws = aws
        self._name = name
        self._places = places

    def turn(self) -> AbstractAsyncContextManager[bool]:
        return self._places.turn()

    async def batches(self) -> AsyncIterator[ReadBatch]:
        shards = await self._shards()
        async with _there(self._aws) as kinesis:
            told = await kinesis.describe_stream_summary(StreamName=self._name)
        made = f"{told['StreamDescriptionSummary']['StreamCreationTimestamp']} "  # of another of that name nothing was read
        places = await self._places.reached()
        reached = {shard["ShardId"]: places.get(made + shard["ShardId"]) for shard in shards}
        known = {shard["ShardId"] for shard in shards}
        for shard in shards:
            name = shard["ShardId"]
            parents = {shard.get("ParentShardId"), shard.get("AdjacentParentShardId")} & known
            if reached.get(name) == END or any(reached.get(parent) != END for parent in parents):
                continue
            iterator = await self._iterator(name, reached.get(name))
            answer = await self._read(iterator)
            records = answer["Records"]
            if records:
                yield ReadBatch(_changes(records), f"{name}-{records[0]['SequenceNumber']}")
                await self._places.reach(made + name, records[-1]["SequenceNumber"])
            if answer.get("NextShardIterator") is None:
                await self._places.reach(made + name, END)

    async def _read(self, iterator: str) -> Any:
        """What is next in a shard. Nothing may come back although there is something further on: that is asked for, too."""
        for _ in range(LOOKS_AT_ONCE):
            async with _there(self._aws) as kinesis:
                answer = await kinesis.get_records(ShardIterator=iterator, Limit=READ_AT_ONCE)
            more = answer.get("NextShardIterator")
            if answer["Records"] or more is None or not answer.get("MillisBehindLatest"):
                return answer
            iterator = more
            await asyncio.sleep(BETWEEN_LOOKS_S)
        log.warning("nothing was found in a shard, although there is more: it is looked at again")
        return answer

    async def _shards(self) -> Sequence[Any]:
        shards: list[Any] = []
        more: dict[str, str] = {"StreamName": self._name}
        while more:
            async with _there(self._aws) as kinesis:
                answer = await kinesis.list_shards(**more)
            shards += answer["Shards"]
            more = {"NextToken": answer["NextToken"]} if answer.get("NextToken") else {}
        return sorted(shards, key=lambda shard: str(shard["ShardId"]))

    async def _iterator(self, shard: str, place: str | None) -> str:
        """Behind what was read; from the oldest that is kept where that is no longer known."""
        where = {"StreamName": self._name, "ShardId": shard}
        if place is not None:
            try:
                async with _there(self._aws) as kinesis:
                    behind = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": place}
                    return str((await kinesis.get_shard_iterator(**where, **behind))["ShardIterator"])
            except ClientError as error:
                if error_code(error) != "InvalidArgumentException":
                    raise
                log.warning("a place in the stream %s is no longer known: it is read from its beginning", self._name)
        async with _there(self._aws) as kinesis:
            return str((await kinesis.get_shard_iterator(**where, ShardIteratorType="TRIM_HORIZON"))["ShardIterator"])


def _size(entry: Any) -> int:
    return len(entry["Data"]) + len(entry["PartitionKey"])


def _changes(records: Sequence[Any]) -> Sequence[Change]:
    found = []
    for record in records:
        try:
            found.append(change_of(record["Data"]))
        except MalformedChange:
            log.error("a record of the stream is no change, and is passed over: %s", record["SequenceNumber"])
    return found
