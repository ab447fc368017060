"""Refunds, never more than was taken, and the charges they are of."""

from infra.sandbox.stripe.disputes import refuse_disputed
from infra.sandbox.stripe.errors import ApiError, Json, unexpected_state
from infra.sandbox.stripe.lists import Action, listing, retrieving
from infra.sandbox.stripe.params import Params, merged
from infra.sandbox.stripe.store import Transaction, public

KIND, URL = "refund", "/v1/refunds"
COPIED = ("customer", "payment_intent", "payment_method")
REASONS = ("duplicate", "fraudulent", "requested_by_customer")


def create(params: Params) -> Action:
    intent_id, charge_id = params.text("payment_intent"), params.text("charge")
    amount = params.integer("amount", least=1)
    reason, metadata = params.choice("reason", REASONS), merged({}, params.metadata())
    params.unsupported("reverse_transfer", "refund_application_fee", "instructions_email", "origin", "customer")
    params.done()
    if not (intent_id or charge_id):
        message = "One of the following params should be provided for this request: payment_intent or charge."
        raise ApiError(400, message, code="parameter_missing")

    def act(tx: Transaction) -> Json:
        charge = _charge_of(tx, intent_id, charge_id)
        refunded = _refund(tx, charge, amount)
        body = {**BLANK, "amount": refunded, "charge": charge["id"], "currency": charge["currency"], "created": tx.now}
        refund = tx.new(
            "re",
            KIND,
            {**body, **{name: charge[name] for name in COPIED}, "metadata": metadata, "reason": reason},
        )
        tx.emit("refund.created", refund)
        tx.emit("charge.refunded", charge)
        return public(refund)

    return act


def retrieve(params: Params, key: str) -> Action:
    return retrieving(params, KIND, key)


def index(params: Params) -> Action:
    return listing(params, KIND, URL, ("payment_intent", "charge"))


def fail(params: Params, key: str) -> Action:
    """The buyer's bank sends it back, as happens days later (docs.stripe.com/refunds#failed-refunds); a call of ours, not of Stripe's."""
    params.done()

    def act(tx: Transaction) -> Json:
        refund = tx.get(KIND, key)
        if refund["status"] != "succeeded":
            raise ApiError(400, f"This refund has a status of {refund['status']}.")
        refund |= {"status": "failed", "failure_reason": "lost_or_stolen_card"}
        charge = tx.get("charge", refund["charge"])
        charge |= {"amount_refunded": charge["amount_refunded"] - refund["amount"], "refunded": False}
        tx.put(refund)
        tx.put(charge)
        tx.move(refund["currency"], refund["amount"])
        for kind in ("refund.updated", "charge.refund.updated", "refund.failed"):
            tx.emit(kind, refund)
        return public(refund)

    return act


def charge(params: Params, key: str) -> Action:
    return retrieving(params, "charge", key)


def charges(params: Params) -> Action:
    return listing(params, "charge", "/v1/charges", ("payment_intent", "customer", "transfer_group"))


def _charge_of(tx: Transaction, intent_id: str | None, charge_id: str | None) -> Json:
    if intent_id:
        intent = tx.get("payment_intent", intent_id, "payment_intent")
        if not intent["amount_received"]:
            message = f"This PaymentIntent ({intent_id}) does not have a successful charge to refund."
            raise unexpected_state(message, public(intent))
        charge_id = intent["latest_charge"]
    found = tx.get("charge", charge_id or "", "charge")
    if not found["captured"]:
        raise ApiError(
            400, f"Charge {found['id']} has not been captured.", code="charge_not_refundable", param="charge"
        )
    return found


def _refund(tx: Transaction, charge: Json, asked: int | None) -> int:
    """Take it off the charge and out of the balance. Raises ApiError where less than that is left."""
    refuse_disputed(tx, charge)
    left = charge["amount_captured"] - charge["amount_refunded"]
    if left == 0:
        message = f"Charge {charge['id']} has already been refunded."
        raise ApiError(400, message, code="charge_already_refunded")
    amount = left if asked is None else asked
    if amount > left:
        currency = charge["currency"]
        message = f"Refund amount ({amount} {currency}) is greater than unrefunded amount on charge ({left} {currency})"
        raise ApiError(400, message, param="amount")
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    tx.put(charge)
    tx.move(charge["currency"], -amount)
    return amount


BLANK: Json = {
    "balance_transaction": None,
    "customer_account": None,
    "destination_details": {
        "card": {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"},
        "type": "card",
    },
    "receipt_number": None,
    "source_transfer_reversal": None,
    "status": "succeeded",
    "transfer_reversal": None,
}
