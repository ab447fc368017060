"""The sandbox as an ASGI app: who asks, which fault, which key, then one transaction."""

import asyncio
import hmac
import json
from base64 import b64decode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext, suppress
from pathlib import Path
from time import time
from typing import cast

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from infra.sandbox.stripe.delivery import Deliveries
from infra.sandbox.stripe.errors import ApiError, Json, broken, rate_limited
from infra.sandbox.stripe.expand import expanded
from infra.sandbox.stripe.faults import FaultKind, Faults
from infra.sandbox.stripe.forms import decode
from infra.sandbox.stripe.idempotency import IdempotencyKeys, Kept
from infra.sandbox.stripe.lists import Action
from infra.sandbox.stripe.params import Params
from infra.sandbox.stripe.routes import STRIPE, Endpoint
from infra.sandbox.stripe.store import API_VERSION, Store, new_id

MAX_BODY = 1024 * 1024
FILE = "sandbox.sqlite"


class Cut(Response):
    """Breaks the connection in the middle of an answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})


class Sandbox:
    """What the routes share, from start to stop."""

    def __init__(self, folder: Path, secret_key: str, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._secret_key = secret_key
        self._clock = clock
        self._store: Store
        self._keys: IdempotencyKeys
        self._faults = Faults()
        self._deliveries: Deliveries

    @asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._store = Store(self._folder / FILE, self._clock)
        self._keys, self._deliveries = IdempotencyKeys(self._store), Deliveries(self._store)
        sending = asyncio.create_task(self._deliveries.run())
        try:
            yield
        finally:
            self._faults.clear()
            sending.cancel()
            with suppress(asyncio.CancelledError):
                await sending
            self._store.close()

    def serving(self, endpoint: Endpoint) -> Callable[[Request], "asyncio.Future[Response]"]:
        """A route of that endpoint."""

        async def serve(request: Request) -> Response:
            name = new_id("req")
            try:
                return await self._serve(request, endpoint, name)
            except ApiError as error:
                return answer(error.status, json.dumps(error.body), name)

        return cast("Callable[[Request], asyncio.Future[Response]]", serve)

    async def set_fault(self, request: Request) -> Response:
        return await self._switch(request, self._faults.add)

    async def clear_faults(self, request: Request) -> Response:
        return await self._switch(request, lambda _params: self._faults.clear())

    async def count_calls(self, request: Request) -> Response:
        """How many calls are held and how many events wait; changes nothing."""
        return await self._switch(request, lambda params: params.done())

    async def release_calls(self, request: Request) -> Response:
        return await self._switch(request, lambda _params: self._faults.release())

    async def pause_events(self, request: Request) -> Response:
        return await self._switch(request, lambda _params: self._deliveries.pause())

    async def release_events(self, request: Request) -> Response:
        """What waits is sent before this answers: `order=reverse`, `copies=2`."""
        try:
            params = Params(await self._form(request))
            backwards = params.choice("order", ("as_made", "reverse")) == "reverse"
            copies = params.integer("copies", least=1, most=10) or 1
            params.done()
        except ApiError as error:
            return answer(error.status, json.dumps(error.body), new_id("req"))
        return self._state(await self._deliveries.release(backwards=backwards, copies=copies))

    async def _switch(self, request: Request, act: Callable[[Params], None]) -> Response:
        try:
            act(Params(await self._form(request)))
        except ApiError as error:
            return answer(error.status, json.dumps(error.body), new_id("req"))
        return self._state(0)

    def _state(self, sent: int) -> Response:
        waiting = self._store.connection.execute("SELECT count(*) FROM deliveries").fetchone()[0]
        body = {"object": "sandbox", "held_calls": self._faults.held, "waiting_events": waiting, "sent": sent}
        return answer(200, json.dumps(body), new_id("req"))

    async def _serve(self, request: Request, endpoint: Endpoint, name: str) -> Response:
        values = await self._form(request)
        path = request.url.path
        fault = self._faults.take(request.method, path)
        if fault is FaultKind.RATE_LIMIT:
            raise rate_limited()
        key = request.headers.get("idempotency-key") if request.method == "POST" else None
        with self._keys.held(key) if key else nullcontext():
            if fault is FaultKind.TIMEOUT:
                await self._faults.hold()
                return Cut()
            kept = self._keys.find(key, path, values) if key else None
            replayed = kept is not None
            if kept is None:
                paths = Params(values).strings("expand")
                act = endpoint(Params({k: v for k, v in values.items() if k != "expand"}), **request.path_params)
                kept = self._run(act, paths, Call(name, key, path, values, fault))
            if fault is FaultKind.LATE_ANSWER:
                await self._faults.hold()
        if fault is FaultKind.LOST_ANSWER:
            return Cut()
        return answer(kept.status, kept.body, name, key=key, original=kept.request if replayed else None)

    def _run(self, act: Action, expand: list[str], call: "Call") -> Kept:
        """Do it, and keep the answer under its key, in one transaction: a refusal's traces stay, a failure's do not."""
        with self._store.transaction(call.name, call.key) as tx:
            try:
                if call.fault is FaultKind.SERVER_ERROR:
                    raise broken()
                status, body = 200, act(tx)
            except ApiError as error:
                status, body = error.status, error.body
            if status == 200:
                expanded(tx, body, expand)  # outside of the above: a wrong path is bad input, and undoes it all
            kept = Kept(status, json.dumps(body, indent=2), call.name)
            if call.key:
                self._keys.keep(call.key, call.path, call.values, kept)
        self._deliveries.wake()
        return kept

    async def _form(self, request: Request) -> Json:
        """Query and body together. Raises ApiError, also where the key of the account is wrong."""
        self._authenticate(request)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                raise ApiError(413, "The request is too large.")
        try:
            text = body.decode()
        except UnicodeDecodeError as error:
            raise ApiError(400, "Invalid request: the body is not UTF-8") from error
        if request.headers.get("stripe-account"):
            raise ApiError(400, "This sandbox does not act for connected accounts (Stripe-Account).")
        return decode("&".join(part for part in (request.url.query, text) if part))

    def _authenticate(self, request: Request) -> None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            with suppress(ValueError):
                given = b64decode(given, validate=True).decode().partition(":")[0]
        if not given:
            raise ApiError(401, "You did not provide an API key: send it as Authorization: Bearer YOUR_SECRET_KEY.")
        if not hmac.compare_digest(given.encode(), self._secret_key.encode()):
            raise ApiError(401, f"Invalid API Key provided: {given[:8]}***")


class Call:
    """One request, as far as its answer is to be remembered."""

    __slots__ = ("fault", "key", "name", "path", "values")

    def __init__(self, name: str, key: str | None, path: str, values: Json, fault: FaultKind | None) -> None:
        self.name = name
        self.key = key
        self.path = path
        self.values = values
        self.fault = fault


def answer(status: int, body: str, name: str, *, key: str | None = None, original: str | None = None) -> Response:
    headers = {"request-id": name, "stripe-version": API_VERSION}
    if key:
        headers["idempotency-key"] = key
    if original:
        headers |= {"idempotent-replayed": "true", "original-request": original}
    return Response(body, status, headers, media_type="application/json")


async def not_found(request: Request, _error: Exception) -> Response:
    message = f"Unrecognized request URL ({request.method}: {request.url.path})."
    return answer(404, json.dumps(ApiError(404, message).body), new_id("req"))


def create_app(folder: Path, secret_key: str, clock: Callable[[], float] = time) -> Starlette:
    """The sandbox, as an ASGI app; `secret_key` is the one that it lets in."""
    sandbox = Sandbox(folder, secret_key, clock)
    switches = {
        "/_sandbox/faults": sandbox.set_fault,
        "/_sandbox/faults/clear": sandbox.clear_faults,
        "/_sandbox/calls/release": sandbox.release_calls,
        "/_sandbox/calls/count": sandbox.count_calls,
        "/_sandbox/events/pause": sandbox.pause_events,
        "/_sandbox/events/release": sandbox.release_events,
    }
    return Starlette(
        lifespan=sandbox.lifespan,
        routes=[
            *(Route(path, sandbox.serving(endpoint), methods=[method]) for (method, path), endpoint in STRIPE.items()),
            *(Route(path, switch, methods=["POST"]) for path, switch in switches.items()),
        ],
        exception_handlers={404: not_found, 405: not_found},
    )
