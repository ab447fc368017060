"""What the sellers module needs from the outside."""

from collections.abc import Sequence
from typing import Protocol

from domain.sellers.model import Seller, ShippingTerms
from domain.shared.ids import SellerId, UserId
from domain.shared.needs import Needs


class SellerProfiles(Protocol):
    async def by_ids(self, ids: Sequence[SellerId], needs: Needs = None) -> Sequence[Seller | None]:
        """Public profiles in the order of `ids`; None for one that is unknown or not active."""
        ...

    async def shipping_terms(self, ids: Sequence[SellerId]) -> Sequence[ShippingTerms]:
        """What each seller takes for carriage, in the order of `ids`; nothing for one that is unknown."""
        ...

    async def forget_member(self, user_id: UserId) -> None:
        """Somebody whose account is deleted works for nobody any more."""
        ...
