"""Signing up in a Cognito user pool."""

from contextlib import suppress

from adapters.aws.clients import Aws
from adapters.cognito.faults import Done, calling_pool
from domain.accounts.refusals import InvalidCode, WeakPassword

# SignUp says UsernameExistsException whatever PreventUserExistenceErrors is set to, and a confirmation of a user who is
# confirmed already is refused as not authorized: to the outside these are what happens to an unknown address.
WRONG_CODE = dict.fromkeys(
    (
        "AliasExistsException",
        "CodeMismatchException",
        "ExpiredCodeException",
        "NotAuthorizedException",
        "UserNotFoundException",
    ),
    InvalidCode,
)


class CognitoSignUps:
    """The port SignUps, for one app client."""

    def __init__(self, aws: Aws, client_id: str) -> None:
        self._aws = aws
        self._client_id = client_id

    async def sign_up(self, email: str, password: str) -> None:
        refusals = {"UsernameExistsException": Done, "InvalidPasswordException": WeakPassword}
        with suppress(Done):
            async with calling_pool(self._aws, refusals):
                await self._aws.cognito.sign_up(
                    ClientId=self._client_id,
                    Username=email,
                    Password=password,
                    UserAttributes=[{"Name": "email", "Value": email}],
                )

    async def confirm(self, email: str, code: str) -> None:
        async with calling_pool(self._aws, WRONG_CODE):
            await self._aws.cognito.confirm_sign_up(ClientId=self._client_id, Username=email, ConfirmationCode=code)

    async def resend(self, email: str) -> None:
        # InvalidParameterException: a user who is confirmed already.
        silent = dict.fromkeys(("UserNotFoundException", "InvalidParameterException", "NotAuthorizedException"), Done)
        with suppress(Done):
            async with calling_pool(self._aws, silent):
                await self._aws.cognito.resend_confirmation_code(ClientId=self._client_id, Username=email)
