"""What Stripe's events are about (docs.stripe.com/api/events/types). Only keys are read: what they say of states is old."""

import json
from collections.abc import Mapping
from typing import Any

from adapters.stripe.payments import order_of
from domain.payments.inbox import Subject, Told
from domain.payments.model import IntentId

INTENT, CHARGE, REFUND, DISPUTE = "payment_intent", "charge", "refund", "dispute"


class StripeSubjects:
    """The port `Subjects`."""

    def of(self, told: Told) -> Subject | None:
        data = json.loads(told.payload).get("data")
        about = data.get("object") if isinstance(data, dict) else None
        if not isinstance(about, dict):
            return None
        kind = about.get("object")
        intent_id = about.get("id") if kind == INTENT else about.get("payment_intent")
        if kind not in (INTENT, CHARGE, REFUND, DISPUTE) or not isinstance(intent_id, str):
            return None
        intent = IntentId(intent_id)
        if kind == DISPUTE:
            return Subject(intent, is_dispute=True)
        if kind == REFUND or told.type == "charge.refunded":
            return Subject(intent, is_refund=True)
        return Subject(intent, _order(about))


def _order(about: Mapping[str, Any]) -> Any:
    metadata = about.get("metadata")
    return order_of(metadata) if isinstance(metadata, dict) else None
