"""What cancellations give back, as rules: no database."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.imports.books import Contents
from domain.imports.catalogue import product_id
from domain.imports.keys import line_key, timed_key
from domain.imports.refunds import Bin, Bought, Settled, Unmatched, open_cancellations, refunds_of, settle
from domain.imports.rows import Row
from domain.imports.shop import user_id
from domain.shared.ids import OrderId, OrderItemId
from tests.imports.invoice_rows import contents_of, row

Given = Mapping[UUID, tuple[int, int]]


def bought_in(contents: Contents) -> dict[Bin, list[Bought]]:
    """The file's own invoices, as they stand once they are imported."""
    found: defaultdict[Bin, list[Bought]] = defaultdict(list)
    for invoice in contents.invoices:
        order_id = OrderId(timed_key("order", invoice.number, invoice.at))
        payment_id = timed_key("payment", invoice.number, invoice.at)
        for position, line in enumerate(invoice.lines):
            if invoice.customer is not None:
                item_id = OrderItemId(line_key(invoice.number, position, invoice.at))
                found[user_id(invoice.customer), product_id(line.stock_code)].append(
                    Bought(
                        item_id,
                        order_id,
                        payment_id,
                        invoice.at,
                        line.unit_price,
                        line.quantity,
                        line.quantity * line.unit_price,
                    )
                )
    return found


def settled(*rows: Row, given: Given | None = None, lines: Mapping[Bin, Sequence[Bought]] | None = None) -> Settled:
    contents = contents_of(*rows)
    stood = bought_in(contents) if lines is None else lines
    return settle(open_cancellations(contents.cancellations, given or {}), stood)


def day(number: int) -> str:
    return f"2010-01-{number:02} 10:00:00"


def sold(invoice: str, quantity: int, on: int, **changes: Any) -> Row:
    return row(invoice=invoice, quantity=quantity, invoice_date=day(on), **changes)


def taken(settled: Settled) -> list[tuple[datetime, int, int]]:
    """Of which day's invoice, how many units, how many pence."""
    days = {OrderId(timed_key("order", str(on), at(on))): at(on) for on in range(1, 32)}
    return [(days[piece.order_id], piece.quantity, piece.amount) for piece in settled.pieces]


def at(on: int) -> datetime:
    return datetime(2010, 1, on, 10, tzinfo=UTC)


def reasons(settled: Settled) -> dict[Unmatched, int]:
    return {shortfall.reason: shortfall.amount for shortfall in settled.shortfalls}


def test_latest_earlier_invoice_gives_back_first() -> None:
    back = settled(sold("1", 5, 1), sold("2", 5, 2), sold("4", 5, 4), sold("C3", -3, 3))
    assert taken(back) == [(at(2), 3, 3 * 695)]
    assert (back.lines, back.refunded, back.shortfalls) == (1, 3 * 695, [])


def test_cancellation_spreads_over_the_invoices_that_have_units_left() -> None:
    back = settled(sold("1", 5, 1), sold("2", 5, 2), sold("C3", -4, 3), sold("C4", -4, 4))
    assert taken(back) == [(at(2), 4, 4 * 695), (at(2), 1, 695), (at(1), 3, 3 * 695)]


def test_invoice_bought_between_two_cancellations_is_the_later_ones() -> None:
    back = settled(sold("1", 2, 1), sold("C2", -1, 2), sold("3", 1, 3), sold("C4", -2, 4))
    assert [(when, units) for when, units, _ in taken(back)] == [(at(1), 1), (at(3), 1), (at(1), 1)]


def test_invoice_of_the_same_minute_is_not_earlier() -> None:
    assert reasons(settled(sold("1", 1, 1), sold("C1", -1, 1))) == {Unmatched.BOUGHT_LATER: 695}


def test_each_cancellation_that_finds_nothing_has_a_reason() -> None:
    rows = sold("1", 1, 1), sold("C2", -1, 2)
    assert reasons(settled(sold("C2", -1, 2, customer=None))) == {Unmatched.NO_CUSTOMER: 695}
    assert reasons(settled(*rows[1:])) == {Unmatched.NEVER_BOUGHT: 695}
    assert reasons(settled(sold("C2", -1, 2, customer=5), *rows[:1])) == {Unmatched.NEVER_BOUGHT: 695}
    assert reasons(settled(sold("3", 1, 3), *rows[1:])) == {Unmatched.BOUGHT_LATER: 695}
    assert reasons(settled(*rows, sold("C3", -1, 3))) == {Unmatched.NOTHING_LEFT: 695}


def test_what_is_too_much_is_reported_and_the_rest_given_back() -> None:
    back = settled(sold("1", 2, 1), sold("C2", -5, 2))
    assert taken(back) == [(at(1), 2, 2 * 695)]
    assert reasons(back) == {Unmatched.FEWER_BOUGHT: 3 * 695}
    assert back.rows == back.lines == 1


