"""Co-visitation and the feed that is read from it, without a store."""

import struct
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from math import sqrt

import pytest

from domain.catalog.model import ProductStatus
from domain.catalog.service import Catalog
from domain.recommendations.model import (
    MAX_NEIGHBOURS,
    RECOMMENDATIONS_ORDER,
    Model,
    Reason,
    RecommendationsScope,
    Scored,
)
from domain.recommendations.service import SPARE, Recommendations
from domain.recommendations.training import DAMPING, MAX_BASKET, MIN_SHARED, Baskets, learn
from domain.shared.clock import SystemClock
from domain.shared.ids import ProductId, uuid7
from domain.shared.paging import PageRequest, encode_cursor
from domain.shared.refusals import InvalidCursor
from domain.shared.viewer import ANONYMOUS
from tests.shelf import Shelf, a_product

NOW = datetime(2026, 4, 1, tzinfo=UTC)


def ids(count: int) -> list[ProductId]:
    return [ProductId(uuid7(NOW, entropy=number)) for number in range(count)]


def learned(*baskets: Sequence[ProductId]) -> Model:
    read = Baskets()
    for basket in baskets:
        read.add(basket)
    return learn(read, "v1")[0]


class TestTraining:
    def test_score_is_the_damped_cosine_of_shared_baskets(self) -> None:
        a, b, c = ids(3)
        model = learned(*[[a, b]] * 4, *[[a, c]] * 3, [a])
        assert dict(model.neighbours[a]) == pytest.approx(
            {b: 4 / sqrt((8 + DAMPING) * (4 + DAMPING)), c: 3 / sqrt((8 + DAMPING) * (3 + DAMPING))}, abs=1e-6
        )
        assert dict(model.neighbours[b])[a] == pytest.approx(dict(model.neighbours[a])[b])

    def test_often_together_beats_seldom_and_always(self) -> None:
        a, often, seldom = ids(3)
        model = learned(*[[a, seldom]] * MIN_SHARED, *[[a, often]] * 20, *[[often]] * 10)
        assert [each.product_id for each in model.neighbours[a]] == [often, seldom]

    def test_what_fewer_than_three_baskets_hold_is_nobodys_business(self) -> None:
        a, b, c = ids(3)
        model = learned([a, b], [a, b], [c, a], [c], [b])
        assert model.neighbours == {}
        assert [each.product_id for each in model.popular] == [a, b]  # c was bought twice
        assert list(learned([a, b], [a, b], [a, b]).neighbours) == [a, b]

    def test_a_product_bought_alone_has_no_neighbours_but_may_be_popular(self) -> None:
        a, b, alone = ids(3)
        model = learned(*[[a, b]] * 3, *[[alone]] * 5)
        assert alone not in model.neighbours
        assert model.popular[0].product_id == alone
        assert model.popular[0].score == pytest.approx(5 / 8, abs=1e-6)

    def test_a_product_twice_in_a_basket_counts_once(self) -> None:
        a, b = ids(2)
        assert learned(*[[a, a, b, a]] * 3) == learned(*[[a, b]] * 3)
        assert learned([a, a, b, a]).neighbours == {}

    def test_at_most_fifty_neighbours_are_kept_best_first(self) -> None:
        a, *others = ids(80)
        neighbours = learned(
            *[[a, other] for other in others for _ in range(others.index(other) % 7 + MIN_SHARED)]
        ).neighbours[a]
        assert len(neighbours) == MAX_NEIGHBOURS
        assert [each.score for each in neighbours] == sorted((each.score for each in neighbours), reverse=True)

    def test_a_long_basket_is_cut_the_same_way_whatever_its_order(self) -> None:
        many = ids(4 * MAX_BASKET)
        forwards, backwards = learned(*[many] * 3), learned(*[many[::-1]] * 3)
        assert len(forwards.neighbours) == MAX_BASKET
        assert {key: dict(found) for key, found in forwards.neighbours.items()} == {
            key: dict(found) for key, found in backwards.neighbours.items()
        }

    def test_scores_survive_a_float32_and_ties_go_to_the_lower_id(self) -> None:
        a, *others = ids(40)
        neighbours = learned(*[[other, a] for other in others[::-1]] * MIN_SHARED, *[[a]] * 5).neighbours[a]
        assert [each.product_id for each in neighbours] == others
        assert all(struct.unpack("f", struct.pack("f", each.score)) == (each.score,) for each in neighbours)

    def test_no_baskets_make_an_empty_model(self) -> None:
        assert learned([]) == Model("v1", {}, [])

    def test_twenty_thousand_baskets_are_learned_within_ten_seconds(self) -> None:
        products = ids(4000)
        read = Baskets()
        for basket in range(20_000):
            read.add([products[(basket * 7 + step * step * 13) % 4000] for step in range(20)])
        started = time.process_time()
        learn(read, "v1")
        assert time.process_time() - started < 10


class Learned:
    """A model in memory."""

    def __init__(self, model: Model) -> None:
        self.model = model

    async def neighbours(self, wanted: Sequence[ProductId]) -> list[Sequence[Scored]]:
        return [self.model.neighbours.get(each, ()) for each in wanted]

    async def popular(self) -> Sequence[Scored]:
        return self.model.popular

    async def replace(self, model: Model) -> None:
        self.model = model


def desk(shelf: Shelf, model: Model) -> Recommendations:
    return Recommendations(Learned(model), Catalog(shelf, None, None), SystemClock())  # type: ignore[arg-type]


