from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.imports.rows import Cancellation, Dropped, NotAnEntry, Row, Sale, entry_of
from tests.imports.invoice_rows import contents_of, row


def dropped(**changes: Any) -> Dropped:
    with pytest.raises(NotAnEntry) as refused:
        entry_of(row(**changes))
    return refused.value.reason


def test_sale_has_pence_and_utc() -> None:
    assert entry_of(row(invoice_date="2010-07-01 10:00:00")) == Sale(
        invoice="489434",
        stock_code="85048",
        description="GLASS BALL 20 LIGHTS",
        quantity=12,
        at=datetime(2010, 7, 1, 9, tzinfo=UTC),
        unit_price=695,
        customer=13085,
        country="United Kingdom",
    )


def test_cancellation_counts_what_it_takes_back() -> None:
    assert entry_of(row(invoice="c489449", quantity=-12, invoice_date="2010-07-01 10:00:00")) == Cancellation(
        invoice="C489449",
        stock_code="85048",
        quantity=12,
        at=datetime(2010, 7, 1, 9, tzinfo=UTC),
        unit_price=695,
        customer=13085,
    )


def sale_of(some: Row) -> Sale:
    entry = entry_of(some)
    assert isinstance(entry, Sale)
    return entry


def test_stock_code_is_trimmed_and_case_folded() -> None:
    assert sale_of(row(stock_code="47503J ")).stock_code == "47503j"


def test_codes_of_digits_may_come_as_integers() -> None:
    sale = sale_of(row(invoice=489434, stock_code=85048, customer="13085"))
    assert (sale.invoice, sale.stock_code, sale.customer) == ("489434", "85048", 13085)


def test_missing_customer_is_no_customer() -> None:
    assert sale_of(row(customer=None)).customer is None
    assert sale_of(row(customer=float("nan"))).customer is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"invoice": "C489449", "stock_code": "POST", "quantity": -1}, Dropped.NOT_A_PRODUCT_BACK),
        ({"invoice": "C489449"}, Dropped.NOTHING_BACK),
        ({"invoice": "C489449", "quantity": 0}, Dropped.NOTHING_BACK),
        ({"invoice": "C489449", "quantity": -1, "price": 0.0}, Dropped.NO_PRICE),
        ({"invoice": "C489449", "quantity": -(2**40)}, Dropped.ABSURD),
        ({"invoice": "C", "quantity": -1}, Dropped.MALFORMED),
        ({"invoice": "A506401", "price": -53594.36}, Dropped.ADJUSTMENT),
        ({"stock_code": "POST"}, Dropped.NOT_A_PRODUCT),
        ({"stock_code": "gift_0001_30"}, Dropped.NOT_A_PRODUCT),
        ({"stock_code": "POST", "quantity": -1, "price": 0.0}, Dropped.NOT_A_PRODUCT),
        ({"quantity": -240, "price": 0.0}, Dropped.NO_QUANTITY),
        ({"quantity": 0}, Dropped.NO_QUANTITY),
        ({"price": 0.0, "description": None}, Dropped.NO_PRICE),
        ({"price": -1.5}, Dropped.NEGATIVE_PRICE),
        ({"price": 0.001}, Dropped.PART_OF_A_PENNY),
        ({"price": 2.555}, Dropped.PART_OF_A_PENNY),
        ({"quantity": 2**40}, Dropped.ABSURD),
        ({"price": 1e300}, Dropped.ABSURD),
        ({"price": float("nan")}, Dropped.MALFORMED),
        ({"price": float("inf")}, Dropped.MALFORMED),
        ({"price": None}, Dropped.MALFORMED),
        ({"price": "6.95"}, Dropped.MALFORMED),
        ({"price": True}, Dropped.MALFORMED),
        ({"quantity": 1.5}, Dropped.MALFORMED),
        ({"quantity": None}, Dropped.MALFORMED),
        ({"invoice": "489434-2"}, Dropped.MALFORMED),
        ({"invoice": "٤٨٩٤٣٤"}, Dropped.MALFORMED),
        ({"invoice": None}, Dropped.MALFORMED),
        ({"stock_code": None}, Dropped.MALFORMED),
        ({"description": 5}, Dropped.MALFORMED),
        ({"customer": 13085.5}, Dropped.MALFORMED),
        ({"customer": -1}, Dropped.MALFORMED),
        ({"invoice_date": "yesterday"}, Dropped.MALFORMED),
        ({"invoice_date": "2010-02-30 10:00:00"}, Dropped.MALFORMED),
        ({"invoice_date": "9999-12-31 23:59:59"}, Dropped.MALFORMED),
        ({"invoice_date": "2010-01-01T10:00:00+09:00"}, Dropped.MALFORMED),
        ({"invoice_date": None}, Dropped.MALFORMED),
    ],
)
def test_row_that_is_no_entry_has_one_reason(changes: dict[str, Any], reason: Dropped) -> None:
    assert dropped(**changes) is reason


@pytest.mark.parametrize(
    ("price", "pence"), [(0.29, 29), (1.1, 110), (0.1 + 0.2, 30), (Decimal("4.95"), 495), (3, 300)]
)
def test_prices_become_the_pence_that_the_file_shows(price: object, pence: int) -> None:
    assert sale_of(row(price=price)).unit_price == pence


anything = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.decimals()
    | st.datetimes()
    | st.dates()
    | st.binary(max_size=4)
    | st.lists(st.integers(), max_size=2)
)
invoices = st.sampled_from(["489434", "489435", "C489436", "A489437"]) | anything
codes = st.sampled_from(["85048", "85048A", "85048a", "POST"]) | anything
rows = st.builds(
    Row,
    invoice=invoices,
    stock_code=codes,
    description=st.sampled_from(["GLASS BALL", "?", "\x00 lamp shade"]) | anything,
    quantity=st.integers(-5, 50) | anything,
    invoice_date=st.sampled_from(["2010-03-28 01:30:00", "2010-12-01 09:00:00"]) | anything,
    price=st.integers(-50, 5000).map(lambda pence: pence / 100) | anything,
    customer=st.sampled_from([None, 12346.0]) | anything,
    country=st.just("EIRE") | anything,
)


@given(st.lists(rows, max_size=30))
def test_any_row_is_loaded_or_counted_and_nothing_breaks(some: list[Row]) -> None:
    contents = contents_of(*some)
    lines = [line for invoice in contents.invoices for line in invoice.lines]
    assert len(lines) + len(contents.cancellations) + sum(contents.dropped.values()) == len(some)
    assert all(line.stock_code in contents.products and line.unit_price > 0 < line.quantity for line in lines)
