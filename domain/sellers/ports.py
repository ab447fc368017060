"""What the sellers module needs from the outside."""

from collections.abc import Sequence
from typing import Protocol

from domain.sellers.model import Seller
from domain.shared.ids import SellerId, UserId


class SellerProfiles(Protocol):
    async def by_ids(self, ids: Sequence[SellerId]) -> Sequence[Seller | None]:
        """Public profiles in the order of `ids`; None for one that is unknown or not active."""
        ...

    async def forget_member(self, user_id: UserId) -> None:
        """Somebody whose account is deleted works for nobody any more."""
        ...
