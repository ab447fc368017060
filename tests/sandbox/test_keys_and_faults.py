"""Idempotency keys, faults and what a killed sandbox still knows."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.infra.running import free_port, until
from tests.sandbox.running import Sandbox, running
from tests.sandbox.test_payments import error_of, paid

URL = "/v1/payment_intents"
FORM = {"amount": 1980, "currency": "jpy"}
PAY = FORM | {"confirm": "true", "payment_method": "pm_card_visa"}


@pytest.fixture(autouse=True)
def no_fault_is_left(sandbox: Sandbox) -> None:
    sandbox.post("/_sandbox/faults/clear")


def fault(sandbox: Sandbox, kind: str, path: str = URL, **more: Any) -> None:
    assert sandbox.post("/_sandbox/faults", kind=kind, path=path, **more).status_code == 200


def intents_of(sandbox: Sandbox, order: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sandbox.get(f"{URL}/search", query=f"metadata['order_id']:'{order}'").json()["data"]
    return found


def while_held(sandbox: Sandbox, call: Callable[[], Any]) -> "Future[Any]":
    """Make a call that is held by a fault, in a thread, and return once it is."""
    pool = ThreadPoolExecutor(1)
    running = pool.submit(call)
    until(lambda: sandbox.post("/_sandbox/calls/count").json()["held_calls"] == 1, "the call is held")
    pool.shutdown(wait=False)
    return running


class TestKeys:
    def test_the_first_answer_is_given_again(self, sandbox: Sandbox) -> None:
        first = sandbox.post(URL, "same", **PAY)
        again = sandbox.post(URL, "same", **PAY)
        assert again.json() == first.json()
        assert again.headers["idempotent-replayed"] == "true"
        assert again.headers["original-request"] == first.headers["request-id"] != again.headers["request-id"]
        assert "idempotent-replayed" not in first.headers

    def test_the_order_of_parameters_is_nothing(self, sandbox: Sandbox) -> None:
        first = sandbox.post(URL, "order", amount=500, currency="jpy")
        assert sandbox.post(URL, "order", currency="jpy", amount=500).json() == first.json()

    def test_other_parameters_are_refused(self, sandbox: Sandbox) -> None:
        first = sandbox.post(URL, "other", **FORM).json()
        error = error_of(sandbox.post(URL, "other", **FORM | {"amount": 1981}), 400)
        assert error["type"] == "idempotency_error"
        error = error_of(sandbox.post(f"{URL}/{first['id']}/cancel", "other"), 400)
        assert error["type"] == "idempotency_error"

    def test_a_decline_is_an_answer_too(self, sandbox: Sandbox) -> None:
        form = PAY | {"payment_method": "pm_card_chargeDeclined", "metadata[order_id]": "declined"}
        first = sandbox.post(URL, "declined", **form)
        assert error_of(first, 402) == error_of(sandbox.post(URL, "declined", **form), 402)
        assert len(intents_of(sandbox, "declined")) == 1

    def test_invalid_parameters_are_not_remembered(self, sandbox: Sandbox) -> None:
        error_of(sandbox.post(URL, "put right", amount="many", currency="jpy"), 400)
        assert sandbox.post(URL, "put right", **FORM).status_code == 200

    def test_the_second_is_told_that_the_first_still_runs(self, sandbox: Sandbox) -> None:
        fault(sandbox, "late_answer")
        first = while_held(sandbox, lambda: sandbox.post(URL, "running", **PAY))
        error = error_of(sandbox.post(URL, "running", **PAY), 409)
        assert (error["type"], error["code"]) == ("idempotency_error", "idempotency_key_in_use")
        sandbox.post("/_sandbox/calls/release")
        assert first.result(20).json()["id"] == sandbox.post(URL, "running", **PAY).json()["id"]

    def test_a_key_has_at_most_255_characters(self, sandbox: Sandbox) -> None:
        assert sandbox.post(URL, "k" * 255, **FORM).status_code == 200
        error_of(sandbox.post(URL, "k" * 256, **FORM), 400)

    def test_a_partial_refund_sent_twice_is_made_once(self, sandbox: Sandbox) -> None:
        intent = paid(sandbox)
        form = {"payment_intent": intent["id"], "amount": 900}
        assert sandbox.post("/v1/refunds", "r1", **form).json() == sandbox.post("/v1/refunds", "r1", **form).json()
        assert sandbox.get(f"/v1/charges/{intent['latest_charge']}").json()["amount_refunded"] == 900


class TestFaults:
    def test_429_happens_before_anything(self, sandbox: Sandbox) -> None:
        fault(sandbox, "rate_limit")
        assert error_of(sandbox.post(URL, "429", **FORM), 429)["code"] == "rate_limit"
        assert sandbox.post(URL, "429", **FORM).status_code == 200

    def test_500_is_remembered_and_nothing_happened(self, sandbox: Sandbox) -> None:
        fault(sandbox, "server_error")
        form = PAY | {"metadata[order_id]": "broken"}
        assert error_of(sandbox.post(URL, "500", **form), 500)["type"] == "api_error"
        assert error_of(sandbox.post(URL, "500", **form), 500)["type"] == "api_error"
        assert intents_of(sandbox, "broken") == []
        assert sandbox.post(URL, "500 again", **form).status_code == 200

    def test_a_lost_answer_has_been_a_charge(self, sandbox: Sandbox) -> None:
        fault(sandbox, "lost_answer")
        form = PAY | {"metadata[order_id]": "lost"}
        with pytest.raises(httpx.RemoteProtocolError):
            sandbox.post(URL, "lost", **form)
        (made,) = intents_of(sandbox, "lost")
        assert made["status"] == "succeeded"
        again = sandbox.post(URL, "lost", **form)
        assert (again.json()["id"], again.headers["idempotent-replayed"]) == (made["id"], "true")

    def test_after_a_timeout_nothing_has_happened(self, sandbox: Sandbox) -> None:
        fault(sandbox, "timeout")
        form = PAY | {"metadata[order_id]": "timeout"}
        held = while_held(sandbox, lambda: sandbox.post(URL, "timeout", **form))
        sandbox.post("/_sandbox/calls/release")
        with pytest.raises(httpx.RemoteProtocolError):
            held.result(20)
        assert intents_of(sandbox, "timeout") == []
        assert sandbox.post(URL, "timeout", **form).json()["status"] == "succeeded"

    def test_only_the_calls_that_are_named_so_many_times(self, sandbox: Sandbox) -> None:
        fault(sandbox, "rate_limit", "/v1/refunds", times=2)
        assert sandbox.post(URL, **FORM).status_code == 200
        assert [sandbox.post("/v1/refunds").status_code for _ in range(3)] == [429, 429, 400]


class TestWhoMayAsk:
    def test_only_with_the_key(self, sandbox: Sandbox) -> None:
        for headers in ({}, {"authorization": "Bearer sk_test_wrong"}, {"authorization": "Basic !"}):
            for path in ("/v1/balance", "/v1/payment_intents"):
                answer = httpx.get(sandbox.url + path, headers=headers, trust_env=False)
                assert error_of(answer, 401)["type"] == "invalid_request_error"
        assert httpx.post(f"{sandbox.url}/_sandbox/faults", trust_env=False).status_code == 401

    def test_a_body_has_an_end(self, sandbox: Sandbox) -> None:
        error_of(sandbox.post(URL, description="x" * (1024 * 1024)), 413)

    def test_unknown_addresses_are_told_in_the_same_form(self, sandbox: Sandbox) -> None:
        assert "Unrecognized request URL" in error_of(sandbox.get("/v1/nothing"), 404)["message"]


def test_killed_outright_it_still_knows_charges_keys_and_waiting_events(tmp_path: Path) -> None:
    folder, port, gone = tmp_path / "data", free_port(), free_port()
    with running(folder, port) as before:
        sandbox_url = f"http://127.0.0.1:{gone}/"
        before.post("/v1/webhook_endpoints", url=sandbox_url, **{"enabled_events[]": "payment_intent.succeeded"})
        first = before.post(URL, "kept", **PAY).json()
        before.kill()
    with running(folder, port) as after:
        assert after.post(URL, "kept", **PAY).json() == first
        assert after.get(f"{URL}/{first['id']}").json() == first
        assert after.get("/v1/balance").json()["available"][0]["amount"] == 1980
        assert after.post("/_sandbox/calls/count").json()["waiting_events"] == 1


def test_it_takes_no_key_of_real_money(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from infra.sandbox.stripe import server

    monkeypatch.setenv("TORII_STRIPE_SECRET_KEY", "sk_live_0123456789")
    assert server.main(["1", str(tmp_path)]) == 2
