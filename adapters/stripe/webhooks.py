"""Reading what Stripe sends: whether it is Stripe's, whether it is of now, what it is (docs.stripe.com/webhooks/signature).

Not through Stripe's library: half a second of import for thirty lines, no clock to test it with, and it takes any time in the
future.
"""

import hashlib
import hmac
import json

from domain.payments.model import ProviderEvent
from domain.payments.refusals import UntrustedEvent
from domain.shared.clock import Clock

TOLERANCE_S = 300
LONGEST_HEADER = 2_048
LONGEST_ID = 255


class StripeWebhooks:
    """The port `EventReader`."""

    def __init__(self, secret: str, clock: Clock) -> None:
        self._secret = secret.encode()
        self._clock = clock

    def read(self, payload: bytes, signature: str | None) -> ProviderEvent:
        sent_at, given = _parts(signature or "")
        signed = hmac.new(self._secret, f"{sent_at}.".encode() + payload, hashlib.sha256).hexdigest()
        # every one is compared, each in constant time: while a secret is replaced Stripe signs with both
        matches = [hmac.compare_digest(signed.encode(), each.encode()) for each in given]
        if not any(matches):
            raise UntrustedEvent("the signature does not match")
        if abs(self._clock.now().timestamp() - int(sent_at)) > TOLERANCE_S:
            raise UntrustedEvent(f"the signature is more than {TOLERANCE_S} s old, or of the future")
        return _event(payload)


def _parts(header: str) -> tuple[str, list[str]]:
    """Time and signatures of `t=1492774577,v1=5257a8…,v1=…,v0=…`. Raises UntrustedEvent."""
    if len(header) > LONGEST_HEADER:
        raise UntrustedEvent("the signature is too long")
    pairs = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in pairs if name == "t"]
    given = [value for name, _, value in pairs if name == "v1"]
    if len(times) != 1 or not (times[0].isascii() and times[0].isdigit() and len(times[0]) <= 12) or not given:
        raise UntrustedEvent("there is no signature, or one of another form")
    return times[0], given


def _event(payload: bytes) -> ProviderEvent:
    try:
        text = payload.decode()
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UntrustedEvent("the event is no JSON") from error
    if not isinstance(body, dict) or body.get("object") != "event":
        raise UntrustedEvent("this is no event of Stripe's")
    key, kind = body.get("id"), body.get("type")
    if not (
        isinstance(key, str) and 0 < len(key) <= LONGEST_ID and isinstance(kind, str) and 0 < len(kind) <= LONGEST_ID
    ):
        raise UntrustedEvent("the event has no id or no type")
    return ProviderEvent(key, kind, text)
