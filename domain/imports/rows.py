"""A row of the file, and whether it is a sale: the rules that read one row and know nothing of the others."""

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

INVOICE_NUMBER = re.compile(r"[0-9]{1,12}")
PRODUCT_CODE = re.compile(r"[0-9]{5}[0-9a-z]{0,7}")


class Dropped(StrEnum):
    """Why a row is not among the orders. A row that several reasons fit is counted under the first of this order."""

    CANCELLATION = "cancellation (left for later)"
    ADJUSTMENT = "adjustment of the books"
    MALFORMED = "not readable as an invoice line"
    NOT_A_PRODUCT = "postage, fee, voucher or manual entry"
    NO_QUANTITY = "quantity of nothing or less"
    NO_PRICE = "price of nothing"
    NEGATIVE_PRICE = "negative price"
    ABSURD = "quantity or price beyond belief"
    PART_OF_A_PENNY = "price in parts of a penny"
    OTHER_CUSTOMER = "customer differs from the invoice's"
    NO_DESCRIPTION = "product without any description"
    DIFFERENT_INVOICE = "invoice already there with another total"


class NotASale(Exception):
    """A row that makes no line of an order."""

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


def sale_of(row: Row) -> Sale:
    """Raises NotASale."""
    invoice = _invoice(row.invoice)
    description, country = _text(row.description), _text(row.country)
    at, customer = _time(row.invoice_date), _customer(row.customer)
    quantity, price = _whole(row.quantity), _price(row.price)
    stock_code = _stock_code(row.stock_code)
    if quantity <= 0:
        raise NotASale(Dropped.NO_QUANTITY)
    if price == 0:
        raise NotASale(Dropped.NO_PRICE)
    if price < 0:
        raise NotASale(Dropped.NEGATIVE_PRICE)
    if quantity > MAX_QUANTITY or price > MAX_UNIT_PRICE:
        raise NotASale(Dropped.ABSURD)
    return Sale(invoice, stock_code, description, quantity, at, pence_of(price), customer, country)


def pence_of(price: Decimal) -> int:
    """A price in pounds as whole pence. Raises NotASale when it lies between two of them."""
    pence = price.scaleb(MINOR_DIGITS[CURRENCY]).to_integral_value(ROUND_HALF_EVEN)
    # Dropped, not rounded, so that what is loaded adds up to exactly what the file says.
    if pence == 0 or abs(price - pence.scaleb(-MINOR_DIGITS[CURRENCY])) > PRICE_TOLERANCE:
        raise NotASale(Dropped.PART_OF_A_PENNY)
    return int(pence)


def is_missing(value: object) -> bool:
    """None, or the not-a-number that stands for it in a column of floats."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def _invoice(value: object) -> str:
    number = _code(value)
    match number[:1]:
        case "c":
            raise NotASale(Dropped.CANCELLATION)
        case "a":
            raise NotASale(Dropped.ADJUSTMENT)
    if not INVOICE_NUMBER.fullmatch(number):
        raise NotASale(Dropped.MALFORMED)
    return number


def _stock_code(value: object) -> str:
    code = _code(value)
    if not PRODUCT_CODE.fullmatch(code):
        raise NotASale(Dropped.NOT_A_PRODUCT)
    return code


def _code(value: object) -> str:
    """A code, case-folded. A file whose codes are all digits may hold them as integers."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 10**15 else ""
    if not isinstance(value, str) or not value.strip():
        raise NotASale(Dropped.MALFORMED)
    return value.strip().casefold()


def _text(value: object) -> str | None:
    if is_missing(value):
        return None
    if not isinstance(value, str):
        raise NotASale(Dropped.MALFORMED)
    return value


def _whole(value: object) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise NotASale(Dropped.MALFORMED)
    return value


def _customer(value: object) -> int | None:
    if is_missing(value):
        return None
    if isinstance(value, str) and INVOICE_NUMBER.fullmatch(value):
        value = int(value)
    number = _whole(value)
    if not 0 < number < 10**12:
        raise NotASale(Dropped.MALFORMED)
    return number


def _price(value: object) -> Decimal:
    if not isinstance(value, float | int | Decimal) or isinstance(value, bool):
        raise NotASale(Dropped.MALFORMED)
    try:
        price = Decimal(str(value))  # the digits that the file shows, not the binary fraction behind them
    except (InvalidOperation, ValueError) as error:  # ValueError: an int with more digits than Python likes to print
        raise NotASale(Dropped.MALFORMED) from error
    if not price.is_finite():
        raise NotASale(Dropped.MALFORMED)
    return price


def _time(value: object) -> datetime:
    """Naive times are on a clock in the United Kingdom."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError as error:
            raise NotASale(Dropped.MALFORMED) from error
    if not isinstance(value, datetime) or value.tzinfo or not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise NotASale(Dropped.MALFORMED)
    return utc_of(value)
