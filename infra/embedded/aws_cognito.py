"""Makes moto's Cognito answer as the real one does where a client would be misled.

As shipped (5.2.5) an operation that it does not have comes out as a 500, which to a client is an outage, and a confirmed sign-up
leaves the address unverified. What it lacks besides, tests name: it takes any code, and a client may write any attribute.
"""

import json
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from moto.cognitoidp.models import CognitoIdpBackend
from moto.cognitoidp.responses import CognitoIdpResponse
from moto.core.utils import camelcase_to_underscores

TARGET = "AWSCognitoIdentityProviderService."


def repair() -> None:
    """Call it once, before the server starts."""
    confirm_sign_up = CognitoIdpBackend.confirm_sign_up

    def confirm_and_verify(self: CognitoIdpBackend, client_id: str, username: str) -> str:
        session = confirm_sign_up(self, client_id, username)
        pool = next(each for each in self.user_pools.values() if client_id in each.clients)
        self.admin_get_user(pool.id, username).update_attributes([{"Name": "email_verified", "Value": "true"}])
        return session

    CognitoIdpBackend.confirm_sign_up = confirm_and_verify  # type: ignore[method-assign]


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
