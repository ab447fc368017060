"""Sellers as shoppers see them."""

from dataclasses import dataclass
from datetime import datetime

from domain.shared.ids import SellerId


@dataclass(frozen=True, slots=True)
class Seller:
    """The public profile of an approved seller: no address, mail, licence or commission."""

    id: SellerId
    name: str
    name_kana: str | None
    description: str
    logo_url: str | None
    banner_url: str | None
    approved_at: datetime | None
