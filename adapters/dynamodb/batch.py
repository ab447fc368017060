"""Many items in few calls, within DynamoDB's limits.

A batch may come back partly done (UnprocessedKeys, UnprocessedItems): under load, or past 16 MB of answer. The rest is
asked for again. Source: the DynamoDB API reference, BatchGetItem and BatchWriteItem.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from adapters.aws.clients import DYNAMODB, Aws
from adapters.dynamodb.backoff import ATTEMPTS, back_off
from domain.shared.refusals import Unavailable

GET_PAGE = 100
WRITE_PAGE = 25
WRITE_CONCURRENCY = 4
"""Pages written at a time: enough to hide the way to AWS, few enough to stay a quiet neighbour."""

Item = dict[str, Any]
"""Attribute values by name, as the API has them: {"quantity": {"N": "2"}}."""


async def batch_get(
    aws: Aws, table: str, key_name: str, keys: Sequence[str], *, consistent: bool = False
) -> list[Item | None]:
    """The items of a table without sort key, in the order of `keys`; None for one that is not there.

    Keys may repeat and may be any number: pages of 100 run concurrently, within one call's time. `consistent`: with
    every write that was answered before. Raises Unavailable.
    """
    wanted = list(dict.fromkeys(keys))
    pages = [wanted[start : start + GET_PAGE] for start in range(0, len(wanted), GET_PAGE)]
    async with aws.calling(DYNAMODB):
        answers = await asyncio.gather(*(_get_page(aws, table, key_name, page, consistent) for page in pages))
    found = {item[key_name]["S"]: item for answer in answers for item in answer}
    return [found.get(key) for key in keys]


async def _get_page(aws: Aws, table: str, key_name: str, page: Sequence[str], consistent: bool) -> list[Item]:
    request: Item = {table: {"Keys": [{key_name: {"S": key}} for key in page], "ConsistentRead": consistent}}
    found: list[Item] = []
    for attempt in range(ATTEMPTS):
        answer = await aws.dynamodb.batch_get_item(RequestItems=request)
        found += answer["Responses"].get(table, [])
        request = answer.get("UnprocessedKeys") or {}
        if not request:
            return found
        await back_off(attempt)
    raise Unavailable(DYNAMODB)


async def batch_put(aws: Aws, table: str, items: Sequence[Item]) -> None:
    """Put items, replacing those of the same key. Keys must not repeat. Raises Unavailable, some items written."""
    await _write(aws, table, [{"PutRequest": {"Item": item}} for item in items])


async def batch_delete(aws: Aws, table: str, keys: Sequence[Item]) -> None:
    """Delete items by their keys, there or not. Raises Unavailable, some items deleted."""
    await _write(aws, table, [{"DeleteRequest": {"Key": key}} for key in keys])


async def _write(aws: Aws, table: str, requests: Sequence[Item]) -> None:
    pages = iter([requests[start : start + WRITE_PAGE] for start in range(0, len(requests), WRITE_PAGE)])

    async def write_pages() -> None:
        for page in pages:  # shared: each page goes to whoever is free
            await _write_page(aws, table, page)

    await asyncio.gather(*(write_pages() for _ in range(WRITE_CONCURRENCY)))


async def _write_page(aws: Aws, table: str, page: Sequence[Item]) -> None:
    request: Item = {table: page}
    for attempt in range(ATTEMPTS):
        async with aws.calling(DYNAMODB):  # each call has its own time: a bulk write takes as long as it takes
            answer = await aws.dynamodb.batch_write_item(RequestItems=request)
        request = answer.get("UnprocessedItems") or {}
        if not request:
            return
        await back_off(attempt)
    raise Unavailable(DYNAMODB)
