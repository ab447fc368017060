"""Consumption tax, which prices include.

Source: Consumption Tax Act of Japan: 10 %, and 8 % for food, drink without alcohol and newspapers. A qualified invoice (適格請求書)
rounds once for each rate, never line by line: here down, for each seller.
"""

from enum import StrEnum


class TaxClass(StrEnum):
    """What a category's products are taxed as."""

    STANDARD = "standard"
    REDUCED = "reduced"

    @property
    def percent(self) -> int:
        return 8 if self is TaxClass.REDUCED else 10


def tax_inside(minor: int, percent: int) -> int:
    """The tax in an amount that includes it, in minor units, rounded down."""
    return minor * percent // (100 + percent)