def ranked(products: Sequence[ProductId]) -> list[Scored]:
    return [Scored(each, 1 - place / 1000) for place, each in enumerate(products)]


class TestFeed:
    async def test_a_products_neighbours_come_first_then_what_is_popular_never_itself(self) -> None:
        a, b, c, d = ids(4)
        feed = desk(Shelf(*map(a_product, (a, b, c, d))), Model("v1", {a: ranked([c])}, ranked([a, b, c, d])))
        page = await feed.recommend(ANONYMOUS, a, PageRequest())
        assert [(each.product_id, each.reason) for each in page.nodes] == [
            (c, Reason.BOUGHT_TOGETHER),
            (b, Reason.POPULAR),
            (d, Reason.POPULAR),
        ]

    async def test_without_a_product_the_feed_is_what_is_popular(self) -> None:
        a, b = ids(2)
        page = await desk(Shelf(a_product(a), a_product(b)), Model("v1", {}, ranked([b, a]))).recommend(
            ANONYMOUS, None, PageRequest()
        )
        assert [each.product_id for each in page.nodes] == [b, a]
        assert page.scope == RecommendationsScope(ANONYMOUS, None)

    async def test_what_cannot_be_bought_is_left_out_and_the_page_is_full(self) -> None:
        gone, empty, *rest = ids(20)
        shelf = Shelf(a_product(empty, stock=0, status=ProductStatus.OUT_OF_STOCK), *map(a_product, rest))
        page = await desk(shelf, Model("v1", {}, ranked([gone, empty, *rest]))).recommend(
            ANONYMOUS, None, PageRequest(size=5)
        )
        assert [each.product_id for each in page.nodes] == rest[:5]
        assert page.has_next
        assert shelf.lookups == 1

    async def test_two_lookups_fill_the_page_however_many_have_gone(self) -> None:
        every = ids(150)
        shelf = Shelf(*map(a_product, every[-3:]))
        page = await desk(shelf, Model("v1", {}, ranked(every))).recommend(ANONYMOUS, None, PageRequest(size=3))
        assert [each.product_id for each in page.nodes] == every[-3:]
        assert not page.has_next
        assert shelf.lookups == 2
        assert len(every) > 3 + SPARE

    async def test_pages_follow_each_other_in_both_directions_without_gap_or_repeat(self) -> None:
        seed, *every = ids(48)
        feed = desk(Shelf(*map(a_product, every)), Model("v1", {seed: ranked(every[:20])}, ranked(every[10:])))
        seen: list[ProductId] = []
        request = PageRequest(size=10)
        while True:
            page = await feed.recommend(ANONYMOUS, seed, request)
            seen += [each.product_id for each in page.nodes]
            if not page.has_next:
                break
            request = PageRequest.of(RECOMMENDATIONS_ORDER, first=10, after=page.page_info.end_cursor)
        assert seen == every
        back = await feed.recommend(
            ANONYMOUS, seed, PageRequest.of(RECOMMENDATIONS_ORDER, last=5, before=page.page_info.start_cursor)
        )
        assert [each.product_id for each in back.nodes] == every[35:40]
        assert back.has_previous

    async def test_a_cursor_outlives_a_training(self) -> None:
        every = ids(10)
        model = Model("v1", {}, ranked(every))
        feed = desk(Shelf(*map(a_product, every)), model)
        first = await feed.recommend(ANONYMOUS, None, PageRequest(size=4))
        feed._features = Learned(replace(model, version="v2", popular=model.popular[5:]))
        page = await feed.recommend(
            ANONYMOUS, None, PageRequest.of(RECOMMENDATIONS_ORDER, first=4, after=first.page_info.end_cursor)
        )
        assert [each.product_id for each in page.nodes] == every[5:9]

    async def test_a_cursor_of_another_shape_is_refused(self) -> None:
        cursor = encode_cursor(RECOMMENDATIONS_ORDER, ("x",))
        with pytest.raises(InvalidCursor):
            await desk(Shelf(), Model("v1", {}, [])).recommend(
                ANONYMOUS, None, PageRequest.of(RECOMMENDATIONS_ORDER, first=1, after=cursor)
            )

    async def test_before_the_first_training_the_feed_is_empty(self) -> None:
        page = await desk(Shelf(), Model("v0", {}, [])).recommend(ANONYMOUS, ids(1)[0], PageRequest())
        assert (list(page.nodes), page.has_next) == ([], False)

    async def test_the_total_counts_what_can_be_bought(self) -> None:
        gone, *rest = ids(6)
        feed = desk(Shelf(*map(a_product, rest)), Model("v1", {}, ranked([gone, *rest])))
        assert (await feed.count(RecommendationsScope(ANONYMOUS, None))).value == 5

    async def test_training_replaces_the_model_and_says_what_it_saw(self) -> None:
        a, b = ids(2)

        async def baskets() -> AsyncIterator[Sequence[ProductId]]:
            for basket in (*[[a, b]] * 3, [a], []):
                yield basket

        feed = desk(Shelf(a_product(a), a_product(b)), Model("v0", {}, []))
        stats = await feed.train(baskets())
        assert (stats.baskets, stats.products, stats.with_neighbours, stats.popular) == (4, 2, 2, 2)
        page = await feed.recommend(ANONYMOUS, a, PageRequest())
        assert [each.product_id for each in page.nodes] == [b]
