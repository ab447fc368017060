"""Customers: who pays, as Stripe remembers them."""

from infra.sandbox.stripe.errors import Json
from infra.sandbox.stripe.lists import Action, listing, retrieving
from infra.sandbox.stripe.params import Params, merged
from infra.sandbox.stripe.store import Transaction, public

KIND, URL = "customer", "/v1/customers"
TEXTS = ("email", "name", "phone", "description")


def create(params: Params) -> Action:
    texts, metadata = {name: params.text(name) for name in TEXTS}, merged({}, params.metadata())
    params.done()

    def act(tx: Transaction) -> Json:
        prefix = f"{tx.now:X}"[-8:]
        body = {**BLANK, **texts, "created": tx.now, "invoice_prefix": prefix, "metadata": metadata}
        made = tx.new("cus", KIND, body)
        tx.emit("customer.created", made)
        return public(made)

    return act


def update(params: Params, key: str) -> Action:
    texts = {name: value for name in TEXTS if (value := params.text(name)) is not None}
    metadata = params.metadata()
    params.done()

    def act(tx: Transaction) -> Json:
        customer = tx.get(KIND, key)
        customer |= {**texts, "metadata": merged(customer["metadata"], metadata)}
        tx.put(customer)
        tx.emit("customer.updated", customer)
        return public(customer)

    return act


def delete(params: Params, key: str) -> Action:
    params.done()

    def act(tx: Transaction) -> Json:
        tx.emit("customer.deleted", tx.get(KIND, key))
        tx.delete(key)
        return {"id": key, "object": KIND, "deleted": True}

    return act


def retrieve(params: Params, key: str) -> Action:
    return retrieving(params, KIND, key)


def index(params: Params) -> Action:
    return listing(params, KIND, URL, ("email",))


BLANK: Json = {
    "address": None,
    "balance": 0,
    "currency": None,
    "default_source": None,
    "delinquent": False,
    "discount": None,
    "invoice_settings": {
        "custom_fields": None,
        "default_payment_method": None,
        "footer": None,
        "rendering_options": None,
    },
    "livemode": False,
    "next_invoice_sequence": 1,
    "preferred_locales": [],
    "shipping": None,
    "tax_exempt": "none",
    "test_clock": None,
}
