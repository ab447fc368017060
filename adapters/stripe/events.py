"""Events as Stripe keeps them, for thirty days: what of them was told, and never arrived (docs.stripe.com/api/events/list)."""

import json
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from adapters.stripe.connection import StripeConnection
from domain.payments.model import ProviderEvent

if TYPE_CHECKING:
    from stripe.params import EventListParams

TYPES = (
    "charge.refunded",
    "charge.refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
)
"""What happens to a payment that nobody asks about any more. Stripe takes at most twenty."""
PAGE = 100


class StripeEvents:
    """The port `EventArchive`."""

    def __init__(self, connection: StripeConnection) -> None:
        self._connection = connection

    async def since(self, at: datetime) -> AsyncGenerator[Sequence[ProviderEvent], None]:
        which: EventListParams = {"types": list(TYPES), "created": {"gte": int(at.timestamp())}, "limit": PAGE}
        while True:
            async with self._connection.calling() as client:
                page = await client.v1.events.list_async(which)
            yield [ProviderEvent(each.id, each.type, json.dumps(each.to_dict())) for each in page.data]
            if not page.has_more:
                return
            which["starting_after"] = page.data[-1].id
