"""Makes moto's Cognito answer as the real one does where a client would be misled.

As shipped (5.2.5) an operation that it does not have comes out as a 500, which to a client is an outage; a confirmed sign-up
leaves the address unverified; GlobalSignOut, which is not signed, looks for the token in the default region alone; and refreshed tokens
have another `auth_time`, as if the password had been given anew. What it
lacks besides is named in tests/adapters/test_cognito_identity.py. Tokens are kept by whatever a user signed in with, so that signing
out by another name misses them, and renewing them after the address changed or the account was deleted is a 500. A new
mail address takes effect without a code (aws_cognito_addresses.py).
"""

import json
import time
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from moto.cognitoidp.exceptions import NotAuthorizedError
from moto.cognitoidp.models import CognitoIdpBackend, CognitoIdpUser, CognitoIdpUserPool
from moto.cognitoidp.responses import CognitoIdpResponse
from moto.core.responses import EmptyResult
from moto.core.utils import camelcase_to_underscores

from infra.embedded import aws_cognito_addresses

TARGET = "AWSCognitoIdentityProviderService."


def repair() -> None:
    """Call it once, before the server starts."""
    confirm_sign_up = CognitoIdpBackend.confirm_sign_up

    def confirm_and_verify(self: CognitoIdpBackend, client_id: str, username: str) -> str:
        session = confirm_sign_up(self, client_id, username)
        pool = next(each for each in self.user_pools.values() if client_id in each.clients)
        self.admin_get_user(pool.id, username).update_attributes([{"Name": "email_verified", "Value": "true"}])
        return session

    def sign_out_in_its_region(self: CognitoIdpResponse) -> Any:
        token = self._get_param("AccessToken")
        self._get_region_agnostic_backend()._find_backend_by_access_token(token).global_sign_out(token)
        return EmptyResult()

    CognitoIdpUserPool.create_access_token = _by_own_name(CognitoIdpUserPool.create_access_token)  # type: ignore[method-assign]
    CognitoIdpUserPool.create_refresh_token = _by_own_name(CognitoIdpUserPool.create_refresh_token)  # type: ignore[method-assign]
    CognitoIdpUserPool.sign_out = _sign_out  # type: ignore[method-assign]
    CognitoIdpUserPool.create_jwt = _of_its_sign_in(CognitoIdpUserPool.create_jwt)  # type: ignore[method-assign]
    CognitoIdpBackend.confirm_sign_up = confirm_and_verify  # type: ignore[method-assign]
    CognitoIdpResponse.global_sign_out = sign_out_in_its_region  # type: ignore[method-assign]
    aws_cognito_addresses.repair()


def _by_own_name(create: Callable[..., Any]) -> Callable[..., Any]:
    """Tokens are of a user, by the pool's own name for it, whatever address it came with and has later."""

    def of_user(self: CognitoIdpUserPool, client_id: str, username: str, **others: Any) -> Any:
        user: CognitoIdpUser | None = self._get_user(username)
        if user is None:  # as AWS says it of a deleted user's refresh token
            raise NotAuthorizedError("Refresh Token has been revoked")
        return create(self, client_id, user.username, **others)

    return of_user


def _sign_out(self: CognitoIdpUserPool, username: str) -> None:
    user: CognitoIdpUser | None = self._get_user(username)
    names = {username} if user is None else {username, user.username}
    for token, kept in list(self.refresh_tokens.items()):
        if kept is not None and kept[1] in names:
            self.refresh_tokens[token] = None
    for token, (_, holder) in list(self.access_tokens.items()):
        if holder in names:
            self.access_tokens.pop(token)


def _of_its_sign_in(create_jwt: Callable[..., tuple[str, int]]) -> Callable[..., tuple[str, int]]:
    """All tokens of a sign-in say when it was: the first one's time, kept with the pool."""

    def create(
        self: CognitoIdpUserPool,
        client_id: str,
        username: str,
        token_use: str,
        expires_in: int = 3600,
        extra_data: dict[str, Any] | None = None,
    ) -> tuple[str, int]:
        extra = dict(extra_data or {})
        sign_ins: dict[str, int] = self.__dict__.setdefault("sign_ins", {})
        if "origin_jti" in extra:
            extra["auth_time"] = sign_ins.setdefault(extra["origin_jti"], int(time.time()))
        return create_jwt(self, client_id, username, token_use, expires_in, extra)

    return create


class RefuseUnoffered:
    """WSGI middleware that answers what moto does not have as AWS answers an operation that it does not know.

    Source of the answer: the AWS JSON 1.1 protocol, `UnknownOperationException`.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        target: str = environ.get("HTTP_X_AMZ_TARGET", "")
        operation = target.removeprefix(TARGET)
        if operation == target or hasattr(CognitoIdpResponse, camelcase_to_underscores(operation)):
            return self._app(environ, start_response)
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))  # or the connection cannot be used again
        body = json.dumps({"__type": "UnknownOperationException", "message": "the emulator does not have it"}).encode()
        headers = [("Content-Type", "application/x-amz-json-1.1"), ("Content-Length", str(len(body)))]
        start_response("400 Bad Request", headers)
        return [body]
