"""Deletes users of the pool."""

from botocore.exceptions import ClientError

from adapters.aws.clients import COGNITO, Aws, error_code
from adapters.cognito.names import username_of


class CognitoRemoval:
    """The port domain.accounts.deletion.Pool, for one pool."""

    def __init__(self, aws: Aws, pool_id: str) -> None:
        self._aws = aws
        self._pool_id = pool_id

    async def delete(self, subject: str) -> None:
        """Delete a user by the subject; one that is gone already is no fault. Raises Unavailable."""
        username = await username_of(self._aws, self._pool_id, subject)
        if username is None:
            return
        try:
            async with self._aws.calling(COGNITO):
                await self._aws.cognito.admin_delete_user(UserPoolId=self._pool_id, Username=username)
        except ClientError as error:
            if error_code(error) != "UserNotFoundException":
                raise
