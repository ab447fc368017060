"""Receipts: what a buyer paid to one seller, as a qualified invoice (適格請求書) says it.

Source: Consumption Tax Act of Japan, article 57-4: the issuer's name and registration number, the date, what was sold (with a mark
on what is taxed at the reduced rate), totals and tax by rate, rounded once a rate, and the recipient, whom the buyer adds. What
went back is told beside it, by rate as well: that is the qualified return invoice (適格返還請求書) in one paper with the first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.shared.ids import OrderId, SellerId, UserId
from domain.shared.money import Money
from domain.shared.tax import TaxClass


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """`is_reduced`: taxed at the reduced rate, which has to be marked."""

    name: str
    quantity: int
    unit_price: Money
    total: Money
    tax_percent: int

    @property
    def is_reduced(self) -> bool:
        return self.tax_percent == TaxClass.REDUCED.percent


@dataclass(frozen=True, slots=True)
class ReceiptTax:
    """One rate: what was paid with the tax in it, that tax, and what of both went back."""

    percent: int
    taxable: Money
    tax: Money
    refunded: Money
    refunded_tax: Money


@dataclass(frozen=True, slots=True)
class Receipt:
    """Of a seller's part of a paid order. Without a registration number it is a receipt and no qualified invoice."""

    order_id: OrderId
    order_number: str
    seller_id: SellerId
    seller_name: str
    registration_number: str | None
    issued_at: datetime
    lines: Sequence[ReceiptLine]
    shipping_fee: Money
    total: Money
    taxes: Sequence[ReceiptTax]
    refunded: Money
    refunded_at: datetime | None
    """When the last of it went back."""
    user_id: UserId | None
    guest_id: UUID | None = None

    @property
    def key(self) -> tuple[OrderId, SellerId]:
        """Which it is."""
        return self.order_id, self.seller_id
