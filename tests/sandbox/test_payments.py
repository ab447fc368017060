"""Payments in the sandbox: intents, cards, captures, refunds, sellers' shares."""

from typing import Any

import pytest

from tests.sandbox.running import Sandbox


def paid(sandbox: Sandbox, amount: int = 1980, currency: str = "jpy", **more: Any) -> dict[str, Any]:
    form = {"amount": amount, "currency": currency, "confirm": "true", "payment_method": "pm_card_visa"} | more
    found = sandbox.post("/v1/payment_intents", **form)
    assert found.status_code == 200, found.text
    intent: dict[str, Any] = found.json()
    return intent


def error_of(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    error: dict[str, Any] = answer.json()["error"]
    return error


class TestPaying:
    def test_a_good_card_is_charged(self, sandbox: Sandbox) -> None:
        intent = paid(sandbox, **{"expand[]": "latest_charge"})
        assert (intent["status"], intent["amount_received"], intent["currency"]) == ("succeeded", 1980, "jpy")
        charge = intent["latest_charge"]
        assert (charge["paid"], charge["amount_captured"], charge["payment_intent"]) == (True, 1980, intent["id"])
        assert charge["payment_method_details"]["card"]["last4"] == "4242"

    def test_step_by_step(self, sandbox: Sandbox) -> None:
        made = sandbox.post("/v1/payment_intents", amount=500, currency="USD").json()
        assert (made["status"], made["currency"]) == ("requires_payment_method", "usd")
        url = f"/v1/payment_intents/{made['id']}"
        assert error_of(sandbox.post(f"{url}/confirm"), 400)["code"] == "payment_intent_unexpected_state"
        assert sandbox.post(f"{url}/confirm", payment_method="pm_card_jcb").json()["status"] == "succeeded"
        assert "already succeeded" in error_of(sandbox.post(f"{url}/confirm"), 400)["message"]
        assert error_of(sandbox.post(f"{url}/cancel"), 400)["code"] == "payment_intent_unexpected_state"

    @pytest.mark.parametrize(
        ("card", "code", "decline_code"),
        [
            ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
            ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
            ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
            ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
        ],
    )
    def test_a_bad_card_is_declined_and_another_one_pays(
        self, sandbox: Sandbox, card: str, code: str, decline_code: str
    ) -> None:
        made = sandbox.post("/v1/payment_intents", amount=1980, currency="jpy").json()
        url = f"/v1/payment_intents/{made['id']}"
        error = error_of(sandbox.post(f"{url}/confirm", payment_method=card), 402)
        assert (error["type"], error["code"], error["decline_code"]) == ("card_error", code, decline_code)
        assert error["payment_intent"]["status"] == "requires_payment_method"
        left = sandbox.get(url).json()
        assert (left["status"], left["last_payment_error"]["code"], left["amount_received"]) == (
            "requires_payment_method",
            code,
            0,
        )
        assert sandbox.get("/v1/charges", payment_intent=made["id"]).json()["data"][0]["status"] == "failed"
        assert sandbox.post(f"{url}/confirm", payment_method="pm_card_visa").json()["status"] == "succeeded"

    def test_three_d_secure_asks_the_customer(self, sandbox: Sandbox) -> None:
        intent = paid(sandbox, payment_method="pm_card_authenticationRequired", return_url="https://shop.example/back")
        assert (intent["status"], intent["latest_charge"]) == ("requires_action", None)
        assert intent["next_action"]["redirect_to_url"]["return_url"] == "https://shop.example/back"
        url = f"/_sandbox/payment_intents/{intent['id']}/authenticate"
        failed = sandbox.post(url, succeed="false").json()
        assert failed["status"] == "requires_payment_method"
        assert failed["last_payment_error"]["code"] == "payment_intent_authentication_failure"
        again = f"/v1/payment_intents/{intent['id']}/confirm"
        assert (
            sandbox.post(again, payment_method="pm_card_authenticationRequired").json()["status"] == "requires_action"
        )
        assert sandbox.post(url).json()["status"] == "succeeded"

    def test_three_d_secure_without_the_customer_is_a_decline(self, sandbox: Sandbox) -> None:
        form = {"confirm": "true", "payment_method": "pm_card_authenticationRequired", "off_session": "true"}
        answer = sandbox.post("/v1/payment_intents", amount=1980, currency="jpy", **form)
        assert error_of(answer, 402)["code"] == "authentication_required"

    def test_what_is_authorised_is_captured_once_and_not_above(self, sandbox: Sandbox) -> None:
        intent = paid(sandbox, capture_method="manual")
        assert (intent["status"], intent["amount_capturable"]) == ("requires_capture", 1980)
        url = f"/v1/payment_intents/{intent['id']}/capture"
        assert error_of(sandbox.post(url, amount_to_capture=1981), 400)["code"] == "amount_too_large"
        assert sandbox.post(url, amount_to_capture=1000).json()["amount_received"] == 1000
        assert error_of(sandbox.post(url), 400)["code"] == "payment_intent_unexpected_state"
        assert error_of(sandbox.post("/v1/refunds", payment_intent=intent["id"], amount=1001), 400)["param"] == "amount"

    def test_found_by_its_order_in_lists_and_searches(self, sandbox: Sandbox) -> None:
        first = paid(sandbox, **{"metadata[order_id]": "order-1", "metadata[kind]": "gift"})
        second = paid(sandbox, **{"metadata[order_id]": "order-1"})
        query = "metadata['order_id']:'order-1'"
        found = sandbox.get("/v1/payment_intents/search", query=query).json()
        assert [each["id"] for each in found["data"]] == [second["id"], first["id"]]
        both = sandbox.get("/v1/payment_intents/search", query=f"{query} AND metadata['kind']:'gift'").json()
        assert [each["id"] for each in both["data"]] == [first["id"]]
        newest = sandbox.get("/v1/payment_intents", limit=1).json()
        assert ([each["id"] for each in newest["data"]], newest["has_more"]) == ([second["id"]], True)
        older = sandbox.get("/v1/payment_intents", limit=1, starting_after=second["id"]).json()
        assert [each["id"] for each in older["data"]] == [first["id"]]
        newer = sandbox.get("/v1/payment_intents", limit=1, ending_before=first["id"]).json()
        assert [each["id"] for each in newer["data"]] == [second["id"]]

    @pytest.mark.parametrize(
        ("form", "param"),
        [
            ({"currency": "jpy"}, "amount"),
            ({"amount": "1980"}, "currency"),
            ({"amount": "19.80", "currency": "usd"}, "amount"),
            ({"amount": "49", "currency": "jpy"}, "amount"),
            ({"amount": "-5", "currency": "jpy"}, "amount"),
            ({"amount": "99999999999999999999", "currency": "jpy"}, "amount"),
            ({"amount": "1980", "currency": "xxx"}, "currency"),
            ({"amount": "1980", "currency": "jpy", "surprise": "1"}, "surprise"),
            ({"amount": "1980", "currency": "jpy", "metadata[a][b]": "1"}, "metadata"),
            ({"amount": "1980", "currency": "jpy", "metadata": "1"}, "metadata"),
            ({"amount[]": "1980", "currency": "jpy"}, "amount"),
            ({"amount": "1980", "currency": "jpy", "customer": "cus_none"}, "customer"),
        ],
    )
    def test_wrong_parameters_are_named(self, sandbox: Sandbox, form: dict[str, str], param: str) -> None:
        answer = sandbox.post("/v1/payment_intents", **form)
        assert answer.status_code in (400, 404)
        assert answer.json()["error"]["param"] == param
        assert answer.json()["error"]["type"] == "invalid_request_error"

    def test_a_wrong_expansion_leaves_nothing_behind(self, sandbox: Sandbox) -> None:
        form = {"metadata[order_id]": "unexpanded", "expand[]": "no_such_thing"}
        assert (
            error_of(sandbox.post("/v1/payment_intents", amount=500, currency="jpy", **form), 400)["param"] == "expand"
        )
        found = sandbox.get("/v1/payment_intents/search", query="metadata['order_id']:'unexpanded'").json()
        assert found["data"] == []


class TestRefunding:
    def test_in_parts_and_never_above_what_was_paid(self, sandbox: Sandbox) -> None:
        intent = paid(sandbox)
        refund = sandbox.post("/v1/refunds", payment_intent=intent["id"], amount=1000).json()
        assert (refund["status"], refund["amount"], refund["charge"]) == ("succeeded", 1000, intent["latest_charge"])
        error = error_of(sandbox.post("/v1/refunds", payment_intent=intent["id"], amount=981), 400)
        assert (error["type"], error["param"]) == ("invalid_request_error", "amount")
        assert sandbox.post("/v1/refunds", charge=intent["latest_charge"]).json()["amount"] == 980
        charge = sandbox.get(f"/v1/charges/{intent['latest_charge']}").json()
        assert (charge["refunded"], charge["amount_refunded"]) == (True, 1980)
        again = sandbox.post("/v1/refunds", payment_intent=intent["id"])
        assert error_of(again, 400)["code"] == "charge_already_refunded"
        assert len(sandbox.get("/v1/refunds", payment_intent=intent["id"]).json()["data"]) == 2

    def test_nothing_is_given_back_that_was_not_paid(self, sandbox: Sandbox) -> None:
        made = sandbox.post("/v1/payment_intents", amount=1980, currency="jpy").json()
        error = error_of(sandbox.post("/v1/refunds", payment_intent=made["id"]), 400)
        assert "does not have a successful charge" in error["message"]
        assert error_of(sandbox.post("/v1/refunds", payment_intent="pi_none"), 404)["code"] == "resource_missing"


class TestSharing:
    def test_a_charge_is_shared_among_sellers_up_to_its_amount(self, sandbox: Sandbox) -> None:
        form = {"type": "express", "country": "JP", "capabilities[transfers][requested]": "true"}
        seller = sandbox.post("/v1/accounts", **form).json()
        assert (seller["capabilities"], seller["default_currency"]) == ({"transfers": "active"}, "jpy")
        charge = paid(sandbox, 3000)["latest_charge"]
        share = {"currency": "jpy", "destination": seller["id"], "source_transaction": charge}
        sent = sandbox.post("/v1/transfers", amount=2000, **share).json()
        assert error_of(sandbox.post("/v1/transfers", amount=1001, **share), 400)["code"] == "balance_insufficient"
        reversal = sandbox.post(f"/v1/transfers/{sent['id']}/reversals", amount=500)
        assert reversal.json()["transfer"] == sent["id"]
        assert error_of(sandbox.post(f"/v1/transfers/{sent['id']}/reversals", amount=1501), 400)["param"] == "amount"
        assert sandbox.post("/v1/transfers", amount=1500, **share).status_code == 200
        left = sandbox.get(f"/v1/transfers/{sent['id']}").json()
        assert (left["amount_reversed"], left["reversed"]) == (500, False)

    def test_no_more_leaves_the_balance_than_is_in_it(self, sandbox: Sandbox) -> None:
        seller = sandbox.post("/v1/accounts", country="GB").json()
        form = {"amount": 100, "currency": "gbp", "destination": seller["id"]}
        assert error_of(sandbox.post("/v1/transfers", **form), 400)["code"] == "balance_insufficient"
        paid(sandbox, 100, "gbp")
        assert sandbox.post("/v1/transfers", **form).status_code == 200
        found = {each["currency"]: each["amount"] for each in sandbox.get("/v1/balance").json()["available"]}
        assert found["gbp"] == 0

    def test_nothing_goes_to_an_account_that_is_not_there(self, sandbox: Sandbox) -> None:
        answer = sandbox.post("/v1/transfers", amount=100, currency="jpy", destination="acct_none")
        assert error_of(answer, 404)["param"] == "destination"


def test_customers_come_change_and_go(sandbox: Sandbox) -> None:
    made = sandbox.post("/v1/customers", email="a@example.com", **{"metadata[user]": "1", "metadata[x]": "2"}).json()
    url = f"/v1/customers/{made['id']}"
    changed = sandbox.post(url, name="青木", **{"metadata[x]": ""}).json()
    assert (changed["name"], changed["email"], changed["metadata"]) == ("青木", "a@example.com", {"user": "1"})
    assert [each["id"] for each in sandbox.get("/v1/customers", email="a@example.com").json()["data"]] == [made["id"]]
    assert sandbox.delete(url).json()["deleted"] is True
    assert error_of(sandbox.get(url), 404)["code"] == "resource_missing"
