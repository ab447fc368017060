"""What one may ask about sellers."""

from collections.abc import Sequence

from domain.sellers.model import Seller
from domain.sellers.ports import SellerProfiles
from domain.shared.ids import SellerId


class Sellers:
    def __init__(self, profiles: SellerProfiles) -> None:
        self._profiles = profiles

    async def by_ids(self, ids: Sequence[SellerId]) -> Sequence[Seller | None]:
        return await self._profiles.by_ids(ids)
