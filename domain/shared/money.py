"""Money: integer minor units and an ISO 4217 currency, never a float."""

from dataclasses import dataclass
from decimal import Decimal

MINOR_DIGITS = {"JPY": 0, "KRW": 0, "USD": 2, "GBP": 2, "EUR": 2}
"""Digits after the decimal point by currency (ISO 4217); a currency that is not here is not traded."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units: 1,980 yen is `Money(1980, "JPY")`, 19.80 pounds is `Money(1980, "GBP")`."""

    minor: int
    currency: str

    @property
    def amount(self) -> Decimal:
        """The amount in major units, with exactly the digits of its currency."""
        digits, amount = MINOR_DIGITS[self.currency], Decimal(self.minor)
        return amount.scaleb(-digits) if digits else amount

    def __add__(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return Money(self.minor + other.minor, self.currency)

    def __mul__(self, quantity: int) -> "Money":
        return Money(self.minor * quantity, self.currency)


MAX_DIGITS = 15
"""Before the decimal point: more than all the money there is, and small enough for a bigint of minor units."""


def minor_units(amount: Decimal, currency: str) -> int:
    """An amount in major units as minor units.

    Raises ValueError when it has more digits than the currency, or is no amount anybody pays.
    """
    # Looked at before any arithmetic: 1E+999999 is eight characters, and a million digits as an integer.
    if not amount.is_finite() or amount.adjusted() >= MAX_DIGITS or (amount.adjusted() < -MAX_DIGITS and amount):
        raise ValueError("this amount is not one that can be paid")
    scaled = amount.scaleb(MINOR_DIGITS[currency])
    minor = int(scaled)
    if minor != scaled:
        raise ValueError(f"{amount} has more digits than {currency}")
    return minor
