"""The places that events go through: one bus, and for each consumer a rule, a queue and two dead-letter queues.

Ensuring them is safe at any time and by several at once: what is there as it should be is left alone.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from adapters.aws.clients import EVENTBRIDGE, Aws, error_code
from adapters.aws.event_bus import SOURCE
from adapters.aws.queues import NO_QUEUE, VISIBLE_AGAIN_S, queue_calls
from domain.shared.refusals import Refusal

KEPT_S = 14 * 24 * 3600
"""The longest that SQS keeps a message."""
MAX_RECEIVES = 2
THERE = "ResourceAlreadyExistsException"
AGAIN = ("ConcurrentModificationException", "OperationAborted")
"""Somebody else is at it: what it makes is what we would have made."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A consumer and the types of event that it is told of, `behind_s` after the bus had them."""

    consumer: str
    types: frozenset[str]
    behind_s: int = 0


class PlacesRefused(Refusal):
    """AWS does not make a bus, rule or queue as it must be."""

    code = "EVENT_PLACES_REFUSED"

    def __init__(self, operation: str, reason: str) -> None:
        super().__init__(f"AWS refuses {operation}: {reason}; bus, rules and queues of events are not as they must be")


@dataclass(frozen=True, slots=True)
class PlaceNames:
    """What the places of one marketplace are called."""

    prefix: str

    @property
    def bus(self) -> str:
        return f"{self.prefix}events"

    def queue(self, consumer: str) -> str:
        """Where its events wait."""
        return f"{self.prefix}{consumer}"

    def dead_letters(self, consumer: str) -> str:
        """Where a message goes that was received twice."""
        return f"{self.prefix}{consumer}-dlq"

    def undelivered(self, consumer: str) -> str:
        """Where an event goes that EventBridge could not put into the queue."""
        return f"{self.prefix}{consumer}-undelivered"


class EventPlaces:
    """Makes what is missing and puts right what differs."""

    def __init__(self, aws: Aws, names: PlaceNames, subscriptions: Sequence[Subscription]) -> None:
        self._aws = aws
        self._names = names
        self._subscriptions = subscriptions

    async def ensure(self) -> None:
        """Raises Unavailable, which AWS's refusal for want of rights is, too, and PlacesRefused."""
        try:
            bus_arn = await self._ensure_bus()
            await asyncio.gather(*(self._ensure_consumer(each, bus_arn) for each in self._subscriptions))
        except ClientError as error:
            raise PlacesRefused(error.operation_name, error_code(error)) from error

    async def _ensure_bus(self) -> str:
        async with self._aws.calling(EVENTBRIDGE):
            try:
                found = await self._aws.events.describe_event_bus(Name=self._names.bus)
                return str(found["Arn"])
            except ClientError as error:
                if error_code(error) != "ResourceNotFoundException":
                    raise
            try:
                made = await self._aws.events.create_event_bus(Name=self._names.bus)
                return str(made["EventBusArn"])
            except ClientError as error:
                if error_code(error) not in (THERE, *AGAIN):
                    raise
            return str((await self._aws.events.describe_event_bus(Name=self._names.bus))["Arn"])

    async def _ensure_consumer(self, subscription: Subscription, bus_arn: str) -> None:
        name = self._names.queue(subscription.consumer)
        rule_arn = f"{bus_arn.replace(':event-bus/', ':rule/')}/{name}"
        dead_arn, undelivered_arn = await asyncio.gather(
            self._ensure_queue(self._names.dead_letters(subscription.consumer), {}),
            self._ensure_queue(self._names.undelivered(subscription.consumer), {}, filled_by=rule_arn),
        )
        redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": MAX_RECEIVES})
        wanted = {"VisibilityTimeout": str(VISIBLE_AGAIN_S), "RedrivePolicy": redrive}
        wanted["DelaySeconds"] = str(subscription.behind_s)
        queue_arn = await self._ensure_queue(name, wanted, filled_by=rule_arn)
        await self._ensure_rule(name, subscription.types, queue_arn, undelivered_arn)

    async def _ensure_queue(self, name: str, wanted: Mapping[str, str], filled_by: str | None = None) -> str:
        """The queue's ARN, with these attributes, open for a rule. Its messages are kept for 14 days."""
        attributes = {"MessageRetentionPeriod": str(KEPT_S), **wanted}
        sqs = self._aws.sqs
        async with queue_calls(self._aws):
            try:
                url = (await sqs.get_queue_url(QueueName=name))["QueueUrl"]
            except ClientError as error:
                if error_code(error) not in NO_QUEUE:
                    raise
                # with no attributes: two that make it at once with others would refuse each other
                url = (await sqs.create_queue(QueueName=name))["QueueUrl"]
            there = (await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"]))["Attributes"]
            if filled_by is not None:
                attributes["Policy"] = _policy(filled_by, there["QueueArn"])
            changed = {key: value for key, value in attributes.items() if not _is_same(there.get(key), value)}
            if changed:
                await sqs.set_queue_attributes(QueueUrl=url, Attributes=changed)
        return str(there["QueueArn"])

    async def _ensure_rule(self, name: str, types: frozenset[str], queue_arn: str, undelivered_arn: str) -> None:
        pattern = {"source": [SOURCE], "detail-type": sorted(types)}
        target = {"Id": "queue", "Arn": queue_arn, "DeadLetterConfig": {"Arn": undelivered_arn}}
        events, bus = self._aws.events, self._names.bus
        async with self._aws.calling(EVENTBRIDGE):
            try:
                found = await events.describe_rule(Name=name, EventBusName=bus)
            except ClientError as error:
                if error_code(error) != "ResourceNotFoundException":
                    raise
                found = {}
            if not _is_same(found.get("EventPattern"), json.dumps(pattern)) or found.get("State") != "ENABLED":
                await events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps(pattern), State="ENABLED")
            targets = (await events.list_targets_by_rule(Rule=name, EventBusName=bus))["Targets"]
            if target not in targets:
                answer = await events.put_targets(Rule=name, EventBusName=bus, Targets=[target])
                if answer.get("FailedEntryCount"):
                    raise PlacesRefused("PutTargets", str(answer["FailedEntries"][0].get("ErrorCode")))


def _policy(rule_arn: str, queue_arn: str) -> str:
    """Lets that rule of EventBridge put events in, and nobody else who has no right of its own."""
    statement = {
        "Sid": "events",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule_arn}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _is_same(there: Any, wanted: str) -> bool:
    """Whether two attributes are the same; those that are JSON may be written differently."""
    if there is None or not wanted.startswith("{"):
        return bool(there == wanted)
    found, asked = json.loads(there), json.loads(wanted)
    # SQS gives a number back where it was given a text, and the other way round
    return bool(found == asked or {k: str(v) for k, v in found.items()} == {k: str(v) for k, v in asked.items()})
