"""Returns: so many of a delivered item on their way back to the seller."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType
from uuid import UUID

from domain.orders.states import ReturnStatus
from domain.shared.ids import OrderId, OrderItemId, SellerId, UserId

ReturnId = NewType("ReturnId", UUID)

RETURN_WINDOW = timedelta(days=30)
"""How long after delivery a buyer may ask for a return."""


class ReturnReason(StrEnum):
    DEFECTIVE = "defective"
    WRONG_ITEM = "wrong_item"
    NOT_AS_DESCRIBED = "not_as_described"
    UNWANTED = "unwanted"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Return:
    """`comment` is the buyer's, `note` the seller's; `is_restocked` is known once the goods were received."""

    id: ReturnId
    item_id: OrderItemId
    order_id: OrderId
    seller_id: SellerId
    quantity: int
    reason: ReturnReason
    comment: str | None
    status: ReturnStatus
    note: str | None
    is_restocked: bool | None
    version: int
    created_at: datetime
    updated_at: datetime
    user_id: UserId | None = None
    """The buyer; None for a seller, who does not see whose the order is."""
    guest_id: UUID | None = None

    @property
    def standing(self) -> "Return":
        """Itself, for what is asked of it as it stands."""
        return self
