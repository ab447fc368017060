"""What Stripe tells the gateway: kept once, before it is answered, and only where it is Stripe's."""

import asyncio
import hashlib
import hmac
import json
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from gateway import MAX_WEBHOOK_BYTES, create_app
from infra.sandbox.stripe.delivery import signature
from settings import STRIPE_WEBHOOKS, Settings
from tests.api.conftest import client_of

MINUTES = 60


@pytest.fixture
async def worker(prepared: Settings) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(prepared.database_worker_url.get_secret_value())
    yield connection
    await connection.close()


@pytest.fixture
def secret(prepared: Settings) -> str:
    return prepared.stripe_webhook_secret.get_secret_value()


def event(**changes: Any) -> str:
    body = {"id": f"evt_{uuid4().hex}", "object": "event", "type": "payment_intent.succeeded", "data": {"object": {}}}
    return json.dumps(body | changes)


def now() -> int:
    return int(datetime.now(UTC).timestamp())


async def tell(http: httpx.AsyncClient, body: str | bytes, signed: str | None) -> httpx.Response:
    headers = {"stripe-signature": signed} if signed is not None else {}
    return await http.post(STRIPE_WEBHOOKS, content=body, headers=headers)


async def kept(worker: asyncpg.Connection, body: str) -> list[asyncpg.Record]:
    key = json.loads(body)["id"]
    found: list[asyncpg.Record] = await worker.fetch("SELECT * FROM payments.webhook_events WHERE event_id = $1", key)
    return found


async def test_an_event_is_kept_word_for_word(http: httpx.AsyncClient, worker: asyncpg.Connection, secret: str) -> None:
    body = event(note="青木\\u0000")
    answer = await tell(http, body, signature(body, secret, now()))
    assert (answer.status_code, answer.json()) == (200, {"received": True, "new": True})
    (row,) = await kept(worker, body)
    assert (row["type"], row["payload"], row["handled_at"]) == ("payment_intent.succeeded", body, None)


async def test_the_same_event_again_is_fine_and_kept_once(
    http: httpx.AsyncClient, worker: asyncpg.Connection, secret: str
) -> None:
    body = event()
    answers = await asyncio.gather(*(tell(http, body, signature(body, secret, now())) for _ in range(5)))
    assert [each.status_code for each in answers] == [200] * 5
    assert sorted(each.json()["new"] for each in answers) == [False] * 4 + [True]
    assert len(await kept(worker, body)) == 1


async def test_a_type_that_nobody_knows_is_taken(
    http: httpx.AsyncClient, worker: asyncpg.Connection, secret: str
) -> None:
    body = event(type="moon.phase_changed")
    assert (await tell(http, body, signature(body, secret, now()))).status_code == 200
    assert len(await kept(worker, body)) == 1


async def test_one_of_several_signatures_is_enough(http: httpx.AsyncClient, secret: str) -> None:
    body = event()
    at, _, right = signature(body, secret, now()).partition(",")
    assert (await tell(http, body, f"{at},v0=old,v1={'0' * 64},{right}")).status_code == 200


async def test_what_is_not_stripes_is_refused(http: httpx.AsyncClient, worker: asyncpg.Connection, secret: str) -> None:
    body = event()
    good = signature(body, secret, now())
    at, _, mac = good.partition(",v1=")
    hostile = {
        "no signature": None,
        "an empty one": "",
        "another secret": signature(body, "whsec_guessed", now()),
        "of another event": signature(event(), secret, now()),
        "another time": f"t={now() - 1},v1={mac}",
        "of an hour ago": signature(body, secret, now() - 60 * MINUTES),
        "of an hour ahead": signature(body, secret, now() + 60 * MINUTES),
        "two times": f"{at},{good}",
        "no time": f"v1={mac}",
        "a time that is no number": f"t=now,v1={mac}",
        "an endless time": f"t={'9' * 500},v1={mac}",
        "another scheme": f"{at},v0={mac}",
        "not hexadecimal": f"{at},v1=é",
        "an endless one": f"{at}," + "v1=0," * 10_000,
    }
    answers = {
        why: (await http.post(STRIPE_WEBHOOKS, content=body, headers=_header(signed))).status_code
        for why, signed in hostile.items()
    }
    assert answers == dict.fromkeys(hostile, 400)
    assert await kept(worker, body) == []


