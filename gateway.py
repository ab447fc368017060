"""The gateway as an ASGI app: who is it, which route, how are the back ends. composition/wiring.py makes what it calls."""

import math
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from enum import StrEnum
from hmac import compare_digest
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket

from adapters.health import as_json
from adapters.receipt_links import RECEIPTS
from composition.pictures import pictures
from composition.wiring import Marketplace, open_marketplace
from domain.payments.refusals import UntrustedEvent
from domain.shared.clock import Clock, SystemClock
from domain.shared.ids import SellerId
from domain.shared.rates import Rate
from domain.shared.refusals import NotFound, Unavailable
from engine.compiled.engine import COMPILE_AT
from engine.execution import Executor
from engine.fragments.store import Store
from engine.policy import Policy
from engine.reading.persisted import PersistedDocuments
from engine.streaming.streams import StreamLimits, Streams
from engine.transport import graphiql
from engine.transport.asked import Asked
from engine.transport.batches import Batches
from engine.transport.event_channels import TOKEN, EventChannels
from engine.transport.http import GraphQLHTTP
from engine.transport.http_request import UNREAD, BadRequest, body_of, let_by
from engine.transport.http_streams import Carrying
from engine.transport.open_sockets import OpenSockets, by_host
from engine.transport.origins import guards
from engine.transport.socket_watch import SocketWatch, Verdict
from engine.transport.websocket import GraphQLWebSocket, SocketLimits
from engine.watching.metrics import CONTENT_TYPE as METRICS_TYPE
from engine.watching.metrics import Metrics
from infra.background import running
from infra.draining import Draining
from infra.garbage import seldom_collected
from resolvers.allowance import RateLimits, Rates, network_of
from resolvers.context import Context
from resolvers.errors import explain_to
from resolvers.requests import DEVICE, GUEST, Contexts
from schema.build import build_schema
from schema.examples import EXAMPLES
from settings import STRIPE_WEBHOOKS, EngineKind, Mode, Settings, listed

GRAPHQL_PATHS = ("/graphql", "/api/graphql")
HEALTH_PATHS = ("/health", "/api/health")
METRICS = "/metrics"
GRAPHIQL_ASSETS = "/graphiql"
MAX_WEBHOOK_BYTES = 1024 * 1024
NOT_SERVED = PlainTextResponse("set TORII_METRICS_TOKEN", 404)
PDF = "application/pdf"
NOBODY_KEEPS = {
    "cache-control": "private, no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex",
}
"""Of what belongs to a person, by an address that opens it."""


class Phase(StrEnum):
    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"
    """Asked to stop, and still serving."""


