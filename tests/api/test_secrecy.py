"""Nothing personal gets out: not into a log line, not into an error, whatever is sent and whatever breaks.

The gateway runs on a socket with its own logging at the level debug, and a line for every operation. Everything that is sent
holds marked values; then they are looked for.
"""

import asyncio
import hashlib
import io
import json
import logging
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx
import pytest
import uvicorn
from graphql import GraphQLSchema
from websockets.asyncio.client import connect

from adapters.cognito.pool import DEMO_PASSWORD, ensure_user
from composition.cloud import open_aws, token, user_pool
from gateway import create_app
from infra import logs
from infra.sandbox.stripe.delivery import signature
from schema.build import build_schema
from settings import STRIPE_WEBHOOKS, Settings
from tests.api.client import Client
from tests.api.conftest import Tokens
from tests.api.marked import Composer, Markers, Operation
from tests.factories import Factory
from tests.relay import relayed

HURRY = {"database_timeout_ms": 300, "redis_timeout_ms": 100, "dynamodb_timeout_ms": 300, "cognito_timeout_ms": 300}
CREATE = """mutation Create($in: AddressCreateInput!) { p: addressCreate(input: $in) { address { city line1 }
  userErrors { code field message } } }"""
ENDING = ("sessionEnd", "passwordChange")
"""After these the token is not good any more."""


class Watched:
    """What the process has written to its standard error, and what clients were answered."""

    def __init__(self, written: io.StringIO) -> None:
        self.markers = Markers()
        self.errors: list[Any] = []
        self._written = written

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._written.getvalue().splitlines()]

    def told(self, answer: Any) -> Any:
        """Keep what is wrong in an answer: its errors, and those of mutations."""
        self.errors.append(answer.get("errors"))
        self.errors += [each["userErrors"] for each in (answer.get("data") or {}).values() if _refuses(each)]
        return answer

    def shown(self) -> list[tuple[str, str]]:
        """Each marker that got out, and where."""
        found = [(marker, told) for told in map(_text, self.errors) for marker in self.markers.shown_in(told)]
        for line in self.lines:
            told = _text({name: value for name, value in line.items() if name not in ("time", "traceId", "userId")})
            found += [(marker, told) for marker in self.markers.shown_in(told)]
        return found


def _refuses(value: Any) -> bool:
    return isinstance(value, dict) and bool(value.get("userErrors"))


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    """Logging as `torii serve` has it, at its most talkative, written where we can read it."""
    loggers = [
        logging.root,
        *(each for each in logging.root.manager.loggerDict.values() if isinstance(each, logging.Logger)),
    ]
    before = [(each, each.level) for each in loggers]
    handlers = logging.root.handlers[:]
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    logging.root.handlers[:] = []  # pytest's own are not to be closed
    logs.configure("debug")
    yield Watched(written)
    for each in logging.root.manager.loggerDict.values():
        if isinstance(each, logging.Logger):
            each.setLevel(logging.NOTSET)
    for logger, level in before:
        logger.setLevel(level)
    logging.root.handlers[:] = handlers


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema()._schema


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[str]:
    """The gateway on a socket; its address. Every operation gets its line."""
    app = create_app(
        settings.model_copy(update={"log_level": "debug", "log_slow_ms": 0, "websocket_max_messages": 10_000})
    )
    async with app.router.lifespan_context(app):
        options: dict[str, Any] = {"log_config": None, "access_log": False, "ws": "websockets-sansio"}
        server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off", http="httptools", **options))
        running = asyncio.create_task(server.serve())
        async with asyncio.timeout(60):
            while not server.started:
                await asyncio.sleep(0.01)
        try:
            yield f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        finally:
            server.should_exit = True
            await running


@asynccontextmanager
async def client_at(address: str, bearer: str | None = None) -> AsyncIterator[Client]:
    async with httpx.AsyncClient(base_url=f"http://{address}", timeout=60) as http:
        yield Client(http, token=bearer)


async def send(client: Client, watched: Watched, operations: Iterable[Operation]) -> list[Any]:
    """Eight at a time."""
    free = asyncio.Semaphore(8)

    async def one(query: str, variables: dict[str, Any]) -> Any:
        async with free:
            return watched.told(await client.answer(query, **variables))

    return await asyncio.gather(*(one(*operation) for operation in operations))


async def marked_token(watched: Watched, settings: Settings) -> str:
    """Somebody signed in, whose address and token are marked, too."""
    email, password = watched.markers.of("email"), DEMO_PASSWORD
    async with open_aws(settings, 10_000) as aws:
        await ensure_user(aws, await user_pool(settings, aws), email, password, "buyer")
    bearer = await token(settings, email, password)
    watched.markers.made.add(bearer.rpartition(".")[2].lower())
    return bearer


