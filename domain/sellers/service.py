"""What one may ask about sellers."""

from collections.abc import Sequence

from domain.sellers.model import Seller, ShippingTerms
from domain.sellers.ports import SellerProfiles
from domain.shared.ids import SellerId, UserId
from domain.shared.needs import Needs


class Sellers:
    def __init__(self, profiles: SellerProfiles) -> None:
        self._profiles = profiles

    async def by_ids(self, ids: Sequence[SellerId], needs: Needs = None) -> Sequence[Seller | None]:
        return await self._profiles.by_ids(ids, needs)

    async def shipping_terms(self, ids: Sequence[SellerId]) -> Sequence[ShippingTerms]:
        return await self._profiles.shipping_terms(ids)

    async def forget_member(self, user_id: UserId) -> None:
        """Somebody whose account is deleted works for nobody any more. Raises Unavailable."""
        await self._profiles.forget_member(user_id)
