"""What only the user pool knows of a user."""

from typing import Any

from botocore.exceptions import ClientError

from adapters.aws.clients import COGNITO, Aws, error_code
from adapters.cognito.claims import Rejected
from domain.accounts.model import Identity, PoolUser
from domain.accounts.refusals import InvalidToken


class CognitoDirectory:
    """The port domain.accounts.ports.Directory, for one pool."""

    def __init__(self, aws: Aws, pool_id: str) -> None:
        self._aws = aws
        self._pool_id = pool_id

    async def at_address(self, email: str) -> PoolUser | None:
        """The user who signs in with an address, None where there is none. Raises Unavailable."""
        try:
            async with self._aws.calling(COGNITO):
                user = await self._aws.cognito.admin_get_user(UserPoolId=self._pool_id, Username=email)
        except ClientError as error:
            if error_code(error) == "UserNotFoundException":
                return None
            raise
        return pool_user(user["UserAttributes"])

    async def user(self, identity: Identity) -> PoolUser:
        """What the pool knows of a user. Raises Unavailable, InvalidToken for a user who is gone or was disabled."""
        try:
            async with self._aws.calling(COGNITO):
                user = await self._aws.cognito.admin_get_user(UserPoolId=self._pool_id, Username=identity.username)
        except ClientError as error:
            if error_code(error) == "UserNotFoundException":  # deleted while the token lives on
                raise InvalidToken() from Rejected("no such user")
            raise
        known = pool_user(user["UserAttributes"])
        # A name can be given to another person later, whose address must not go to the holder of the old token.
        if not user["Enabled"] or known is None or known.subject != identity.subject:
            raise InvalidToken() from Rejected("the user is disabled, another one, or without a mail address")
        return known


def pool_user(attributes: list[dict[str, Any]]) -> PoolUser | None:
    """A user by the pool's attributes; None for one without a mail address, who cannot be a user here."""
    values: dict[str, str] = {each["Name"]: each["Value"] for each in attributes}
    if not values.get("email"):
        return None
    return PoolUser(values["sub"], values["email"], values.get("email_verified", "").lower() == "true")
