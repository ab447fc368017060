"""Passwords and mail addresses of a Cognito user pool, as their owners change them."""

from contextlib import suppress

from adapters.aws.clients import Aws
from adapters.cognito.faults import Done, Refusals, calling_pool
from adapters.cognito.sign_ups import WRONG_CODE
from domain.accounts.refusals import (
    AddressTaken,
    CodeExpired,
    InvalidCode,
    InvalidToken,
    NotSupported,
    WeakPassword,
    WrongPassword,
)

GONE: Refusals = dict.fromkeys(
    ("NotAuthorizedException", "PasswordResetRequiredException", "UserNotConfirmedException", "UserNotFoundException"),
    InvalidToken,
)
"""What the pool says to an access token that it has taken back, or whose user is no more."""


class CognitoCredentials:
    """The ports Credentials and TokenEnds, for one app client of one pool."""

    def __init__(self, aws: Aws, pool_id: str, client_id: str) -> None:
        self._aws = aws
        self._pool_id = pool_id
        self._client_id = client_id

    async def take_back(self, name: str) -> None:
        # AccessDeniedException: the gateway's role has not the right, which docs/production.md asks for.
        refusals = {"UserNotFoundException": Done, "AccessDeniedException": NotSupported}
        with suppress(Done):
            async with calling_pool(self._aws, refusals):
                await self._aws.cognito.admin_user_global_sign_out(UserPoolId=self._pool_id, Username=name)

    async def change_password(self, access_token: str, old: str, new: str) -> None:
        refusals = {**GONE, "NotAuthorizedException": WrongPassword, **_weak("newPassword")}
        async with calling_pool(self._aws, refusals):
            await self._aws.cognito.change_password(
                AccessToken=access_token, PreviousPassword=old, ProposedPassword=new
            )

    async def request_reset(self, email: str) -> None:
        # InvalidParameterException: a user without a verified address. NotAuthorizedException: one who is disabled.
        silent = dict.fromkeys(
            (
                "InvalidParameterException",
                "NotAuthorizedException",
                "ResourceNotFoundException",
                "UserNotConfirmedException",
                "UserNotFoundException",
            ),
            Done,
        )
        with suppress(Done):
            async with calling_pool(self._aws, silent):
                await self._aws.cognito.forgot_password(ClientId=self._client_id, Username=email)

    async def confirm_reset(self, email: str, code: str, password: str) -> None:
        unknown = {"ResourceNotFoundException": InvalidCode, "UserNotConfirmedException": InvalidCode}
        refusals = {**WRONG_CODE, **unknown, **_weak("password")}
        async with calling_pool(self._aws, refusals):
            await self._aws.cognito.confirm_forgot_password(
                ClientId=self._client_id, Username=email, ConfirmationCode=code, Password=password
            )

    async def change_address(self, access_token: str, email: str) -> bool:
        try:
            async with calling_pool(self._aws, {**GONE, "AliasExistsException": Done}):
                answer = await self._aws.cognito.update_user_attributes(
                    AccessToken=access_token, UserAttributes=[{"Name": "email", "Value": email}]
                )
        except Done:
            return True
        return bool(answer.get("CodeDeliveryDetailsList"))

    async def confirm_address(self, access_token: str, code: str) -> None:
        refusals: Refusals = {
            **GONE,
            "AliasExistsException": AddressTaken,  # whoever has the code reads that address' mail: no secret is told
            "CodeMismatchException": InvalidCode,
            "ExpiredCodeException": CodeExpired,
        }
        async with calling_pool(self._aws, refusals):
            await self._aws.cognito.verify_user_attribute(AccessToken=access_token, AttributeName="email", Code=code)


def _weak(field: str) -> Refusals:
    names = ("InvalidPasswordException", "PasswordHistoryPolicyViolationException")
    return {name: lambda: WeakPassword(field=field) for name in names}
