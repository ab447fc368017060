"""Gives moto's Cognito what a pool does that verifies a new mail address before it replaces the old one.

moto (5.2.5) writes it at once and has no VerifyUserAttribute; somebody else's it refuses at once, which tells whose it is. Here, as
in every pool with `AttributesRequireVerificationBeforeUpdate`, the address waits with the user until a code is entered. As with
sign-ups no mail is sent, and every code is right. Source: Amazon Cognito API reference, UpdateUserAttributes, VerifyUserAttribute.
"""

from typing import Any

from moto.cognitoidp.exceptions import NotAuthorizedError
from moto.cognitoidp.models import CognitoIdpBackend, CognitoIdpUser
from moto.cognitoidp.responses import CognitoIdpResponse
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult, EmptyResult

WAITING = "waiting_address"
"""Attribute of a user of moto's, saved with it."""


class WrongCode(JsonRESTError):
    def __init__(self) -> None:
        super().__init__("CodeMismatchException", "Invalid verification code provided, please try again.")


def repair() -> None:
    """Call it once, before the server starts."""
    update = CognitoIdpBackend.update_user_attributes

    def update_but_for_an_address(
        self: CognitoIdpBackend, access_token: str, attributes: list[dict[str, str]]
    ) -> list[dict[str, str]]:
        pool, user = _user_of(self, access_token)
        waits = pool.extended_config.get("UserAttributeUpdateSettings", {})
        address = self._find_attr("email", attributes)
        if not address or "email" not in waits.get("AttributesRequireVerificationBeforeUpdate", []):
            update(self, access_token, attributes)
            return []
        user.__dict__[WAITING] = address
        update(self, access_token, [each for each in attributes if each["Name"] != "email"])
        return [{"AttributeName": "email", "DeliveryMedium": "EMAIL", "Destination": f"{address[0]}***"}]

    def answer_update(self: CognitoIdpResponse) -> Any:
        token, attributes = self._get_param("AccessToken"), self._get_param("UserAttributes")
        backend = self._get_region_agnostic_backend()._find_backend_by_access_token(token)
        sent: Any = update_but_for_an_address(backend, token, attributes)
        return ActionResult({"CodeDeliveryDetailsList": sent})

    def answer_verify(self: CognitoIdpResponse) -> Any:
        token = self._get_param("AccessToken")
        _verify(self._get_region_agnostic_backend()._find_backend_by_access_token(token), token)
        return EmptyResult()

    CognitoIdpBackend.update_user_attributes = update_but_for_an_address  # type: ignore[assignment, method-assign]
    CognitoIdpResponse.update_user_attributes = answer_update  # type: ignore[method-assign]
    CognitoIdpResponse.verify_user_attribute = answer_verify  # type: ignore[attr-defined]


def _verify(backend: CognitoIdpBackend, access_token: str) -> None:
    pool, user = _user_of(backend, access_token)
    address: str | None = user.__dict__.get(WAITING)
    if address is None:
        raise WrongCode
    backend._verify_email_is_not_used(pool.id, address)
    user.update_attributes([{"Name": "email", "Value": address}, {"Name": "email_verified", "Value": "true"}])
    del user.__dict__[WAITING]


def _user_of(backend: CognitoIdpBackend, access_token: str) -> tuple[Any, CognitoIdpUser]:
    for pool in backend.user_pools.values():
        if access_token in pool.access_tokens:
            _, username = pool.access_tokens[access_token]
            return pool, backend.admin_get_user(pool.id, username)
    raise NotAuthorizedError(access_token)