def test_unit_gives_back_no_more_than_was_paid_and_no_more_than_the_cancellation_says() -> None:
    dearer = settled(sold("1", 2, 1), sold("C2", -1, 2, price=7.95))
    assert (dearer.refunded, reasons(dearer)) == (695, {Unmatched.DEARER: 100})
    cheaper = settled(sold("1", 2, 1), sold("C2", -1, 2, price=5.95))
    assert (cheaper.refunded, cheaper.shortfalls) == (595, [])


def test_unit_that_came_back_for_less_is_back_all_the_same() -> None:
    back = settled(sold("1", 1, 1), sold("C2", -1, 2, price=5.95), sold("C3", -1, 3, price=1.0))
    assert reasons(back) == {Unmatched.NOTHING_LEFT: 100}


def test_refund_is_of_one_cancelling_invoice_and_one_order() -> None:
    codes = ({"stock_code": "85048"}, {"stock_code": "22041"})
    sales = [sold("1", 2, 1, **code) for code in codes] + [sold("2", 1, 2, **code) for code in codes]
    back = settled(*sales, *(sold("C3", -2, 3, **code) for code in codes), sold("C4", -1, 4))
    refunds = refunds_of(back.pieces)
    assert Counter((refund.invoice, len(refund.pieces)) for refund in refunds) == {("C3", 2): 2, ("C4", 1): 1}
    assert len({refund.id for refund in refunds}) == 3


small = st.tuples(
    st.booleans(),  # a cancellation?
    st.integers(1, 6),  # units
    st.sampled_from([1, 2, 250, 695]),  # pence
    st.sampled_from(["85048", "22041"]),
    st.sampled_from([None, 1.0, 2.0]),
    st.integers(0, 12),  # hours
)


def made_up(lines: list[tuple[bool, int, int, str, float | None, int]]) -> list[Row]:
    """Rows of invoices, one or two lines each; a few lines share a time."""
    rows = []
    for place, (is_back, units, pence, code, customer, hours) in enumerate(lines):
        number = 100 + hours * 10 + (place % 2 if customer is None else 2 + int(customer))
        when = datetime(2010, 1, 1, 10) + timedelta(hours=hours)
        rows.append(
            row(
                invoice=f"C{number}" if is_back else str(number),
                quantity=-units if is_back else units,
                price=pence / 100,
                stock_code=code,
                customer=customer,
                invoice_date=when.isoformat(sep=" "),
            )
        )
    return rows


files = st.lists(small, max_size=30).map(made_up)


def by_hand(contents: Contents) -> Counter[UUID]:
    """Units given back of each line, found the slow way."""
    lines = [(key, line) for key, some in bought_in(contents).items() for line in some]
    back: Counter[UUID] = Counter()
    for cancellation in contents.cancellations:
        rest = cancellation.quantity
        for key, line in sorted(lines, key=lambda each: (each[1].at, each[1].order_id, each[1].item_id), reverse=True):
            is_its = cancellation.customer is not None and key == (
                user_id(cancellation.customer),
                product_id(cancellation.stock_code),
            )
            if is_its and line.at < cancellation.at:
                units = min(rest, line.quantity - back[line.item_id])
                back[line.item_id] += units
                rest -= units
    return +back


@given(files)
def test_any_file_gives_back_what_the_slow_way_finds_and_reports_the_rest(rows: list[Row]) -> None:
    contents = contents_of(*rows)
    back = settled(*rows)
    found: Counter[UUID] = Counter()
    for piece in back.pieces:
        found[piece.item_id] += piece.quantity
    assert found == by_hand(contents)
    assert back.rows == len(contents.cancellations)
    assert back.refunded_before == 0
    cancelled = sum(cancellation.amount for cancellation in contents.cancellations)
    assert back.refunded + sum(shortfall.amount for shortfall in back.shortfalls) == cancelled
    assert all(shortfall.amount > 0 for shortfall in back.shortfalls)


@given(files)
def test_never_more_units_or_money_than_a_line_had(rows: list[Row]) -> None:
    lines = {line.item_id: line for some in bought_in(contents_of(*rows)).values() for line in some}
    back = settled(*rows)
    for item_id, line in lines.items():
        pieces = [piece for piece in back.pieces if piece.item_id == item_id]
        assert sum(piece.quantity for piece in pieces) <= line.quantity
        assert all(0 < piece.amount <= piece.quantity * line.unit_price for piece in pieces)


@given(files)
def test_second_time_finds_all_there_and_the_same_rest(rows: list[Row]) -> None:
    lines = bought_in(contents_of(*rows))
    first = settled(*rows, lines=lines)
    pieces = {piece.key: (piece.quantity, piece.amount) for piece in first.pieces}
    assert len(pieces) == len(first.pieces)
    second = settled(*rows, given=pieces, lines=lines)
    assert not second.pieces
    assert (second.lines_there, second.refunded_before) == (first.lines, first.refunded)
    assert second.rows == first.rows
    assert sorted(second.shortfalls, key=str) == sorted(first.shortfalls, key=str)