def addresses(watched: Watched) -> dict[str, Any]:
    names = ("recipientName", "postalCode", "prefecture", "city", "line1", "line2", "phoneNumber")
    return {name: watched.markers.of(name) for name in names} | {"idempotencyKey": watched.markers.word()}


async def test_right_ones(prepared: Settings, schema: GraphQLSchema, watched: Watched) -> None:
    mine = Composer(schema, watched.markers, everything=True)
    bearer = await marked_token(watched, prepared)
    async with serving(prepared) as address:
        async with client_at(address, bearer) as user:
            operations = sorted(mine.right_ones(), key=lambda each: any(name in each[0] for name in ENDING))
            await send(user, watched, operations[: -2 * len(ENDING)])
            kept = await user.data(CREATE, **{"in": addresses(watched)})
            for operation in operations[-2 * len(ENDING) :]:
                await send(user, watched, [operation])
        assert kept["p"]["userErrors"] == []  # so marked values have been all the way, and are shown as data
        assert watched.markers.shown_in(_text(kept["p"]["address"]))
        for other in (None, watched.markers.word(), f"{bearer[:-9]}{watched.markers.word()}"):
            async with client_at(address, other) as stranger:
                await send(stranger, watched, mine.right_ones())
    assert watched.shown() == []


async def test_wrong_ones(prepared: Settings, schema: GraphQLSchema, watched: Watched) -> None:
    operations = list(Composer(schema, watched.markers).wrong_ones())
    bearer = await marked_token(watched, prepared)
    async with serving(prepared) as address, client_at(address, bearer) as user:
        answers = await send(user, watched, operations)
        got = await asyncio.gather(
            *(
                user.http.get("/graphql", params={"query": query, "variables": _text(given)})
                for query, given in operations[::9]
            )
        )
        for each in got:
            watched.told(each.json())
        await _as_persisted_queries(user, operations[::7], watched)
        await _over_a_socket(address, bearer, operations[::5], watched)
    through = [query for (query, _), answer in zip(operations, answers, strict=True) if "errors" not in answer]
    assert len(through) < len(operations) / 20, through
    assert watched.shown() == []


async def _as_persisted_queries(user: Client, operations: list[Operation], watched: Watched) -> None:
    for query, variables in operations:
        named = {"persistedQuery": {"version": 1, "sha256Hash": hashlib.sha256(query.encode()).hexdigest()}}
        body = {"query": query, "variables": variables, "extensions": named}
        watched.told((await user.http.post("/graphql", json=body, headers=user.headers)).json())


async def _over_a_socket(address: str, bearer: str, operations: list[Operation], watched: Watched) -> None:
    url = f"ws://{address}/graphql?token={watched.markers.word()}"
    async with connect(url, subprotocols=["graphql-transport-ws"], user_agent_header=None) as socket:  # type: ignore[list-item]
        await socket.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {bearer}"}}))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        for number, (query, variables) in enumerate(operations):
            payload = {"query": query, "variables": variables}
            await socket.send(json.dumps({"type": "subscribe", "id": str(number), "payload": payload}))
            told = json.loads(await asyncio.wait_for(socket.recv(), 30))
            if told["type"] == "next":
                watched.told(told["payload"])
                await socket.recv()  # complete
            else:
                assert told["type"] == "error", told
                watched.errors.append(told["payload"])
    async with connect(url, subprotocols=["graphql-transport-ws"]) as socket:  # type: ignore[list-item]
        bad = {"authorization": f"Bearer {watched.markers.word()}"}
        await socket.send(json.dumps({"type": "connection_init", "payload": bad}))
        await socket.wait_closed()
        watched.errors.append(socket.close_reason)


@pytest.mark.parametrize("back_end", ["database_url", "redis_url", "aws_endpoint_url"])
async def test_back_ends_that_fail(prepared: Settings, schema: GraphQLSchema, watched: Watched, back_end: str) -> None:
    bearer = await marked_token(watched, prepared)
    value = getattr(prepared, back_end)
    plain = value if isinstance(value, str) else value.get_secret_value()
    operations = list(Composer(schema, watched.markers, everything=True).right_ones())
    async with relayed(plain.rstrip("/") + "/" if back_end == "aws_endpoint_url" else plain) as (relay, url):
        hurried = prepared.model_copy(update={back_end: url if isinstance(value, str) else type(value)(url), **HURRY})
        async with serving(hurried) as address, client_at(address, bearer) as user, client_at(address) as nobody:
            await send(user, watched, [("{ viewer { email } }", {})])
            relay.flowing.clear()
            frozen = await send(user, watched, operations[::2]) + await send(nobody, watched, operations[1::2])
            await relay.close()
            relay.flowing.set()
            await send(user, watched, operations[::2])
    codes = {error["extensions"]["code"] for answer in frozen for error in answer.get("errors", [])}
    assert "SERVICE_UNAVAILABLE" in codes or back_end == "redis_url"  # which is passed over
    assert watched.shown() == []


