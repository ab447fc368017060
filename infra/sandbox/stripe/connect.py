"""Connect: accounts of sellers, and transfers of what buyers paid (docs.stripe.com/connect/separate-charges-and-transfers)."""

from infra.sandbox.stripe.errors import ApiError, Json
from infra.sandbox.stripe.lists import Action, listing, page, retrieving
from infra.sandbox.stripe.params import Params, merged
from infra.sandbox.stripe.store import Transaction, public

CURRENCIES = {"JP": "jpy", "US": "usd", "GB": "gbp"}


def create_account(params: Params) -> Action:
    kind = params.choice("type", ("express", "standard", "custom")) or "standard"
    country = (params.text("country") or "JP").upper()
    if country not in CURRENCIES:
        raise ApiError(400, f"This sandbox has no accounts in {country}.", param="country")
    email, business = params.text("email"), params.choice("business_type", ("individual", "company"))
    metadata, capabilities = merged({}, params.metadata()), _capabilities(params)
    params.unsupported("controller", "company", "individual", "business_profile", "settings", "tos_acceptance")
    params.done()

    def act(tx: Transaction) -> Json:
        body = {
            **BLANK_ACCOUNT,
            "business_type": business,
            "capabilities": capabilities,
            "country": country,
            "created": tx.now,
            "default_currency": CURRENCIES[country],
            "email": email,
            "metadata": metadata,
            "type": kind,
        }
        return public(tx.new("acct", "account", body))

    return act


def account(params: Params, key: str) -> Action:
    return retrieving(params, "account", key, "account")


def accounts(params: Params) -> Action:
    return listing(params, "account", "/v1/accounts")


def delete_account(params: Params, key: str) -> Action:
    params.done()

    def act(tx: Transaction) -> Json:
        tx.get("account", key, "account")
        tx.delete(key)
        return {"id": key, "object": "account", "deleted": True}

    return act


def create_transfer(params: Params) -> Action:
    amount, currency = params.integer("amount", least=1), params.needed("currency").lower()
    destination = params.needed("destination")
    source, group = params.text("source_transaction"), params.text("transfer_group")
    description, metadata = params.text("description"), merged({}, params.metadata())
    params.unsupported("source_type")
    params.done()

    def act(tx: Transaction) -> Json:
        tx.get("account", destination, "destination")
        sent = _take(tx, amount, currency, source)
        body = {
            "amount": sent,
            "amount_reversed": 0,
            "balance_transaction": None,
            "created": tx.now,
            "currency": currency,
            "description": description,
            "destination": destination,
            "destination_payment": None,
            "livemode": False,
            "metadata": metadata,
            "reversed": False,
            "source_transaction": source,
            "source_type": "card",
            "transfer_group": group,
        }
        made = tx.new("tr", "transfer", body)
        made["reversals"] = page([], f"/v1/transfers/{made['id']}/reversals", has_more=False)
        tx.put(made)
        tx.emit("transfer.created", made)
        return public(made)

    return act


def transfer(params: Params, key: str) -> Action:
    return retrieving(params, "transfer", key, "transfer")


def transfers(params: Params) -> Action:
    return listing(params, "transfer", "/v1/transfers", ("destination", "transfer_group"))


def reverse(params: Params, key: str) -> Action:
    asked, metadata = params.integer("amount", least=1), merged({}, params.metadata())
    params.unsupported("refund_application_fee", "description")
    params.done()

    def act(tx: Transaction) -> Json:
        whole = tx.get("transfer", key, "transfer")
        left = whole["amount"] - whole["amount_reversed"]
        amount = left if asked is None else asked
        if amount > left or left == 0:
            message = f"Reversal amount ({amount}) is greater than the unreversed amount of the transfer ({left})."
            raise ApiError(400, message, param="amount")
        whole["amount_reversed"] += amount
        whole["reversed"] = whole["amount_reversed"] == whole["amount"]
        body = {
            "amount": amount,
            "balance_transaction": None,
            "created": tx.now,
            "currency": whole["currency"],
            "destination_payment_refund": None,
            "metadata": metadata,
            "source_refund": None,
            "transfer": key,
        }
        made = tx.new("trr", "transfer_reversal", body)
        whole["reversals"]["data"] = [public(made), *whole["reversals"]["data"]][:10]
        tx.put(whole)
        _give_back(tx, whole, amount)
        tx.emit("transfer.reversed", whole)
        return public(made)

    return act


def balance(params: Params) -> Action:
    """The platform's own; there are no fees here, and what is paid is available at once."""
    params.done()

    def act(tx: Transaction) -> Json:
        found = tx.balance() or {"jpy": 0}
        available = [
            {"amount": sum_, "currency": currency, "source_types": {"card": sum_}} for currency, sum_ in found.items()
        ]
        pending = [{"amount": 0, "currency": currency, "source_types": {"card": 0}} for currency in found]
        reserved = [{"amount": 0, "currency": currency} for currency in found]
        shown = {"available": available, "connect_reserved": reserved, "livemode": False, "pending": pending}
        return {"object": "balance", **shown}

    return act


def _take(tx: Transaction, asked: int | None, currency: str, source: str | None) -> int:
    """Out of the charge, where one is named, and of the balance. Raises ApiError where there is not enough."""
    if source is None:
        if asked is None:
            raise ApiError(400, "Missing required param: amount.", code="parameter_missing", param="amount")
        if asked > tx.balance().get(currency, 0):
            message = "You have insufficient available funds in your Stripe account."
            raise ApiError(400, message, code="balance_insufficient")
        tx.move(currency, -asked)
        return asked
    charge = tx.get("charge", source, "source_transaction")
    if charge["currency"] != currency:
        message = f"The currency of source_transaction's balance transaction ({charge['currency']}) must be {currency}."
        raise ApiError(400, message, param="currency")
    left = charge["amount_captured"] - charge["_transferred"]
    amount = left if asked is None else asked
    if amount > left or left == 0:
        message = f"Transfers using this transaction as a source must not exceed the source amount ({left} are left)."
        raise ApiError(400, message, code="balance_insufficient", param="amount")
    charge["_transferred"] += amount
    tx.put(charge)
    tx.move(currency, -amount)
    return amount


def _give_back(tx: Transaction, whole: Json, amount: int) -> None:
    tx.move(whole["currency"], amount)
    charge = tx.find("charge", whole["source_transaction"] or "")
    if charge is not None:
        charge["_transferred"] -= amount
        tx.put(charge)


def _capabilities(params: Params) -> dict[str, str]:
    asked = params.group("capabilities")
    if asked is None:
        return {}
    found = {}
    for name in ("transfers", "card_payments"):
        wanted = asked.group(name)
        if wanted is not None and wanted.flag("requested"):
            found[name] = "active"  # nobody is asked for papers here
            wanted.done()
    asked.done()
    return found


NOTHING_REQUIRED: Json = {
    "alternatives": [],
    "current_deadline": None,
    "currently_due": [],
    "disabled_reason": None,
    "errors": [],
    "eventually_due": [],
    "past_due": [],
    "pending_verification": [],
}
BLANK_ACCOUNT: Json = {
    "business_profile": None,
    "charges_enabled": True,
    "controller": {"type": "application", "is_controller": True},
    "details_submitted": True,
    "external_accounts": page([], "/v1/accounts/external_accounts", has_more=False),
    "future_requirements": NOTHING_REQUIRED,
    "payouts_enabled": True,
    "requirements": NOTHING_REQUIRED,
    "settings": None,
    "tos_acceptance": {"date": None, "ip": None, "user_agent": None},
}
