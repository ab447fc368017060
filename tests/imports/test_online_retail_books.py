from datetime import UTC, datetime

from domain.imports.catalogue import Seen, sane_price
from domain.imports.categories import OTHER, category_id, category_name, tree
from domain.imports.keys import line_key, timed_key
from domain.imports.names import name_of, slug_of
from domain.imports.overlap import overlap
from domain.imports.rows import Dropped
from domain.shared.ids import uuid7_time
from tests.imports.invoice_rows import contents_of, row


def test_stock_codes_in_two_cases_are_one_product() -> None:
    contents = contents_of(row(stock_code="85123A"), row(stock_code="85123a"))
    assert list(contents.products) == ["85123a"]


def test_two_lines_of_one_product_in_an_invoice_stay_two() -> None:
    (invoice,) = contents_of(row(), row()).invoices
    assert len(invoice.lines) == 2
    assert invoice.subtotal == 2 * 12 * 695


def test_rows_of_an_invoice_need_not_stand_together_and_its_time_is_the_earliest() -> None:
    late, other, early = (
        row(invoice_date="2010-01-12 09:48:00"),
        row(invoice="489435"),
        row(invoice_date="2010-01-12 09:47:00"),
    )
    first = {invoice.number: invoice.at for invoice in contents_of(late, other, early).invoices}
    assert first["489434"] == datetime(2010, 1, 12, 9, 47, tzinfo=UTC)


def test_row_of_another_customer_is_not_put_on_the_invoice() -> None:
    contents = contents_of(row(customer=1), row(customer=2), row(customer=None))
    assert contents.dropped == {Dropped.OTHER_CUSTOMER: 2}


def test_line_without_description_is_loaded_when_another_names_the_product() -> None:
    contents = contents_of(row(description=None), row(invoice="489435"))
    assert contents.products["85048"].name == "Glass Ball 20 Lights"
    assert not contents.dropped


def test_line_without_description_is_dropped_when_nothing_names_the_product() -> None:
    contents = contents_of(row(description=None), row(description="?", invoice="489435"), row(stock_code="22041"))
    assert contents.dropped == {Dropped.NO_DESCRIPTION: 2}
    assert list(contents.products) == ["22041"]
    assert [invoice.number for invoice in contents.invoices] == ["489434"]


def test_name_is_the_most_frequent_one_and_of_equals_the_latest() -> None:
    often = [row(description="CAT BOWL"), row(description="CAT BOWL"), row(description="BOWL FOR CATS")]
    assert contents_of(*often).products["85048"].name == "Cat Bowl"
    equal = [row(description="CAT BOWL", invoice_date="2010-05-01 10:00:00"), row(description="BOWL FOR CATS")]
    assert contents_of(*equal).products["85048"].name == "Cat Bowl"


def seen(**prices: int) -> dict[int, Seen]:
    """Prices by the day of their last sale, three sales each."""
    return {price: Seen((datetime(2010, 1, int(day[1:]), tzinfo=UTC), 0), 3) for day, price in prices.items()}


def test_price_is_the_latest_one_near_the_median() -> None:
    assert sane_price(seen(d1=200, d2=210, d3=220)) == 220
    assert sane_price(seen(d1=200, d2=210, d3=9900)) == 210
    assert sane_price(seen(d1=200, d2=210, d3=1)) == 210


def test_price_at_exactly_twice_or_half_the_median_is_sane() -> None:
    assert sane_price(seen(d1=200, d2=199, d3=400)) == 400
    assert sane_price(seen(d1=200, d2=199, d3=401)) == 199
    assert sane_price(seen(d1=200, d2=201, d3=100)) == 100
    assert sane_price(seen(d1=200, d2=201, d3=99)) == 201


def test_only_price_is_the_price() -> None:
    assert sane_price(seen(d1=695)) == 695


def test_names_are_tidied() -> None:
    assert name_of("  WHITE HANGING HEART T-LIGHT  HOLDER ") == "White Hanging Heart T-light Holder"
    assert name_of("BAG 250g SWIRLY MARBLES") == "BAG 250g SWIRLY MARBLES"
    assert name_of("LAMP\x00SHADE") == "Lamp Shade"
    assert name_of("?") is name_of("21733") is name_of("") is name_of(None) is None
    assert len(name_of("LONG " * 100) or "") <= 200


def test_slugs_are_ascii_and_end_in_the_stock_code() -> None:
    assert slug_of('Café "Set/6" & Co', "85123a") == "caf-set-6-co-85123a"


def test_category_is_the_first_whose_words_are_in_the_name() -> None:
    assert category_name("15cm Christmas Glass Ball 20 Lights") == "Christmas"
    assert category_name("White Hanging Heart T-light Holder") == "Candles & Lights"
    assert category_name("Jumbo Bags Red Retrospot") == "Bags & Purses"
    assert category_name("Something Else Entirely") == OTHER


def test_categories_are_one_tree_with_slugs_of_their_own() -> None:
    root, *children = tree()
    assert root.parent_id is None
    assert {child.parent_id for child in children} == {root.id}
    assert len({category.slug for category in tree()}) == len(tree())
    assert category_id(OTHER) in {child.id for child in children}


def test_keys_are_always_the_same_carry_the_time_and_keep_the_order_of_lines() -> None:
    at = datetime(2010, 12, 1, 8, 26, tzinfo=UTC)
    assert timed_key("order", "536365", at) == timed_key("order", "536365", at) != timed_key("payment", "536365", at)
    assert uuid7_time(timed_key("order", "536365", at)) == at
    keys = [line_key("536365", position, at) for position in range(1200)]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


def test_invoice_that_is_there_is_told_from_one_with_another_total() -> None:
    contents = contents_of(row(invoice="1"), row(invoice="2"), row(invoice="2"), row(invoice="3"))
    found = overlap(contents.invoices, {"OR-1": 12 * 695, "OR-2": 12 * 695})
    assert ([invoice.number for invoice in found.new], found.lines_there, found.lines_different) == (["3"], 1, 2)
