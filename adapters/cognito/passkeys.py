"""Passkeys in a Cognito user pool (WebAuthn).

Source: Amazon Cognito API reference, StartWebAuthnRegistration, CompleteWebAuthnRegistration, ListWebAuthnCredentials,
DeleteWebAuthnCredential. The emulator has none of them, so tests hold requests and answers to botocore's service model.
"""

import json
from collections.abc import Sequence
from typing import Any

from adapters.aws.clients import Aws
from adapters.cognito.credentials import GONE
from adapters.cognito.faults import Refusals, calling_pool
from domain.accounts.model import Passkey
from domain.accounts.refusals import PasskeyNotBegun, PasskeyNotFound, PasskeyOfAnotherSite, PasskeyRefused

PAGE = 20
"""Cognito's largest page, and as many as a user may have."""
REFUSED: Refusals = {
    "InvalidParameterException": PasskeyRefused,
    "WebAuthnChallengeNotFoundException": PasskeyNotBegun,
    "WebAuthnClientMismatchException": PasskeyOfAnotherSite,
    "WebAuthnCredentialNotSupportedException": PasskeyRefused,
    "WebAuthnOriginNotAllowedException": PasskeyOfAnotherSite,
    "WebAuthnRelyingPartyMismatchException": PasskeyOfAnotherSite,
}


class CognitoPasskeys:
    """The port Passkeys."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    async def begin(self, access_token: str) -> str:
        async with calling_pool(self._aws, GONE):
            answer = await self._aws.cognito.start_web_authn_registration(AccessToken=access_token)
        return json.dumps(answer["CredentialCreationOptions"], separators=(",", ":"))

    async def complete(self, access_token: str, credential: str) -> None:
        made: dict[str, Any] = json.loads(credential)
        async with calling_pool(self._aws, {**GONE, **REFUSED}):
            await self._aws.cognito.complete_web_authn_registration(AccessToken=access_token, Credential=made)

    async def all(self, access_token: str) -> Sequence[Passkey]:
        async with calling_pool(self._aws, GONE):
            answer = await self._aws.cognito.list_web_authn_credentials(AccessToken=access_token, MaxResults=PAGE)
        return [
            Passkey(each["CredentialId"], each["FriendlyCredentialName"], each["RelyingPartyId"], each["CreatedAt"])
            for each in answer["Credentials"]
        ]

    async def delete(self, access_token: str, passkey_id: str) -> None:
        unknown: Refusals = {"ResourceNotFoundException": PasskeyNotFound}
        async with calling_pool(self._aws, {**GONE, **unknown}):
            await self._aws.cognito.delete_web_authn_credential(AccessToken=access_token, CredentialId=passkey_id)
