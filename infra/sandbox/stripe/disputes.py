"""Disputes: a buyer has the bank take a charge back (docs.stripe.com/disputes/how-disputes-work)."""

from infra.sandbox.stripe.errors import ApiError, Json
from infra.sandbox.stripe.lists import Action, listing, retrieving
from infra.sandbox.stripe.params import Params
from infra.sandbox.stripe.store import Transaction, new_id, public

KIND, URL = "dispute", "/v1/disputes"
DAYS_TO_ANSWER = 9
WAITING, REVIEWED = ("needs_response", "warning_needs_response"), ("under_review", "warning_under_review")
OPEN = (*WAITING, *REVIEWED)
OUTCOMES = {"winning_evidence": "won", "losing_evidence": "lost"}
"""By the text that is sent as evidence (docs.stripe.com/testing#disputes)."""


def dispute(tx: Transaction, charge: Json, *, amount: int | None = None, is_inquiry: bool = False) -> Json:
    """The bank takes the money back at once; for an inquiry it only asks. Raises ApiError where there is one already."""
    if charge["disputed"]:
        raise ApiError(400, f"Charge {charge['id']} is disputed already.")
    charge["disputed"] = True
    tx.put(charge)
    due = tx.now + DAYS_TO_ANSWER * 86_400
    made = tx.new(
        "du",
        KIND,
        {
            **BLANK,
            "amount": amount or charge["amount_captured"],
            "charge": charge["id"],
            "created": tx.now,
            "currency": charge["currency"],
            "evidence_details": {**BLANK_DETAILS, "due_by": due},
            "is_charge_refundable": is_inquiry,
            "payment_intent": charge["payment_intent"],
            "status": "warning_needs_response" if is_inquiry else "needs_response",
        },
    )
    tx.emit("charge.dispute.created", made)
    if not is_inquiry:
        _move(tx, made, -made["amount"])
        tx.emit("charge.dispute.funds_withdrawn", made)
    return made


def open_one(params: Params, key: str) -> Action:
    """What a buyer does at the bank; a call of ours, not of Stripe's. `inquiry=true`: the bank only asks."""
    amount, is_inquiry = params.integer("amount", least=1), params.flag("inquiry") or False
    params.done()

    def act(tx: Transaction) -> Json:
        intent = tx.get("payment_intent", key, "intent")
        if not intent["amount_received"]:
            raise ApiError(400, "There is nothing to dispute.")
        charge = tx.get("charge", intent["latest_charge"])
        return public(dispute(tx, charge, amount=amount, is_inquiry=is_inquiry))

    return act


def retrieve(params: Params, key: str) -> Action:
    return retrieving(params, KIND, key)


def index(params: Params) -> Action:
    return listing(params, KIND, URL, ("payment_intent", "charge"))


def update(params: Params, key: str) -> Action:
    """Evidence: the bank decides at once by what Stripe's test evidence says, and else reviews it."""
    evidence = params.group("evidence")
    text = None
    if evidence is not None:
        text = evidence.text("uncategorized_text", longest=20_000)
        evidence.done()
    submits = params.flag("submit") is not False
    params.unsupported("metadata")
    params.done()

    def act(tx: Transaction) -> Json:
        found = _open(tx, key)
        if text is None or not submits:
            return public(found)
        found["evidence_details"] |= {"has_evidence": True, "submission_count": 1}
        if text in OUTCOMES:
            return public(_close(tx, found, OUTCOMES[text]))
        found["status"] = REVIEWED[WAITING.index(found["status"])] if found["status"] in WAITING else found["status"]
        tx.put(found)
        tx.emit("charge.dispute.updated", found)
        return public(found)

    return act


def close(params: Params, key: str) -> Action:
    """The seller gives in."""
    params.done()
    return lambda tx: public(_close(tx, _open(tx, key), "lost"))


def refuse_disputed(tx: Transaction, charge: Json) -> None:
    """Raises ApiError where the bank has taken the money, or may: an inquiry does not keep it from being refunded."""
    for found in tx.newest(KIND, 1, where={"charge": charge["id"]}):
        if not found["is_charge_refundable"]:
            raise ApiError(400, f"Charge {charge['id']} has been charged back.", code="charge_disputed")


def _open(tx: Transaction, key: str) -> Json:
    found = tx.get(KIND, key)
    if found["status"] not in OPEN:
        raise ApiError(400, f"This dispute is closed: it has a status of {found['status']}.")
    return found


def _close(tx: Transaction, found: Json, outcome: str) -> Json:
    """Won gives the money back. An inquiry that is answered is closed and took none."""
    is_inquiry = found["is_charge_refundable"]
    found["status"] = "warning_closed" if is_inquiry else outcome
    if outcome == "won" and not is_inquiry:
        found["is_charge_refundable"] = True
        _move(tx, found, found["amount"])
    tx.put(found)
    tx.emit("charge.dispute.closed", found)
    if outcome == "won" and not is_inquiry:
        tx.emit("charge.dispute.funds_reinstated", found)
    return found


def _move(tx: Transaction, found: Json, amount: int) -> None:
    """Through the balance, without Stripe's fee."""
    tx.move(found["currency"], amount)
    entry = {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": tx.now,
        "balance_type": "payments",
        "created": tx.now,
        "currency": found["currency"],
        "description": None,
        "exchange_rate": None,
        "fee": 0,
        "fee_details": [],
        "net": amount,
        "reporting_category": "dispute" if amount < 0 else "dispute_reversal",
        "source": found["id"],
        "status": "available",
        "type": "adjustment",
    }
    found["balance_transactions"] = [*found["balance_transactions"], entry]
    tx.put(found)


BLANK_DETAILS: Json = {
    "due_by": None,
    "enhanced_eligibility": {},
    "has_evidence": False,
    "past_due": False,
    "submission_count": 0,
}
BLANK: Json = {
    "balance_transactions": [],
    "enhanced_eligibility_types": [],
    "evidence": {},
    "livemode": False,
    "metadata": {},
    "payment_method_details": {
        "card": {"brand": "visa", "case_type": "chargeback", "network_reason_code": "10.4"},
        "type": "card",
    },
    "reason": "fraudulent",
}
