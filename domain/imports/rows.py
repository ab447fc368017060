"""A row of the file, as a sale or a cancellation: the rules that read one row and know nothing of the others."""

import math
import re
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from enum import StrEnum
from typing import NamedTuple

from domain.imports.uk_time import utc_of
from domain.shared.money import MINOR_DIGITS

CURRENCY = "GBP"
MAX_QUANTITY = 1_000_000
MAX_UNIT_PRICE = 100_000
"""In pounds. With these two, an invoice of 900,000 lines still fits the database's bigint."""
PRICE_TOLERANCE = Decimal("0.000001")
"""In pounds: how far a float may lie from a whole penny and still be that penny written as a float."""
FIRST_YEAR, LAST_YEAR = 2000, 2019
"""The shop's years, generously. A stray year would make an order, and a partition of the table, for a month like no other."""

DIGITS = re.compile(r"[0-9]{1,12}")
PRODUCT_CODE = re.compile(r"[0-9]{5}[0-9a-z]{0,7}")


class Dropped(StrEnum):
    """Why a row is neither sale nor cancellation here. One that several reasons fit is counted under the first."""

    ADJUSTMENT = "adjustment of the books"
    MALFORMED = "not readable as an invoice line"
    NOT_A_PRODUCT = "postage, fee, voucher or manual entry"
    NOT_A_PRODUCT_BACK = "postage, fee, voucher or manual entry, cancelled"
    NO_QUANTITY = "quantity of nothing or less"
    NOTHING_BACK = "cancellation that takes nothing back"
    NO_PRICE = "price of nothing"
    NEGATIVE_PRICE = "negative price"
    ABSURD = "quantity or price beyond belief"
    PART_OF_A_PENNY = "price in parts of a penny"
    OTHER_CUSTOMER = "customer differs from the invoice's"
    NO_DESCRIPTION = "product without any description"
    DIFFERENT_INVOICE = "invoice already there with another total"


class NotAnEntry(Exception):
    """A row that is neither a sale of a product nor the cancellation of one."""

    def __init__(self, reason: Dropped) -> None:
        super().__init__(reason)
        self.reason = reason


class Row(NamedTuple):
    """A row as it stands in the file: any value may be missing, or of any type."""

    invoice: object
    stock_code: object
    description: object
    quantity: object
    invoice_date: object
    price: object
    customer: object
    country: object


class Sale(NamedTuple):
    """A row that is a sale. `unit_price` in pence, `at` in aware UTC, `stock_code` case-folded, texts as in the file."""

    invoice: str
    stock_code: str
    description: str | None
    quantity: int
    at: datetime
    unit_price: int
    customer: int | None
    country: str | None


class Cancellation(NamedTuple):
    """A row that takes units back, or a part of them. `quantity` above zero; the rest as in a sale.

    `position` counts the rows of its invoice, which name no earlier invoice: what they cancel has to be found.
    """

    invoice: str
    stock_code: str
    quantity: int
    at: datetime
    unit_price: int
    customer: int | None
    position: int = 0

    @property
    def amount(self) -> int:
        """In pence."""
        return self.quantity * self.unit_price


def entry_of(row: Row) -> Sale | Cancellation:
    """Raises NotAnEntry."""
    invoice, is_back = _invoice(row.invoice)
    description, country = _text(row.description), _text(row.country)
    at, customer = _time(row.invoice_date), _customer(row.customer)
    quantity, price = _whole(row.quantity), _price(row.price)
    stock_code = _code(row.stock_code)
    if not PRODUCT_CODE.fullmatch(stock_code):
        raise NotAnEntry(Dropped.NOT_A_PRODUCT_BACK if is_back else Dropped.NOT_A_PRODUCT)
    if is_back:
        quantity = -quantity
    if quantity <= 0:
        raise NotAnEntry(Dropped.NOTHING_BACK if is_back else Dropped.NO_QUANTITY)
    if price == 0:
        raise NotAnEntry(Dropped.NO_PRICE)
    if price < 0:
        raise NotAnEntry(Dropped.NEGATIVE_PRICE)
    if quantity > MAX_QUANTITY or price > MAX_UNIT_PRICE:
        raise NotAnEntry(Dropped.ABSURD)
    if is_back:
        return Cancellation(invoice, stock_code, quantity, at, pence_of(price), customer)
    return Sale(invoice, stock_code, description, quantity, at, pence_of(price), customer, country)


def pence_of(price: Decimal) -> int:
    """A price in pounds as whole pence. Raises NotAnEntry when it lies between two of them."""
    pence = price.scaleb(MINOR_DIGITS[CURRENCY]).to_integral_value(ROUND_HALF_EVEN)
    # Dropped, not rounded, so that what is loaded adds up to exactly what the file says.
    if pence == 0 or abs(price - pence.scaleb(-MINOR_DIGITS[CURRENCY])) > PRICE_TOLERANCE:
        raise NotAnEntry(Dropped.PART_OF_A_PENNY)
    return int(pence)


def is_missing(value: object) -> bool:
    """None, or the not-a-number that stands for it in a column of floats."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def _invoice(value: object) -> tuple[str, bool]:
    """The number, `489434` or `C489449`, and whether it is a cancellation's."""
    number = _code(value)
    if number.startswith("a"):
        raise NotAnEntry(Dropped.ADJUSTMENT)
    digits = number.removeprefix("c")
    if not DIGITS.fullmatch(digits):
        raise NotAnEntry(Dropped.MALFORMED)
    is_back = digits != number
    return f"C{digits}" if is_back else digits, is_back


def _code(value: object) -> str:
    """A code, case-folded. A file whose codes are all digits may hold them as integers."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 10**15 else ""
    if not isinstance(value, str) or not value.strip():
        raise NotAnEntry(Dropped.MALFORMED)
    return value.strip().casefold()


def _text(value: object) -> str | None:
    if is_missing(value):
        return None
    if not isinstance(value, str):
        raise NotAnEntry(Dropped.MALFORMED)
    return value


def _whole(value: object) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise NotAnEntry(Dropped.MALFORMED)
    return value


def _customer(value: object) -> int | None:
    if is_missing(value):
        return None
    if isinstance(value, str) and DIGITS.fullmatch(value):
        value = int(value)
    number = _whole(value)
    if not 0 < number < 10**12:
        raise NotAnEntry(Dropped.MALFORMED)
    return number


def _price(value: object) -> Decimal:
    if not isinstance(value, float | int | Decimal) or isinstance(value, bool):
        raise NotAnEntry(Dropped.MALFORMED)
    try:
        price = Decimal(str(value))  # the digits that the file shows, not the binary fraction behind them
    except (InvalidOperation, ValueError) as error:  # ValueError: an int with more digits than Python likes to print
        raise NotAnEntry(Dropped.MALFORMED) from error
    if not price.is_finite():
        raise NotAnEntry(Dropped.MALFORMED)
    return price


def _time(value: object) -> datetime:
    """Naive times are on a clock in the United Kingdom."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError as error:
            raise NotAnEntry(Dropped.MALFORMED) from error
    if not isinstance(value, datetime) or value.tzinfo or not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise NotAnEntry(Dropped.MALFORMED)
    return utc_of(value)
