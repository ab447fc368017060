"""Which address does what."""

from collections.abc import Callable, Mapping

from infra.sandbox.stripe import connect, customers, disputes, events, intents, refunds
from infra.sandbox.stripe.cards import payment_method
from infra.sandbox.stripe.lists import Action
from infra.sandbox.stripe.params import Params
from infra.sandbox.stripe.store import public

Endpoint = Callable[..., Action]
"""Takes the parameters and, where the address has one, a key. Raises ApiError where they are wrong."""


def retrieve_method(params: Params, key: str) -> Action:
    params.done()
    return lambda tx: public(payment_method(tx, key))


STRIPE: Mapping[tuple[str, str], Endpoint] = {
    ("GET", "/v1/balance"): connect.balance,
    ("POST", "/v1/payment_intents"): intents.create,
    ("GET", "/v1/payment_intents"): intents.index,
    ("GET", "/v1/payment_intents/search"): intents.search,
    ("GET", "/v1/payment_intents/{key}"): intents.retrieve,
    ("POST", "/v1/payment_intents/{key}"): intents.update,
    ("POST", "/v1/payment_intents/{key}/confirm"): intents.confirm,
    ("POST", "/v1/payment_intents/{key}/capture"): intents.capture,
    ("POST", "/v1/payment_intents/{key}/cancel"): intents.cancel,
    ("GET", "/v1/payment_methods/{key}"): retrieve_method,
    ("POST", "/v1/refunds"): refunds.create,
    ("GET", "/v1/refunds"): refunds.index,
    ("GET", "/v1/refunds/{key}"): refunds.retrieve,
    ("GET", "/v1/charges"): refunds.charges,
    ("GET", "/v1/charges/{key}"): refunds.charge,
    ("GET", "/v1/disputes"): disputes.index,
    ("GET", "/v1/disputes/{key}"): disputes.retrieve,
    ("POST", "/v1/disputes/{key}"): disputes.update,
    ("POST", "/v1/disputes/{key}/close"): disputes.close,
    ("POST", "/v1/customers"): customers.create,
    ("GET", "/v1/customers"): customers.index,
    ("GET", "/v1/customers/{key}"): customers.retrieve,
    ("POST", "/v1/customers/{key}"): customers.update,
    ("DELETE", "/v1/customers/{key}"): customers.delete,
    ("POST", "/v1/accounts"): connect.create_account,
    ("GET", "/v1/accounts"): connect.accounts,
    ("GET", "/v1/accounts/{key}"): connect.account,
    ("DELETE", "/v1/accounts/{key}"): connect.delete_account,
    ("POST", "/v1/transfers"): connect.create_transfer,
    ("GET", "/v1/transfers"): connect.transfers,
    ("GET", "/v1/transfers/{key}"): connect.transfer,
    ("POST", "/v1/transfers/{key}/reversals"): connect.reverse,
    ("GET", "/v1/events"): events.events,
    ("GET", "/v1/events/{key}"): events.event,
    ("POST", "/v1/webhook_endpoints"): events.create_endpoint,
    ("GET", "/v1/webhook_endpoints"): events.endpoints,
    ("GET", "/v1/webhook_endpoints/{key}"): events.endpoint,
    ("DELETE", "/v1/webhook_endpoints/{key}"): events.delete_endpoint,
    # ours: what a customer, or whoever sets the sandbox up, does
    ("POST", "/_sandbox/payment_intents/{key}/authenticate"): intents.authenticate,
    ("POST", "/_sandbox/payment_intents/{key}/dispute"): disputes.open_one,
    ("POST", "/_sandbox/refunds/{key}/fail"): refunds.fail,
    ("POST", "/_sandbox/gateway"): events.set_gateway,
}
