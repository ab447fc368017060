"""WSGI middleware: which parts of the emulator's state requests may have changed; no request runs during a dump."""

import io
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Condition
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from infra.embedded.aws_state import TABLE, WHOLE_SERVICES, tables

READING_ACTION = re.compile(r"\.(Get|BatchGet|Query|Scan|Describe|List|AdminGet|AdminList)")
SIGNED_FOR = re.compile(r"Credential=[^/]+/[^/]+/[^/]+/([^/]+)/aws4_request")
TARGETS = {"DynamoDB_": TABLE, "AWSCognitoIdentityProviderService": "cognito-idp"}


class Gate:
    """Many requests, or one dump. A waiting dump goes before new requests, or it would never get its turn."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._requests = 0
        self._closed = False

    @contextmanager
    def request(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._closed)
            self._requests += 1
        try:
            yield
        finally:
            with self._changed:
                self._requests -= 1
                self._changed.notify_all()

    def close(self) -> None:
        """Let nothing more in and wait until the last has left."""
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: not self._requests)

    def open(self) -> None:
        with self._changed:
            self._closed = False
            self._changed.notify_all()


class RecordChanges:
    """Wraps the emulator. Call `take` with the gate closed."""

    def __init__(self, app: WSGIApplication, gate: Gate) -> None:
        self._app = app
        self._gate = gate
        self._changed: set[str] = set()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        service = _service(environ)
        if service != TABLE and service not in WHOLE_SERVICES:
            # not kept; and a long poll of a queue would hold up every dump
            return self._app(environ, start_response)
        reads = environ["REQUEST_METHOD"] in ("GET", "HEAD") or READING_ACTION.search(
            environ.get("HTTP_X_AMZ_TARGET", "")
        )
        body = _body(environ) if service == TABLE and not reads else b""
        with self._gate.request():
            try:
                return self._app(environ, start_response)
            finally:
                if not reads:
                    self._changed.update(_tables_named_in(body) if service == TABLE else {service})

    def take(self) -> set[str]:
        """The parts that may have changed since the last call."""
        taken, self._changed = self._changed, set()
        return taken


def _service(environ: WSGIEnvironment) -> str:
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    for prefix, service in TARGETS.items():
        if target.startswith(prefix):
            return service
    signed_for = SIGNED_FOR.search(environ.get("HTTP_AUTHORIZATION", ""))
    return signed_for[1] if signed_for else "s3"


def _tables_named_in(body: bytes) -> set[str]:
    # a name inside a value marks a table too many now and then, which costs one write
    return {part for part, table in tables().items() if table.name.encode() in body}


def _body(environ: WSGIEnvironment) -> bytes:
    """Read the body and put it back."""
    stream: Any = environ["wsgi.input"]
    body: bytes = stream.read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return body
