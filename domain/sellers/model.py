"""Sellers as shoppers see them."""

from dataclasses import dataclass
from datetime import datetime

from domain.shared.ids import SellerId
from domain.shared.money import Money


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


@dataclass(frozen=True, slots=True)
class ShippingTerms:
    """What a seller takes for carriage: nothing where it names no fee, or from a subtotal of `free_over`. Tax included."""

    fee: Money | None = None
    free_over: Money | None = None

    def fee_of(self, subtotal: Money) -> Money:
        """For goods of one order. Terms in another currency do not apply."""
        if self.fee is None or self.fee.currency != subtotal.currency:
            return Money(0, subtotal.currency)
        is_free = self.free_over is not None and subtotal.minor >= self.free_over.minor
        return Money(0, subtotal.currency) if is_free else self.fee