def _header(signed: str | None) -> list[tuple[bytes, bytes]]:
    return [] if signed is None else [(b"stripe-signature", signed.encode("latin-1"))]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b'{"object": "event"}',
        b'{"object": "event", "id": 1, "type": "x"}',
        b'{"object": "event", "id": "evt_1", "type": ""}',
        b'{"object": "charge", "id": "ch_1", "type": "x"}',
        b"[" * 100_000,
    ],
    ids=["nothing", "no text", "a list", "no id", "a number as id", "no type", "no event", "a deep hole"],
)
async def test_what_is_signed_and_no_event_is_refused(http: httpx.AsyncClient, secret: str, body: bytes) -> None:
    at = now()
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    assert (await tell(http, body, f"t={at},v1={mac}")).status_code == 400


async def test_a_body_has_an_end(http: httpx.AsyncClient, secret: str) -> None:
    body = event(note="x" * MAX_WEBHOOK_BYTES)
    assert (await tell(http, body, signature(body, secret, now()))).status_code == 413


async def test_other_methods_have_no_place(http: httpx.AsyncClient) -> None:
    assert (await http.get(STRIPE_WEBHOOKS)).status_code == 405


async def test_while_the_database_is_away_stripe_is_asked_to_come_again(
    http: httpx.AsyncClient, prepared: Settings, secret: str, worker: asyncpg.Connection
) -> None:
    app = create_app(prepared.model_copy(update={"database_timeout_ms": 2_000}))
    body = event()
    async with app.router.lifespan_context(app), client_of(app) as impatient, worker.transaction():
        await worker.execute("LOCK TABLE payments.webhook_events IN ACCESS EXCLUSIVE MODE")
        answer = await tell(impatient, body, signature(body, secret, now()))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert await kept(worker, body) == []
    assert (await tell(http, body, signature(body, secret, now()))).json()["new"] is True


async def test_the_gateway_cannot_read_or_change_what_it_was_told(prepared: Settings) -> None:
    connection = await asyncpg.connect(prepared.database_url.get_secret_value())
    await connection.execute("SELECT set_config('torii.kind', 'admin', false)")
    for sql in ("SELECT count(*) FROM", "DELETE FROM", "TRUNCATE"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(f"{sql} payments.webhook_events")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):  # as if it had been handled
        await connection.execute(
            "INSERT INTO payments.webhook_events (event_id, type, payload, handled_at) VALUES ('evt', 'x', '{}', now())"
        )
    await connection.close()


async def test_from_a_payment_in_the_sandbox_to_a_row(
    app: Starlette, prepared: Settings, worker: asyncpg.Connection
) -> None:
    """The gateway on a real port, the session's sandbox, and everything in between."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}{STRIPE_WEBHOOKS}"
        config = uvicorn.Config(app, lifespan="off", log_level="warning", ws="none")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve([listening]))
        key = prepared.stripe_secret_key.get_secret_value()
        headers = {"authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(base_url=prepared.stripe_api_base, headers=headers, timeout=20) as stripe:
            told = {"url": url, "secret": prepared.stripe_webhook_secret.get_secret_value()}
            assert (await stripe.post("/_sandbox/gateway", data=told)).status_code == 200
            form = {"amount": "1980", "currency": "jpy", "confirm": "true", "payment_method": "pm_card_visa"}
            intent = (await stripe.post("/v1/payment_intents", data=form)).json()
            rows: list[asyncpg.Record] = []
            async with asyncio.timeout(60):
                while not rows:
                    rows = await worker.fetch(
                        "SELECT * FROM payments.webhook_events WHERE type = 'payment_intent.succeeded' "
                        "AND payload -> 'data' -> 'object' ->> 'id' = $1",
                        intent["id"],
                    )
        server.should_exit = True
        await serving
    assert json.loads(rows[0]["payload"])["data"]["object"]["amount_received"] == 1980
