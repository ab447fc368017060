"""Bus, rules and queues are made as declared, by any number at once, and put right where they differ."""

import asyncio
import json
from typing import Any

import pytest

from composition.pipeline import EventTools, ensure_places
from tests.events.consumers import KIND, NAME, Listener, declare


async def attributes(tools: EventTools, name: str) -> dict[str, str]:
    url = (await tools.aws.sqs.get_queue_url(QueueName=name))["QueueUrl"]
    found = await tools.aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    return dict(found["Attributes"])


async def rule(tools: EventTools) -> tuple[Any, Any]:
    names = tools.names
    found = await tools.aws.events.describe_rule(Name=names.queue(NAME), EventBusName=names.bus)
    targets = await tools.aws.events.list_targets_by_rule(Rule=names.queue(NAME), EventBusName=names.bus)
    return json.loads(found["EventPattern"]), targets["Targets"]


@pytest.fixture(autouse=True)
def declared(monkeypatch: pytest.MonkeyPatch) -> None:
    declare(monkeypatch, Listener())


async def test_four_at_once_make_them_as_declared(tools: EventTools) -> None:
    await asyncio.gather(*(ensure_places(tools) for _ in range(4)))
    names = tools.names
    queue, dead, undelivered = [
        await attributes(tools, name(NAME)) for name in (names.queue, names.dead_letters, names.undelivered)
    ]
    assert {each["MessageRetentionPeriod"] for each in (queue, dead, undelivered)} == {str(14 * 24 * 3600)}
    assert queue["VisibilityTimeout"] == "30"
    assert json.loads(queue["RedrivePolicy"]) == {"deadLetterTargetArn": dead["QueueArn"], "maxReceiveCount": 2}
    pattern, targets = await rule(tools)
    assert pattern == {"source": ["torii"], "detail-type": [KIND]}
    assert targets == [{"Id": "queue", "Arn": queue["QueueArn"], "DeadLetterConfig": {"Arn": undelivered["QueueArn"]}}]
    for each in (queue, undelivered):
        (allowed,) = json.loads(each["Policy"])["Statement"]
        assert allowed["Principal"] == {"Service": "events.amazonaws.com"}
        assert allowed["Resource"] == each["QueueArn"]
        assert allowed["Condition"]["ArnEquals"]["aws:SourceArn"].endswith(f":rule/{names.bus}/{names.queue(NAME)}")
    assert "Policy" not in dead


async def test_a_second_time_changes_nothing(tools: EventTools, monkeypatch: pytest.MonkeyPatch) -> None:
    await ensure_places(tools)
    for client, forbidden in (
        (tools.aws.sqs, ("create_queue", "set_queue_attributes")),
        (tools.aws.events, ("create_event_bus", "put_rule", "put_targets")),
    ):
        for name in forbidden:
            monkeypatch.setattr(client, name, None)
    await ensure_places(tools)


async def test_what_differs_is_put_right(tools: EventTools, monkeypatch: pytest.MonkeyPatch) -> None:
    await ensure_places(tools)
    url = (await tools.aws.sqs.get_queue_url(QueueName=tools.names.queue(NAME)))["QueueUrl"]
    await tools.aws.sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "7"})
    declare(monkeypatch, Listener(), kinds=frozenset({KIND, "Other"}))
    await ensure_places(tools)
    assert (await attributes(tools, tools.names.queue(NAME)))["VisibilityTimeout"] == "30"
    assert (await rule(tools))[0]["detail-type"] == ["Other", KIND]
