"""Queues of SQS, and what stands behind the queue's address."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from botocore.exceptions import ClientError

from adapters.aws.clients import SQS, Aws, error_code
from adapters.aws.event_bus import body_of, read_body
from domain.events.cloud_events import MalformedEvent
from domain.events.ports import Message, PlacesAreGone
from domain.shared.events import EventRecord
from domain.shared.refusals import Unavailable

VISIBLE_AGAIN_S = 30
PAGE = 10
"""What SQS takes and gives at most in one request."""
NO_QUEUE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
COUNTED = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed")
BAD_HANDLE = ("ReceiptHandleIsInvalid", "InvalidParameterValue", "MessageNotInflight")


@asynccontextmanager
async def queue_calls(aws: Aws, wait_s: float = 0.0) -> AsyncIterator[None]:
    """Raises Unavailable, PlacesAreGone."""
    try:
        async with aws.calling(SQS, wait_s):
            yield
    except ClientError as error:
        if error_code(error) in NO_QUEUE:
            raise PlacesAreGone(SQS) from error
        raise


class SqsQueue:
    """The port `Queue`. The queue is looked up by name when it is first used, and again after it was gone."""

    def __init__(self, aws: Aws, name: str) -> None:
        self._aws = aws
        self._name = name
        self._url: str | None = None

    async def receive(self, limit: int = 1, wait_s: int = 0) -> Sequence[Message]:
        # A receive that is given up may have been answered: its messages would be gone for half a minute, and one try nearer to
        # the dead letters. So its waiting does not count.
        async with self._calling(wait_s) as where:
            answer = await self._aws.sqs.receive_message(
                QueueUrl=where,
                MaxNumberOfMessages=min(limit, PAGE),
                WaitTimeSeconds=wait_s,
                VisibilityTimeout=VISIBLE_AGAIN_S,
                AttributeNames=["ApproximateReceiveCount"],
            )
        return [
            Message(
                each["ReceiptHandle"],
                _record(each["Body"]),
                int(each["Attributes"]["ApproximateReceiveCount"]),
                each["Body"],
            )
            for each in answer.get("Messages", [])
        ]

    async def hide(self, message: Message, seconds: int) -> None:
        async with self._calling() as where:
            try:
                await self._aws.sqs.change_message_visibility(
                    QueueUrl=where, ReceiptHandle=message.handle, VisibilityTimeout=seconds
                )
            except ClientError as error:
                if error_code(error) not in BAD_HANDLE:
                    raise

    async def delete(self, messages: Sequence[Message]) -> None:
        for page in _pages(messages):
            entries = [{"Id": str(number), "ReceiptHandle": each.handle} for number, each in enumerate(page)]
            async with self._calling() as where:
                # what cannot be deleted comes again, and is then seen to be done
                await self._aws.sqs.delete_message_batch(QueueUrl=where, Entries=entries)

    async def send(self, records: Sequence[EventRecord], delay_s: int = 0) -> None:
        for page in _pages(records):
            entries = [
                {"Id": str(number), "MessageBody": body_of(each), "DelaySeconds": delay_s}
                for number, each in enumerate(page)
            ]
            async with self._calling() as where:
                answer = await self._aws.sqs.send_message_batch(QueueUrl=where, Entries=entries)
            if answer.get("Failed"):
                raise Unavailable(SQS) from SomeNotSent(answer["Failed"][0].get("Code", ""))

    async def waiting(self) -> int:
        async with self._calling() as where:
            answer = await self._aws.sqs.get_queue_attributes(QueueUrl=where, AttributeNames=list(COUNTED))
        return sum(int(answer["Attributes"].get(name, 0)) for name in COUNTED)

    @asynccontextmanager
    async def _calling(self, wait_s: float = 0.0) -> AsyncIterator[str]:
        """The queue's address, for one request."""
        try:
            async with queue_calls(self._aws, wait_s):
                if self._url is None:
                    self._url = str((await self._aws.sqs.get_queue_url(QueueName=self._name))["QueueUrl"])
                yield self._url
        except PlacesAreGone:
            self._url = None
            raise


class SomeNotSent(Exception):
    """SQS took a part of a page only."""


def _record(body: str) -> EventRecord | None:
    try:
        return read_body(body)
    except MalformedEvent:
        return None


def _pages(things: Sequence[Any]) -> list[Sequence[Any]]:
    return [things[start : start + PAGE] for start in range(0, len(things), PAGE)]
