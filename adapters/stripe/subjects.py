"""What Stripe's events are about (docs.stripe.com/api/events/types). Only keys are read: what they say of states is old."""

import json
from collections.abc import Mapping
from typing import Any

from adapters.stripe.payments import order_of
from domain.payments.inbox import Subject, Told
from domain.payments.model import IntentId

INTENT, CHARGE, REFUND = "payment_intent", "charge", "refund"


class StripeSubjects:
    """The port `Subjects`."""

    def of(self, told: Told) -> Subject | None:
        data = json.loads(told.payload).get("data")
        about = data.get("object") if isinstance(data, dict) else None
        if not isinstance(about, dict):
            return None
        kind = about.get("object")
        intent_id = about.get("id") if kind == INTENT else about.get("payment_intent")
        if kind not in (INTENT, CHARGE, REFUND) or not isinstance(intent_id, str):
            return None
        is_refund = kind == REFUND or told.type == "charge.refunded"
        return Subject(IntentId(intent_id), None if is_refund else _order(about), is_refund=is_refund)


def _order(about: Mapping[str, Any]) -> Any:
    metadata = about.get("metadata")
    return order_of(metadata) if isinstance(metadata, dict) else None
