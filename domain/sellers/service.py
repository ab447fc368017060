"""What one may ask about sellers."""

from collections.abc import Sequence

from domain.sellers.model import Seller
from domain.sellers.ports import SellerProfiles
from domain.shared.ids import SellerId, UserId


class Sellers:
    def __init__(self, profiles: SellerProfiles) -> None:
        self._profiles = profiles

    async def by_ids(self, ids: Sequence[SellerId]) -> Sequence[Seller | None]:
        return await self._profiles.by_ids(ids)

    async def employers_of(self, user_id: UserId) -> Sequence[SellerId]:
        return await self._profiles.employers_of(user_id)
