"""The emulator's user pool when several processes start at once."""

import asyncio
from itertools import count

from adapters.cognito.pool import find_pool
from composition.cloud import make_pool, open_aws
from settings import Settings

_numbers = count(1)


async def test_several_who_start_at_once_make_one_pool(settings: Settings) -> None:
    name = f"{settings.dynamodb_table_prefix}at-once-{next(_numbers)}"
    async with open_aws(settings, 20_000) as aws:
        assert await find_pool(aws, name) is None
        made = await asyncio.gather(*(make_pool(settings, aws, name) for _ in range(5)))
        assert set(made) == {await find_pool(aws, name)}
        pools = (await aws.cognito.list_user_pools(MaxResults=60))["UserPools"]
        assert [each["Name"] for each in pools].count(name) == 1