class Gateway:
    """What the routes share, from start to stop."""

    def __init__(self, settings: Settings, draining: Draining, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self.metrics = Metrics()
        self.fragments = Store(settings.fragment_bytes if settings.fragments else 0)
        self.fragments.tell(self.metrics)
        self.allowance: RateLimits | None = None
        self._draining = draining
        self._marketplace: Marketplace | None = None
        self._tell_of_capture()
        self._contexts: Contexts | None = None
        self._shared: list[PersistedDocuments] = []
        self._jobs: list[Callable[[], Coroutine[Any, Any, None]]] = []

    def _tell_of_capture(self) -> None:
        held = "Bytes of the database's log that are held back for the capture of changes."
        most = "Bytes of it that may be held back: with more, changes are lost."
        self.metrics.gauge(
            "torii_capture_held_bytes",
            held,
            lambda: {} if self._marketplace is None else self._marketplace.capture.held(),
        )
        self.metrics.gauge(
            "torii_capture_most_bytes",
            most,
            lambda: {} if self._marketplace is None else self._marketplace.capture.most(),
        )

    def share(self, documents: PersistedDocuments) -> None:
        """Documents that all processes are to know of, once the back ends are open."""
        self._shared.append(documents)

    def run_beside(self, job: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """A job that runs for as long as requests are served."""
        self._jobs.append(job)

    @asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        async with (
            open_marketplace(self._settings, self._clock, self.fragments) as marketplace,
            AsyncExitStack() as stack,
        ):
            self._marketplace = marketplace
            for documents in self._shared:
                documents.registered = marketplace.documents
            secure = self._settings.url.startswith("https:")
            self._contexts = Contexts(marketplace.services, marketplace.guests, secure=secure)
            for job in self._jobs:
                await stack.enter_async_context(running(job))
            with seldom_collected():
                yield

    @property
    def phase(self) -> Phase:
        if self._draining.has_begun:
            return Phase.DRAINING
        return Phase.STARTING if self._marketplace is None else Phase.READY

    async def http_context(self, asked: Asked) -> Context:
        assert self._contexts is not None
        return await self._contexts.of_request(asked)

    async def websocket_context(self, websocket: WebSocket, payload: dict[str, Any]) -> Context:
        assert self._contexts is not None
        return await self._contexts.of_socket(Asked(websocket.scope), payload)

    async def still_allowed(self, contexts: Sequence[Context]) -> Sequence[Verdict]:
        assert self._contexts is not None
        return await self._contexts.still_allowed(contexts)

    async def alive(self, _request: Request) -> Response:
        """The process runs."""
        return JSONResponse({"status": "alive"})

    async def health(self, _request: Request) -> Response:
        """For the load balancer: a back end that is down must not take every gateway out, so it is only told."""
        if self.phase is not Phase.READY or self._marketplace is None:
            return JSONResponse({"status": self.phase}, 503)
        states = await self._marketplace.health.states()
        status = "ok" if all(state.is_up for state in states) else "degraded"
        return JSONResponse({"status": status, "backEnds": as_json(states)})

    async def figures(self, request: Request) -> Response:
        """For Prometheus, who comes by address as the load balancer does."""
        token = self._settings.metrics_token.get_secret_value()
        if not token and self._settings.mode is not Mode.DEVELOPMENT:
            return NOT_SERVED
        sent = request.headers.get("authorization", "")
        if token and not compare_digest(sent.encode(), f"Bearer {token}".encode()):
            return PlainTextResponse("not for you", 401, {"www-authenticate": "Bearer"})
        if self._marketplace is not None:
            await self._marketplace.capture.look()
        return Response(self.metrics.text(), media_type=METRICS_TYPE)

    async def stripe_webhook(self, request: Request) -> Response:
        """Stripe tells what happened. 200 once it is kept, also a second time; 503 where it is not, so that it comes again."""
        assert self._marketplace is not None
        asked, within_s = Asked(request.scope), self._settings.body_timeout_ms / 1000
        try:
            body = await body_of(asked, request.receive, MAX_WEBHOOK_BYTES, within_s)
            is_new = await self._marketplace.payment_events.receive(body, request.headers.get("stripe-signature"))
        except BadRequest as refused:
            if refused.status in UNREAD:
                await let_by(asked, request.receive)
            return JSONResponse({"error": refused.message}, refused.status, {"connection": "close"})
        except UntrustedEvent as refusal:
            return JSONResponse({"error": refusal.message}, 400)
        except Unavailable as outage:
            return JSONResponse({"error": outage.message}, 503, {"retry-after": "5"})
        return JSONResponse({"received": True, "new": is_new})

    async def receipt(self, request: Request) -> Response:
        """A receipt on paper, for whoever has its signed address. One that opens nothing is as one that never was."""
        assert self._marketplace is not None
        services = self._marketplace.services
        token, seller_id = request.path_params["token"], SellerId(request.path_params["seller_id"])
        try:
            after_s = 0.0
            if self.allowance is not None:
                after_s = await self.allowance.take_request(services.limiter, Asked(request.scope).address)
            if after_s > 0:
                headers = {"retry-after": str(math.ceil(after_s)), **NOBODY_KEEPS}
                return PlainTextResponse("too often, for now", 429, headers)
            paper = await services.receipt_papers.paper(token, seller_id)
        except NotFound:
            return PlainTextResponse("no such receipt, or no longer", 404, NOBODY_KEEPS)
        except Unavailable as outage:
            return JSONResponse({"error": outage.message}, 503, {"retry-after": "5", **NOBODY_KEEPS})
        name = f'inline; filename="{paper.name}"'
        return Response(paper.content, 200, {"content-disposition": name, **NOBODY_KEEPS}, PDF)


def create_app(settings: Settings, draining: Draining | None = None, clock: Clock | None = None) -> Starlette:
    """The gateway, as an ASGI app. Its back ends open when it starts, and close when it stops."""
    draining = draining or Draining()
    gateway = Gateway(settings, draining, clock or SystemClock())
    policy = Policy(
        settings.query_timeout_ms / 1000,
        settings.limits,
        introspection=settings.serves_graphiql,
        hints=settings.mode is Mode.DEVELOPMENT,
        compile_at=COMPILE_AT if settings.engine is EngineKind.COMPILED else None,
        manifest=settings.trusted_documents,
        only_trusted=settings.only_trusted_documents,
        automatic=settings.automatic_persisted_queries,
        slow_ms=settings.log_slow_ms,
        traces=settings.shows_traces,
        shadow_share=settings.shadow_share,
    )
    allowance = gateway.allowance = RateLimits(_rates(settings)) if settings.rate_limits else None
    executor = Executor(
        build_schema()._schema,
        explain_to,
        policy,
        allowance,
        gateway.metrics,
        gateway.fragments if settings.fragments else None,
    )
    gateway.share(executor.entry.documents)
    streams = Streams(executor, StreamLimits(settings.max_subscriptions, settings.max_subscriptions_each))
    watch = SocketWatch(gateway.still_allowed)
    gateway.run_beside(watch.watch)
    draining.when_stopping.append(watch.end_all)
    carrying = Carrying(streams, Context.renewed, watch)
    channels = EventChannels(streams, Context.renewed, watch)
    gateway.run_beside(channels.watch)
    batches = Batches(executor, Context.following, settings.max_batch)
    http = GraphQLHTTP(executor, gateway.http_context, policy.limits, carrying, channels, batches)
    page = graphiql.page(GRAPHIQL_ASSETS, EXAMPLES) if settings.serves_graphiql else None
    endpoint = http if page is None else graphiql.WithPage(http, page)
    websocket = GraphQLWebSocket(
        streams,
        gateway.websocket_context,
        Context.renewed,
        _socket_limits(settings),
        watch,
        OpenSockets(settings.websockets_per_address, lambda socket: network_of(by_host(socket))),
    )
    app = Starlette(
        lifespan=gateway.lifespan,
        middleware=guards(
            listed(settings.allowed_origins),
            listed(settings.allowed_hosts),
            headers=("authorization", "content-type", DEVICE.header, GUEST.header, "traceparent", TOKEN.decode()),
            exposed=(DEVICE.header, GUEST.header),
            health=(*HEALTH_PATHS, METRICS),
            endpoints=dict.fromkeys(GRAPHQL_PATHS, endpoint),
        ),
        routes=[
            Route(HEALTH_PATHS[0], gateway.alive),
            Route(HEALTH_PATHS[1], gateway.health),
            Route(METRICS, gateway.figures),
            Route(STRIPE_WEBHOOKS, gateway.stripe_webhook, methods=["POST"]),
            *(Route(path, endpoint) for path in GRAPHQL_PATHS),
            *(WebSocketRoute(path, websocket) for path in GRAPHQL_PATHS),
            Route(f"{RECEIPTS}/{{token}}/{{seller_id:uuid}}.pdf", gateway.receipt),
            *pictures(),
            *([Mount(GRAPHIQL_ASSETS, graphiql.assets())] if page else []),
        ],
    )
    app.state.fragments = gateway.fragments
    return app


def _rates(settings: Settings) -> Rates:
    return Rates(
        Rate("requests", settings.rate_requests_per_s, settings.rate_requests_burst),
        Rate("cost", settings.rate_cost_per_minute / 60, settings.rate_cost_burst),
        settings.operation_rates,
        settings.rate_at_once,
    )


def _socket_limits(settings: Settings) -> SocketLimits:
    return SocketLimits(
        init_s=settings.websocket_init_s,
        ping_every_s=settings.websocket_ping_s,
        idle_s=settings.websocket_idle_s,
        max_operations=settings.websocket_max_operations,
        max_messages_per_s=settings.websocket_max_messages,
        max_values=settings.max_json_values,
    )
