"""How any search index narrows, counts and sorts what it finds."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest

from domain.catalog.model import Attribute
from domain.search.facet_terms import FacetCounts, FacetKey, FacetKind
from domain.search.facets import Facet, narrowed_by
from domain.search.model import Beside
from domain.search.request import NO_FILTER, PriceRange, SearchFilter, SearchRequest, SearchSort
from domain.shared.ids import BrandId
from domain.shared.money import Money
from domain.shared.paging import Count, PageRequest, encode_cursor
from domain.shared.refusals import InvalidCursor
from tests.contract.search_scene import (
    BLUE,
    BRANDS,
    MEDIUM,
    RED,
    ROOTS,
    expected,
    expected_counts,
    expected_order,
    shop,
    some_filter,
)
from tests.contract.search_shop import OPENED, Shopper, document, product, scope_of


def counted(facets: Sequence[Facet]) -> dict[FacetKey, Counter[str]]:
    """What facets show, without zeros."""
    shown = {facet.key: Counter({value.term.value: value.count for value in facet.values}) for facet in facets}
    return {key: +counts for key, counts in shown.items() if +counts}


def values_of(facets: Sequence[Facet], kind: FacetKind, name: str = "") -> list[tuple[str, int, bool]]:
    return [
        (value.term.value, value.count, value.is_selected)
        for facet in facets
        if facet.key == FacetKey(kind, name)
        for value in facet.values
    ]


class TestFacets:
    async def test_whatever_is_asked_what_is_found_counted_and_offered_is_true(self, shopper: Shopper) -> None:
        documents, random = shop(250), Random(11)
        await shopper.stock(*documents)

        for number in range(25):
            word, which = random.choice(("", "急須")), some_filter(random) if number else NO_FILTER
            found = {each.product_id for each in expected(documents, word, which)}
            page = await shopper.page(word, 100, which=which)

            assert {hit.product_id for hit in page.nodes} <= found, which
            assert len(page.nodes) == min(len(found), 100), which
            assert await shopper.search.count(scope_of(page)) == Count(len(found)), which
            facets = await shopper.search.facets(scope_of(page))
            assert counted(facets) == expected_counts(documents, word, which), which

    async def test_every_token_sent_back_finds_as_many_as_it_said(self, shopper: Shopper) -> None:
        await shopper.stock(*shop(120))
        which = SearchFilter(in_stock=True, attributes=(RED,))

        for facet in await shopper.facets("急須", which):
            alone = {
                FacetKind.STOCK: replace(which, in_stock=None),
                FacetKind.ATTRIBUTE: which if facet.key.name != "色" else replace(which, attributes=()),
            }.get(facet.key.kind, which)
            for value in facet.values:
                assert await shopper.count("急須", narrowed_by(alone, [value.token])) == Count(value.count), value

    async def test_choosing_a_value_leaves_the_others_of_its_facet(self, shopper: Shopper) -> None:
        await shopper.stock(
            document(1, "鍋", attributes=(RED,), brand_id=BRANDS[0]),
            document(2, "鍋", attributes=(BLUE,), brand_id=BRANDS[1]),
            document(3, "鍋", attributes=(RED, MEDIUM), brand_id=BRANDS[1]),
        )

        facets = await shopper.facets("鍋", SearchFilter(attributes=(RED,)))

        assert values_of(facets, FacetKind.ATTRIBUTE, "色") == [("赤", 2, True), ("青", 1, False)]
        assert values_of(facets, FacetKind.ATTRIBUTE, "サイズ") == [("M", 1, False)]
        assert sorted(count for _, count, _ in values_of(facets, FacetKind.BRAND)) == [1, 1]

    async def test_what_is_selected_is_offered_however_rare_it_is(self, shopper: Shopper) -> None:
        common = [document(n, "鍋", attributes=(Attribute("柄", f"柄{n % 60}"),)) for n in range(180)]
        await shopper.stock(*common, document(500, "鍋", attributes=(Attribute("柄", "稀"),)))
        chosen = SearchFilter(attributes=(Attribute("柄", "稀"), Attribute("柄", "無い")))

        shown = values_of(await shopper.facets("鍋", chosen), FacetKind.ATTRIBUTE, "柄")

        assert len(shown) == 52
        assert {("稀", 1, True), ("無い", 0, True)} < set(shown)
        assert [count for _, count, is_selected in shown if not is_selected] == [3] * 50

    async def test_prices_and_ratings_come_in_their_order(self, shopper: Shopper) -> None:
        prices = (Money(500, "JPY"), Money(120_000, "JPY"), Money(999, "JPY"), Money(1_000, "JPY"), Money(999, "GBP"))
        ratings = (4.2, 5.0, 1.0, 3.9, None)
        await shopper.stock(
            *(
                document(number, "鍋", price=price, rating=rating, rating_count=9 if rating else 0)
                for number, (price, rating) in enumerate(zip(prices, ratings, strict=True))
            )
        )

        facets = await shopper.facets("鍋")

        assert [(value, count) for value, count, _ in values_of(facets, FacetKind.PRICE)] == [
            ("GBP:0:999", 1),
            ("JPY:0:999", 2),
            ("JPY:1000:2999", 1),
            ("JPY:100000:", 1),
        ]
        assert [(value, count) for value, count, _ in values_of(facets, FacetKind.RATING)] == [
            ("4", 2),
            ("3", 3),
            ("2", 3),
            ("1", 4),
        ]

    async def test_any_range_and_rating_may_be_asked_for_beside_those_offered(self, shopper: Shopper) -> None:
        await shopper.stock(
            *(document(n, "鍋", price=Money(n * 100, "JPY"), rating=n / 10, rating_count=3) for n in range(10, 50))
        )
        which = SearchFilter(prices=(PriceRange("JPY", 1_250, 1_500), PriceRange("JPY", 4_900)), rating_min=1.4)

        assert await shopper.finds("鍋", which, SearchSort.PRICE_ASC) == [product(14), product(15), product(49)]
        facets = await shopper.facets("鍋", which)
        assert not any(is_selected for _, _, is_selected in values_of(facets, FacetKind.PRICE))
        assert sum(count for _, count, _ in values_of(facets, FacetKind.PRICE)) == 36

    async def test_category_counts_what_is_below_it(self, shopper: Shopper) -> None:
        documents = shop(60)
        await shopper.stock(*documents)

        shown = {value: count for value, count, _ in values_of(await shopper.facets(), FacetKind.CATEGORY)}

        assert shown[ROOTS[0].hex] == sum(each.is_public and ROOTS[0] in each.category_ids for each in documents)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("色.*", "赤|青"),
            ("a=b", "c:d"),
            ("(", "["),
            ("色&#~", "\\"),
            ("🎨", "‮赤"),
            ("name", '"x" OR *:*'),
            ("a b", " "),
        ],
    )
    async def test_attributes_are_only_text(self, shopper: Shopper, name: str, value: str) -> None:
        strange = Attribute(name, value)
        await shopper.stock(document(1, "鍋", attributes=(strange,)), document(2, "鍋", attributes=(RED,)))
        [token] = [
            each.token
            for facet in await shopper.facets("鍋")
            if facet.key == FacetKey(FacetKind.ATTRIBUTE, name)
            for each in facet.values
        ]

        which = narrowed_by(NO_FILTER, [token])

        assert await shopper.finds("鍋", which) == [product(1)]
        assert values_of(await shopper.facets("鍋", which), FacetKind.ATTRIBUTE, name) == [(value, 1, True)]

    async def test_attribute_that_every_product_has_its_own_of_hides_no_other(self, shopper: Shopper) -> None:
        await shopper.stock(
            *(document(n, "鍋", attributes=(Attribute("JAN", f"49{n:011}"), (RED, BLUE)[n % 2])) for n in range(1_200))
        )

        facets = await shopper.facets("鍋")

        assert values_of(facets, FacetKind.ATTRIBUTE, "色") == [("赤", 600, False), ("青", 600, False)]
        assert len(values_of(facets, FacetKind.ATTRIBUTE, "JAN")) <= 50

    async def test_what_is_rare_in_one_part_of_the_index_is_counted_there_too(self, shopper: Shopper) -> None:
        seldom = Attribute("柄", "稀")
        own = [document(n, "鍋", attributes=(Attribute("JAN", f"49{n:011}"),)) for n in range(1_100)]
        await shopper.stock(*own, document(5_000, "鍋", attributes=(seldom,)))
        await shopper.index.put([document(6_000 + n, "鍋", attributes=(seldom,)) for n in range(20)])

        facets = await shopper.facets("鍋")

        assert values_of(facets, FacetKind.ATTRIBUTE, "柄") == [("稀", 21, False)]

    async def test_of_more_brands_than_a_part_of_the_index_tells_of_the_commonest_are_shown_with_true_counts(
        self, shopper: Shopper
    ) -> None:
        """Each part has all of them; what makes one common is in one part alone."""
        each_once = list(range(1_100))
        extra = [brand for brand in range(60) for _ in range(2 + brand // 6)]
        parts = [each_once + [brand for brand in extra if brand % 2 == part] for part in range(2)]
        made = [
            document(2_000 * part + n, "鍋", brand_id=BrandId(UUID(int=1 + brand)))
            for part, brands in enumerate(parts)
            for n, brand in enumerate(brands)
        ]
        await shopper.stock(*made[: len(parts[0])])
        await shopper.index.put(made[len(parts[0]) :])

        [brands] = [facet for facet in await shopper.facets("鍋") if facet.key.kind is FacetKind.BRAND]

        true = Counter(each.brand_id for each in made)
        assert len(brands.values) == 50
        assert all(value.count == true[value.brand_id] for value in brands.values)
        assert [value.count for value in brands.values] == sorted(true.values(), reverse=True)[:50]

    async def test_essays_and_control_characters_are_no_facets(self, shopper: Shopper) -> None:
        bad = (Attribute("説明", "あ" * 201), Attribute("a\x1fb", "c"), Attribute("", "x"), Attribute("x", "\ud800"))
        await shopper.stock(document(1, "鍋", attributes=(*bad, RED)))

        facets = await shopper.facets("鍋")

        assert [facet.key.name for facet in facets if facet.key.kind is FacetKind.ATTRIBUTE] == ["色"]

    async def test_facets_and_totals_stay_those_of_the_page(self, shopper: Shopper) -> None:
        await shopper.stock(*(document(number, "鍋", attributes=(RED,)) for number in range(5)))
        page = await shopper.page("鍋", 2)

        await shopper.index.put([document(9, "鍋", attributes=(BLUE,)), document(1, "壺", version=2)])

        facets = await shopper.search.facets(scope_of(page))
        assert values_of(facets, FacetKind.ATTRIBUTE, "色") == [("赤", 5, False)]
        assert await shopper.search.count(scope_of(page)) == Count(5)
        assert await shopper.count("鍋") == Count(5)
        assert values_of(await shopper.facets("鍋"), FacetKind.ATTRIBUTE, "色") == [("赤", 4, False), ("青", 1, False)]

    async def test_what_is_wanted_beside_a_page_is_what_would_be_told_later(self, shopper: Shopper) -> None:
        await shopper.stock(*shop(80))
        random = Random(3)
        for _ in range(6):
            request = SearchRequest.of(
                random.choice(("", "急須")), some_filter(random), random.choice(list(SearchSort))
            )
            page = PageRequest.of(request.sort.order, first=3)
            alone = scope_of(await shopper.index.search(request, page))
            told = scope_of(await shopper.index.search(request, page, Beside(total=True, facets=True)))

            assert (alone.total, alone.counted) == (None, None)
            assert told.total == await shopper.index.count(alone)
            assert told.counted is not None
            assert _plain(told.counted) == _plain(await shopper.index.facets(alone))

    async def test_facets_of_a_state_that_is_gone_are_those_of_the_latest(self, shopper: Shopper) -> None:
        await shopper.stock(document(1, "鍋", attributes=(RED,)))
        scope = replace(scope_of(await shopper.page("鍋")), state="1763773200000." + "x" * 60)

        assert values_of(await shopper.search.facets(scope), FacetKind.ATTRIBUTE, "色") == [("赤", 1, False)]
        assert await shopper.search.count(scope) == Count(1)

    async def test_there_is_nothing_to_count_before_the_first_index(self, shopper: Shopper) -> None:
        page = await shopper.page("鍋")

        assert page.indexed_at is None
        assert await shopper.search.facets(scope_of(page)) == []

    async def test_page_says_when_the_index_was_as_it_shows(self, shopper: Shopper) -> None:
        before = datetime.now(UTC) - timedelta(milliseconds=1)
        await shopper.stock(*(document(number, "鍋") for number in range(3)))
        page = await shopper.page("鍋", 1)
        await shopper.index.put([document(9, "鍋")])

        rest = await shopper.page("鍋", 9, page.page_info.end_cursor)

        assert page.indexed_at is not None
        assert rest.indexed_at is not None
        assert before <= rest.indexed_at <= page.indexed_at + timedelta(milliseconds=1) <= datetime.now(UTC)


class TestSorts:
    @pytest.mark.parametrize("sort", list(SearchSort))
    async def test_pages_follow_each_other_in_every_order(self, shopper: Shopper, sort: SearchSort) -> None:
        documents = shop(130)
        await shopper.stock(*documents)

        assert await shopper.pages("", 17, sort=sort) == expected_order(expected(documents, "", NO_FILTER), sort)

    @pytest.mark.parametrize("sort", [SearchSort.NEWEST, SearchSort.PRICE_ASC, SearchSort.RATING])
    async def test_words_and_filters_go_with_any_order(self, shopper: Shopper, sort: SearchSort) -> None:
        documents, which = shop(130), SearchFilter(in_stock=True, attributes=(RED, BLUE))
        await shopper.stock(*documents)

        assert await shopper.finds("急須", which, sort) == expected_order(expected(documents, "急須", which), sort)

    @pytest.mark.parametrize("sort", [SearchSort.PRICE_DESC, SearchSort.POPULARITY])
    async def test_any_number_of_equals_is_paged_by_id(self, shopper: Shopper, sort: SearchSort) -> None:
        numbers = list(range(400))
        Random(3).shuffle(numbers)
        await shopper.stock(*(document(number, "鍋") for number in numbers))

        assert await shopper.pages("鍋", 90, sort=sort) == [product(number) for number in range(400)]

    async def test_writes_in_between_move_nothing_in_any_order(self, shopper: Shopper) -> None:
        await shopper.stock(*(document(number, "鍋", price=Money(number, "JPY")) for number in range(30)))

        async def cheaper() -> None:
            await shopper.index.put([document(29, "鍋", price=Money(0, "JPY"), version=9)])

        found = await shopper.pages("鍋", 7, cheaper, SearchSort.PRICE_ASC)

        assert found == [product(number) for number in range(30)]

    async def test_page_goes_on_from_its_price_when_its_state_is_gone(self, shopper: Shopper) -> None:
        await shopper.stock(*(document(number, "鍋", price=Money(number // 3, "JPY")) for number in range(12)))
        page = await shopper.page("鍋", 4, sort=SearchSort.PRICE_DESC)
        (_, rank, last), order = page.keys[-1], page.order

        rest = await shopper.page(
            "鍋", 20, encode_cursor(order, ("another state", rank, last)), sort=SearchSort.PRICE_DESC
        )

        assert [hit.product_id for hit in (*page.nodes, *rest.nodes)] == [
            product(number) for number in (9, 10, 11, 6, 7, 8, 3, 4, 5, 0, 1, 2)
        ]

    async def test_one_buyers_five_stars_do_not_outrank_many_buyers(self, shopper: Shopper) -> None:
        await shopper.stock(
            document(1, "鍋", rating=5.0, rating_count=1),
            document(2, "鍋", rating=4.8, rating_count=300),
            document(3, "鍋"),
            document(4, "鍋", rating=1.0, rating_count=50),
        )

        assert await shopper.finds("鍋", sort=SearchSort.RATING) == [product(n) for n in (2, 1, 4, 3)]

    async def test_new_is_what_was_shown_last_whenever_it_was_made(self, shopper: Shopper) -> None:
        day = timedelta(days=1)
        await shopper.stock(
            document(1, "鍋", created_at=OPENED, published_at=OPENED + 9 * day),
            document(2, "鍋", created_at=OPENED + 2 * day),
        )

        assert await shopper.finds("鍋", sort=SearchSort.NEWEST) == [product(1), product(2)]

    async def test_cursor_is_good_for_the_order_it_was_made_in_alone(self, shopper: Shopper) -> None:
        await shopper.stock(*(document(number, "鍋") for number in range(3)))
        cursor = (await shopper.page("鍋", 1, sort=SearchSort.NEWEST)).page_info.end_cursor

        with pytest.raises(InvalidCursor):
            await shopper.page("鍋", 1, cursor, sort=SearchSort.PRICE_ASC)

    @pytest.mark.parametrize("rank", [0.5, -1.0, 2**62, -(2**62), 1e18, 1e-320])
    @pytest.mark.parametrize("sort", [SearchSort.NEWEST, SearchSort.RATING, SearchSort.RELEVANCE])
    async def test_place_that_somebody_made_up_is_only_a_place(
        self, shopper: Shopper, sort: SearchSort, rank: float
    ) -> None:
        await shopper.stock(*(document(number, "鍋") for number in range(3)))

        page = await shopper.page("鍋", 9, encode_cursor(sort.order, ("latest", rank, str(product(1)))), sort=sort)

        assert len(page.nodes) in (0, 3)

    async def test_score_is_of_relevance_alone(self, shopper: Shopper) -> None:
        await shopper.stock(document(1, "鍋"))

        scores = [(await shopper.page("鍋", sort=sort)).nodes[0].score for sort in SearchSort]

        assert scores[0] > 0
        assert scores[1:] == [0.0] * 5


class TestBlend:
    @pytest.mark.parametrize(
        "better",
        [
            {"rating": 4.8, "rating_count": 30},
            {"popularity": 3.0},
            {"created_at": OPENED + timedelta(days=400)},
        ],
        ids=["rating", "popularity", "recency"],
    )
    @pytest.mark.parametrize("text", ["急須", ""])
    async def test_what_speaks_for_a_product_decides_between_like_matches(
        self, shopper: Shopper, text: str, better: dict[str, object]
    ) -> None:
        await shopper.stock(document(1, "急須"), document(2, "急須", **better))  # type: ignore[arg-type]

        assert await shopper.finds(text) == [product(2), product(1)]

    @pytest.mark.parametrize("text", ["急須", ""])
    async def test_what_is_in_stock_comes_before_what_is_not(self, shopper: Shopper, text: str) -> None:
        await shopper.stock(document(1, "急須", in_stock=False), document(2, "急須"))

        assert await shopper.finds(text) == [product(2), product(1)]

    async def test_nothing_makes_up_for_a_match_in_the_name(self, shopper: Shopper) -> None:
        best = {"popularity": 1e6, "rating": 5.0, "rating_count": 10**6, "created_at": OPENED + timedelta(days=9_000)}
        await shopper.stock(document(1, "水筒", "急須", **best), document(2, "急須", in_stock=False))  # type: ignore[arg-type]

        assert await shopper.finds("急須") == [product(2), product(1)]


def _plain(counted: Sequence[FacetCounts]) -> dict[FacetKey, dict[str, int]]:
    return {each.key: dict(each.counts) for each in counted}
