"""Signing in to a Cognito user pool, renewing tokens and taking them back."""

from typing import Any

from adapters.aws.clients import Aws
from adapters.cognito.faults import Refusals, calling_pool
from domain.accounts.model import Challenge, ChallengeAnswer, ChallengeKind, TokenSet
from domain.accounts.refusals import (
    InvalidCode,
    InvalidCredentials,
    InvalidToken,
    NotSupported,
    RefreshRefused,
    WeakPassword,
)

# An account that is not confirmed, or has to reset its password, is refused like a wrong password: whoever signs up with an
# address and then signs in would learn otherwise whether it was free.
NOT_THIS_ONE: Refusals = dict.fromkeys(
    ("NotAuthorizedException", "PasswordResetRequiredException", "UserNotConfirmedException", "UserNotFoundException"),
    InvalidCredentials,
)
NO_SUCH_STEP: Refusals = {
    **NOT_THIS_ONE,
    "CodeMismatchException": InvalidCode,
    "ExpiredCodeException": InvalidCode,
    "InvalidPasswordException": lambda: WeakPassword(field="answer"),
    "PasswordHistoryPolicyViolationException": lambda: WeakPassword(field="answer"),
    "ResourceNotFoundException": InvalidCredentials,  # moto's word for a session that it does not know
}
NO_MORE: Refusals = dict.fromkeys(
    ("InvalidParameterException", "NotAuthorizedException", "RefreshTokenReuseException", "UserNotFoundException"),
    RefreshRefused,
)
ANSWERED_WITH = {
    ChallengeKind.NEW_PASSWORD_REQUIRED: "NEW_PASSWORD",
    ChallengeKind.SMS_MFA: "SMS_MFA_CODE",
    ChallengeKind.SOFTWARE_TOKEN_MFA: "SOFTWARE_TOKEN_MFA_CODE",
    ChallengeKind.EMAIL_OTP: "EMAIL_OTP_CODE",
    ChallengeKind.SMS_OTP: "SMS_OTP_CODE",
    ChallengeKind.WEB_AUTHN: "CREDENTIAL",
}
"""Source: Amazon Cognito API reference, RespondToAuthChallenge, `ChallengeResponses`."""


class CognitoSignIns:
    """The port SignIns, for one app client."""

    def __init__(self, aws: Aws, client_id: str) -> None:
        self._aws = aws
        self._client_id = client_id

    async def sign_in(self, email: str, password: str) -> TokenSet | Challenge:
        async with calling_pool(self._aws, NOT_THIS_ONE):
            answer = await self._initiate("USER_PASSWORD_AUTH", USERNAME=email, PASSWORD=password)
        return _outcome(answer, email)

    async def sign_in_with_passkey(self, email: str) -> Challenge:
        not_offered = {**NOT_THIS_ONE, "InvalidParameterException": NotSupported}  # the app client lacks USER_AUTH
        async with calling_pool(self._aws, not_offered):
            answer = await self._initiate("USER_AUTH", USERNAME=email, PREFERRED_CHALLENGE="WEB_AUTHN")
        if answer.get("ChallengeName") != ChallengeKind.WEB_AUTHN:  # without a passkey the pool offers other ways
            raise InvalidCredentials
        return _challenge(answer, email)

    async def answer(self, answer: ChallengeAnswer) -> TokenSet | Challenge:
        async with calling_pool(self._aws, NO_SUCH_STEP):
            said = await self._aws.cognito.respond_to_auth_challenge(
                ClientId=self._client_id,
                ChallengeName=answer.kind.value,
                Session=answer.session,
                ChallengeResponses={"USERNAME": answer.username, ANSWERED_WITH[answer.kind]: answer.answer},
            )
        return _outcome(said, answer.username)

    async def refresh(self, refresh_token: str) -> TokenSet:
        async with calling_pool(self._aws, NO_MORE):
            answer = await self._initiate("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=refresh_token)
        return _tokens(answer["AuthenticationResult"], refresh_token)

    async def revoke(self, refresh_token: str) -> None:
        # A token of another client's, or none at all.
        strange = {"UnauthorizedException": InvalidToken, "InvalidParameterException": InvalidToken}
        async with calling_pool(self._aws, strange):
            await self._aws.cognito.revoke_token(ClientId=self._client_id, Token=refresh_token)

    async def revoke_all(self, access_token: str) -> None:
        async with calling_pool(self._aws, {"NotAuthorizedException": InvalidToken}):
            await self._aws.cognito.global_sign_out(AccessToken=access_token)

    async def _initiate(self, flow: str, **parameters: str) -> dict[str, Any]:
        answer: dict[str, Any] = await self._aws.cognito.initiate_auth(
            ClientId=self._client_id, AuthFlow=flow, AuthParameters=parameters
        )
        return answer


def _outcome(answer: dict[str, Any], username: str) -> TokenSet | Challenge:
    if answer.get("AuthenticationResult"):
        return _tokens(answer["AuthenticationResult"])
    return _challenge(answer, username)


def _tokens(result: dict[str, Any], refresh_token: str = "") -> TokenSet:
    """A renewal gives a new refresh token only where the app client rotates them."""
    return TokenSet(result["AccessToken"], result.get("RefreshToken") or refresh_token, result["ExpiresIn"])


def _challenge(answer: dict[str, Any], username: str) -> Challenge:
    parameters: dict[str, str] = answer.get("ChallengeParameters", {})
    try:
        kind = ChallengeKind(answer.get("ChallengeName", ""))
    except ValueError:  # a step that we know no answer to
        raise NotSupported from None
    # The name that the pool itself goes by: with it, not with the address, the next step is signed.
    name = parameters.get("USER_ID_FOR_SRP") or parameters.get("USERNAME") or username
    return Challenge(kind, answer["Session"], name, parameters.get("CREDENTIAL_REQUEST_OPTIONS"))