async def test_a_row_that_the_database_refuses(prepared: Settings, watched: Watched) -> None:
    """Its own words quote the whole row."""
    bearer, row = await marked_token(watched, prepared), addresses(watched)
    owner = await asyncpg.connect(prepared.database_owner_url.get_secret_value())
    await owner.execute(
        f"ALTER TABLE accounts.addresses ADD CONSTRAINT proof CHECK (city <> '{row['city']}') NOT VALID"
    )
    try:
        async with serving(prepared) as address, client_at(address, bearer) as user:
            [answer] = await send(user, watched, [(CREATE, {"in": row})])
    finally:
        await owner.execute("ALTER TABLE accounts.addresses DROP CONSTRAINT proof")
        await owner.close()
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["INTERNAL_SERVER_ERROR"]
    [line] = [line for line in watched.lines if line["logger"] == "torii.errors"]
    assert "23514" in _text(line["error"])
    assert watched.shown() == []


async def test_an_address_that_is_somebody_elses(
    prepared: Settings, watched: Watched, make: Factory, token_of: Tokens
) -> None:
    email = watched.markers.of("email")
    await make.user(email=email)
    bearer = await token_of(email, "buyer")
    async with serving(prepared) as address, client_at(address, bearer) as user:
        [answer] = await send(user, watched, [("{ viewer { email } }", {})])
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["ADDRESS_TAKEN"]
    assert watched.shown() == []


async def test_what_stripe_tells(prepared: Settings, watched: Watched) -> None:
    card = {
        "number": str(watched.markers.number()),
        "name": watched.markers.word(),
        "email": watched.markers.of("email"),
    }
    body = json.dumps({"id": f"evt_{watched.markers.word()}", "object": "event", "type": "x", "data": {"object": card}})
    now = int(datetime.now(UTC).timestamp())
    secret = prepared.stripe_webhook_secret.get_secret_value()
    guessed = signature(body, watched.markers.word(), now)
    right = (body, signature(body, secret, now))
    wrong = [(body, guessed), (body[:-9], signature(body[:-9], secret, now))]
    worker = await asyncpg.connect(prepared.database_worker_url.get_secret_value())
    async with (
        serving(prepared.model_copy(update={"database_timeout_ms": 2_000})) as address,
        client_at(address) as stripe,
    ):

        async def tell(text: str, signed: str) -> int:
            answer = await stripe.http.post(STRIPE_WEBHOOKS, content=text, headers={"stripe-signature": signed})
            watched.errors.append(answer.text)
            return answer.status_code

        async with worker.transaction():
            await worker.execute("LOCK TABLE payments.webhook_events IN ACCESS EXCLUSIVE MODE")
            assert await tell(*right) == 503
        assert [await tell(*each) for each in (right, *wrong)] == [200, 400, 400]
    await worker.close()
    assert watched.shown() == []


async def test_a_line_for_each_operation(prepared: Settings, watched: Watched) -> None:
    bearer = await marked_token(watched, prepared)
    async with serving(prepared) as address, client_at(address, bearer) as user:
        await send(user, watched, [("query Mine { viewer { email } }", {}), ("mutation { nope }", {})])
    [mine, wrong] = sorted(
        (line for line in watched.lines if line["logger"] == "torii.operations"),
        key=lambda line: str(line["outcome"]),
        reverse=True,
    )
    assert (mine["operation"], mine["operationType"], mine["outcome"], mine["cost"]) == ("Mine", "query", "ok", 2)
    assert len(mine["userId"]) == 36
    assert len(mine["traceId"]) == 32
    assert mine["durationMs"] > 0
    assert wrong["outcome"] == ["GRAPHQL_VALIDATION_FAILED"]


async def test_the_search_would_find_one(prepared: Settings, watched: Watched) -> None:
    """What is looked for, where a careless line would be."""
    marker = watched.markers.word()
    logging.getLogger("torii.tests").debug("signing in %s", {"password": marker})
    logging.getLogger("botocore").debug("sending %s", marker)
    assert [found for found, _ in watched.shown()] == [marker]
