"""Events, and the endpoints they are sent to."""

import secrets
from urllib.parse import urlsplit

from infra.sandbox.stripe.errors import ApiError, Json
from infra.sandbox.stripe.lists import Action, listing, retrieving
from infra.sandbox.stripe.params import Params, merged
from infra.sandbox.stripe.store import Transaction, public

KIND = "webhook_endpoint"
MAX_ENDPOINTS = 16
"""docs.stripe.com/webhooks: as many as an account may have."""


def event(params: Params, key: str) -> Action:
    return retrieving(params, "event", key)


def events(params: Params) -> Action:
    return listing(params, "event", "/v1/events", ("type",))


def create_endpoint(params: Params) -> Action:
    url, kinds = params.needed("url"), params.strings("enabled_events")
    description, metadata = params.text("description"), merged({}, params.metadata())
    params.unsupported("connect", "api_version")
    params.done()
    require_loopback(url)
    if not kinds:
        message = "Missing required param: enabled_events."
        raise ApiError(400, message, code="parameter_missing", param="enabled_events")

    def act(tx: Transaction) -> Json:
        if len(tx.newest(KIND, MAX_ENDPOINTS)) == MAX_ENDPOINTS:
            raise ApiError(400, f"You have reached the maximum of {MAX_ENDPOINTS} test webhook endpoints.")
        secret = f"whsec_{secrets.token_hex(24)}"
        made = tx.new(
            "we", KIND, endpoint_body(tx, url, kinds, secret) | {"description": description, "metadata": metadata}
        )
        return {**public(made), "secret": secret}  # shown this once

    return act


def endpoint(params: Params, key: str) -> Action:
    return retrieving(params, KIND, key)


def endpoints(params: Params) -> Action:
    return listing(params, KIND, "/v1/webhook_endpoints")


def delete_endpoint(params: Params, key: str) -> Action:
    params.done()

    def act(tx: Transaction) -> Json:
        tx.get(KIND, key)
        tx.delete(key)
        return {"id": key, "object": KIND, "deleted": True}

    return act


def set_gateway(params: Params) -> Action:
    """The one endpoint of the gateway, whose secret is known to both sides beforehand; a call of ours, not of Stripe's."""
    url, secret = params.needed("url"), params.needed("secret")
    params.done()

    def act(tx: Transaction) -> Json:
        found = tx.newest(KIND, 1, where={"_gateway": 1})
        if found:
            return public(tx.put(found[0] | {"url": url, "_secret": secret}))
        return public(tx.new("we", KIND, endpoint_body(tx, url, ["*"], secret) | {"_gateway": 1}))

    return act


def require_loopback(url: str) -> None:
    """Whoever may speak to a sandbox must not make it call others."""
    try:
        parts = urlsplit(url)
        known = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1") and parts.port != 0
    except ValueError:
        known = False
    if not known:
        raise ApiError(400, "This sandbox sends events to http://127.0.0.1 only.", code="url_invalid", param="url")


def endpoint_body(tx: Transaction, url: str, kinds: list[str], secret: str) -> Json:
    return {
        "_secret": secret,
        "api_version": None,
        "application": None,
        "created": tx.now,
        "description": None,
        "enabled_events": kinds,
        "livemode": False,
        "metadata": {},
        "status": "enabled",
        "url": url,
    }
