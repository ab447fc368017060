"""What only the user pool knows of a user."""

from botocore.exceptions import ClientError

from adapters.aws.clients import COGNITO, Aws, error_code
from adapters.cognito.claims import Rejected
from domain.accounts.model import Identity
from domain.accounts.service import InvalidToken


class CognitoDirectory:
    """The port domain.accounts.ports.Directory, for one pool."""

    def __init__(self, aws: Aws, pool_id: str) -> None:
        self._aws = aws
        self._pool_id = pool_id

    async def email_of(self, identity: Identity) -> str:
        """The mail address of a user. Raises Unavailable, InvalidToken for a user who is gone or was disabled."""
        try:
            async with self._aws.calling(COGNITO):
                user = await self._aws.cognito.admin_get_user(UserPoolId=self._pool_id, Username=identity.username)
        except ClientError as error:
            if error_code(error) == "UserNotFoundException":  # deleted while the token lives on
                raise InvalidToken() from error
            raise
        attributes: dict[str, str] = {each["Name"]: each["Value"] for each in user["UserAttributes"]}
        # A name can be given to another person later, whose address must not go to the holder of the old token.
        if not user["Enabled"] or attributes.get("sub") != identity.subject:
            raise InvalidToken() from Rejected("the user is disabled or another one")
        if not attributes.get("email"):
            raise InvalidToken() from Rejected("a user without a mail address")
        return attributes["email"]
