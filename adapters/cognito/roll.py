"""All users of a Cognito user pool."""

from collections.abc import AsyncIterator, Sequence

from adapters.aws.clients import COGNITO, Aws
from adapters.cognito.directory import pool_user
from domain.accounts.model import PoolUser

PAGE = 60
"""Cognito's largest."""


class CognitoRoll:
    """The port domain.accounts.repair.Roll, for one pool."""

    def __init__(self, aws: Aws, pool_id: str) -> None:
        self._aws = aws
        self._pool_id = pool_id

    async def pages(self) -> AsyncIterator[Sequence[PoolUser]]:
        paginator = self._aws.cognito.get_paginator("list_users")
        pages = paginator.paginate(UserPoolId=self._pool_id, PaginationConfig={"PageSize": PAGE}).__aiter__()
        while True:
            async with self._aws.calling(COGNITO):  # the time limit is for a page, not for all of them
                page = await anext(pages, None)
            if page is None:
                return
            known = [pool_user(each["Attributes"]) for each in page["Users"] if each["UserStatus"] != "UNCONFIRMED"]
            yield [user for user in known if user is not None]
