"""The pool's group of admins."""

from botocore.exceptions import ClientError

from adapters.aws.clients import COGNITO, Aws, error_code
from adapters.cognito.directory import pool_user
from adapters.cognito.names import username_of
from domain.accounts.admins import ADMIN_GROUP
from domain.accounts.suspension import UserNotFound

PAGE = 60
"""Cognito's largest."""


class CognitoAdmins:
    """The port domain.accounts.admins.AdminGroup, for one pool."""

    def __init__(self, aws: Aws, pool_id: str) -> None:
        self._aws = aws
        self._pool_id = pool_id

    async def add(self, subject: str) -> None:
        """Raises UserNotFound, Unavailable."""
        username = await username_of(self._aws, self._pool_id, subject)
        if username is None:
            raise UserNotFound
        async with self._aws.calling(COGNITO):
            await self._aws.cognito.admin_add_user_to_group(
                UserPoolId=self._pool_id, Username=username, GroupName=ADMIN_GROUP
            )

    async def remove(self, subject: str) -> None:
        """Raises Unavailable."""
        username = await username_of(self._aws, self._pool_id, subject)
        if username is None:
            return
        try:
            async with self._aws.calling(COGNITO):
                await self._aws.cognito.admin_remove_user_from_group(
                    UserPoolId=self._pool_id, Username=username, GroupName=ADMIN_GROUP
                )
        except ClientError as error:
            if error_code(error) != "UserNotFoundException":
                raise

    async def subjects(self) -> frozenset[str]:
        """Raises Unavailable; an error, too, where the pool has no such group: nobody is judged by that."""
        paginator = self._aws.cognito.get_paginator("list_users_in_group")
        pages = paginator.paginate(
            UserPoolId=self._pool_id, GroupName=ADMIN_GROUP, PaginationConfig={"PageSize": PAGE}
        ).__aiter__()
        found = set[str]()
        while True:
            async with self._aws.calling(COGNITO):  # the time limit is for a page
                page = await anext(pages, None)
            if page is None:
                return frozenset(found)
            users = (pool_user(each["Attributes"]) for each in page["Users"])
            found |= {user.subject for user in users if user is not None}
