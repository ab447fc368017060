"""Events of the sandbox, as an endpoint receives them."""

import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import stripe

from tests.infra.running import until
from tests.sandbox.running import Sandbox
from tests.sandbox.test_payments import error_of, paid


@dataclass
class Listener:
    """An endpoint: what came, and what it answers next (200 once that list is empty)."""

    url: str = ""
    came: list[tuple[str, bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.came]

    def types(self) -> list[str]:
        return [event["type"] for event in self.events()]


@pytest.fixture
def listener(sandbox: Sandbox) -> Iterator[Listener]:
    heard = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            heard.came.append((self.headers["stripe-signature"], body))
            self.send_response(heard.answers.pop(0) if heard.answers else 200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    serving.start()
    heard.url = f"http://127.0.0.1:{server.server_port}/hook"
    yield heard
    for each in sandbox.get("/v1/webhook_endpoints", limit=100).json()["data"]:
        sandbox.delete(f"/v1/webhook_endpoints/{each['id']}")
    server.shutdown()
    serving.join()
    server.server_close()


def listen(sandbox: Sandbox, listener: Listener, kind: str = "*") -> dict[str, Any]:
    made: dict[str, Any] = sandbox.post("/v1/webhook_endpoints", url=listener.url, **{"enabled_events[]": kind}).json()
    return made


def test_a_payment_is_told_signed(sandbox: Sandbox, listener: Listener) -> None:
    endpoint = listen(sandbox, listener)
    intent = paid(sandbox)
    until(lambda: len(listener.came) == 3, "three events came")
    assert listener.types() == ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]
    signature, body = listener.came[-1]
    at, _, given = signature.partition(",v1=")
    expected = hmac.new(endpoint["secret"].encode(), f"{at[2:]}.".encode() + body, sha256).hexdigest()
    assert given == expected
    event = stripe.Webhook.construct_event(body, signature, endpoint["secret"])
    assert (event["type"], event["data"]["object"]["id"]) == ("payment_intent.succeeded", intent["id"])
    assert sandbox.get(f"/v1/events/{event['id']}").json()["data"]["object"]["status"] == "succeeded"
    assert "secret" not in sandbox.get(f"/v1/webhook_endpoints/{endpoint['id']}").json()


def test_only_the_kinds_that_were_asked_for(sandbox: Sandbox, listener: Listener) -> None:
    listen(sandbox, listener, "payment_intent.succeeded")
    paid(sandbox)
    paid(sandbox)
    until(lambda: len(listener.came) == 2, "two events came")
    assert set(listener.types()) == {"payment_intent.succeeded"}


def test_what_was_not_taken_comes_again(sandbox: Sandbox, listener: Listener) -> None:
    listener.answers = [503, 500]
    listen(sandbox, listener, "payment_intent.succeeded")
    paid(sandbox)
    until(lambda: len(listener.came) == 1, "it came once")
    sandbox.post("/_sandbox/events/release")  # now, in place of a second later
    until(lambda: len(listener.came) == 3, "it came until it was taken")
    assert len({event["id"] for event in listener.events()}) == 1
    until(lambda: sandbox.post("/_sandbox/calls/count").json()["waiting_events"] == 0, "nothing waits")


def test_backwards_and_twice_on_request(sandbox: Sandbox, listener: Listener) -> None:
    listen(sandbox, listener)
    sandbox.post("/_sandbox/events/pause")
    paid(sandbox)
    assert sandbox.post("/_sandbox/calls/count").json()["waiting_events"] == 3
    assert listener.came == []
    assert sandbox.post("/_sandbox/events/release", order="reverse", copies=2).json()["sent"] == 6
    types = ["payment_intent.succeeded", "charge.succeeded", "payment_intent.created"]
    assert listener.types() == [each for each in types for _ in range(2)]
    assert len({event["id"] for event in listener.events()}) == 3


def test_it_calls_nobody_but_this_machine(sandbox: Sandbox) -> None:
    for url in ("https://shop.example/hook", "http://10.0.0.1/", "file:///etc/passwd", "http://127.0.0.1:99999/"):
        answer = sandbox.post("/v1/webhook_endpoints", url=url, **{"enabled_events[]": "*"})
        assert error_of(answer, 400)["param"] == "url"


def test_the_gateway_has_one_endpoint_wherever_it_is(sandbox: Sandbox, listener: Listener) -> None:
    first = sandbox.post("/_sandbox/gateway", url="http://127.0.0.1:1/", secret="whsec_1").json()
    second = sandbox.post("/_sandbox/gateway", url=listener.url, secret="whsec_2").json()
    assert first["id"] == second["id"]
    paid(sandbox)
    until(lambda: "payment_intent.succeeded" in listener.types(), "it came")
    signature, body = listener.came[0]
    assert stripe.Webhook.construct_event(body, signature, "whsec_2")["object"] == "event"
