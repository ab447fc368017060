"""How any search index is compared with the shop, put right, built anew and rolled back."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace

import pytest

from domain.search.comparing import SETTLES_S, Report
from domain.search.model import SearchDocument
from domain.search.ports import Listings, Reading
from domain.search.refusals import NothingBefore
from domain.search.upkeep import IndexUpkeep, ProductChange
from domain.shared.ids import ProductId
from tests.contract.search_shop import Shopper, document, product


class Shop:
    """Products as a database has them, which change in between."""

    def __init__(self, *documents: SearchDocument) -> None:
        self.products = {each.product_id: each for each in documents}
        self.moment = 100
        self.before_each: Callable[[], Awaitable[None]] | None = None
        self.reads = 0

    def change(self, number: int, name: str, **columns: object) -> None:
        was = self.products.get(product(number), document(number, name))
        self.products[product(number)] = replace(was, name=name, revision=was.revision + 1, **columns)  # type: ignore[arg-type]

    def delete(self, number: int) -> None:
        del self.products[product(number)]

    async def documents(self) -> AsyncIterator[SearchDocument]:
        for each in sorted(self.products):
            self.moment += 1
            yield replace(self.products[each], version=self.moment)
            if self.before_each is not None:
                await self.before_each()

    async def of(self, ids: Sequence[ProductId]) -> Reading:
        self.reads += len(ids)
        self.moment += 1
        found = [replace(self.products[each], version=self.moment) for each in ids if each in self.products]
        return Reading(self.moment, found, [each for each in ids if each not in self.products])

    async def revisions(self, after: ProductId | None, size: int) -> Sequence[tuple[ProductId, int]]:
        ids = [each for each in sorted(self.products) if after is None or each > after]
        return [(each, self.products[each].revision) for each in ids[:size]]

    async def ids_in(self, which: Listings, after: ProductId | None, size: int) -> Sequence[ProductId]:
        assert which.brand_id is None
        return [each for each in sorted(self.products) if after is None or each > after][:size]


@pytest.fixture
def shop() -> Shop:
    return Shop(*[document(number, "急須", revision=1) for number in range(5)])


@pytest.fixture
def upkeep(shopper: Shopper, shop: Shop) -> IndexUpkeep:
    return IndexUpkeep(shopper.index, shop)


async def at_once(seconds: float) -> None:
    assert seconds == SETTLES_S


def quiet(_: int) -> None:
    """Nobody watches."""


class TestFollowing:
    async def test_what_is_stored_counts_and_not_what_was_told(
        self, shopper: Shopper, shop: Shop, upkeep: IndexUpkeep
    ) -> None:
        await upkeep.reindex(quiet)
        shop.change(1, "土瓶")
        shop.change(2, "急須", is_public=False)
        shop.delete(3)
        shop.change(8, "土瓶")

        assert await upkeep.follow([ProductChange(product(number)) for number in (1, 2, 3, 8, 1)]) == 4

        assert await shopper.finds("土瓶") == [product(1), product(8)]
        assert await shopper.finds("急須") == [product(0), product(4)]

    async def test_a_version_that_the_index_has_is_not_read_again(self, shop: Shop, upkeep: IndexUpkeep) -> None:
        await upkeep.reindex(quiet)
        shop.change(1, "土瓶")
        assert await upkeep.follow([ProductChange(product(1), 2), ProductChange(product(2), 1)]) == 1
        shop.reads = 0
        assert await upkeep.follow([ProductChange(product(1), 2), ProductChange(product(1), 1)]) == 0
        assert shop.reads == 0
        assert await upkeep.follow([ProductChange(product(1), 2), ProductChange(product(1))]) == 1

    async def test_who_read_earlier_and_writes_later_changes_nothing(
        self, shopper: Shopper, shop: Shop, upkeep: IndexUpkeep
    ) -> None:
        await upkeep.reindex(quiet)
        earlier = await shop.of([product(1), product(9)])
        # without a new version of the product: its seller was suspended
        shop.products[product(1)] = replace(shop.products[product(1)], is_public=False)
        shop.change(9, "急須")
        await upkeep.follow([ProductChange(product(1)), ProductChange(product(9))])

        await shopper.index.put(earlier.documents)
        await shopper.index.remove(earlier.gone, earlier.moment)

        assert await shopper.finds("急須") == [product(number) for number in (0, 2, 3, 4, 9)]

    async def test_without_an_index_there_is_nothing_to_do(self, shop: Shop, upkeep: IndexUpkeep) -> None:
        assert await upkeep.follow([ProductChange(product(1))]) == 0
        assert await upkeep.follow_revisions() == 0
        assert await upkeep.follow_differences() == 0

    async def test_of_a_change_of_many_those_are_read_that_changed(
        self, shopper: Shopper, shop: Shop, upkeep: IndexUpkeep
    ) -> None:
        await upkeep.reindex(quiet)
        shop.change(1, "土瓶")
        shop.delete(4)
        shop.change(7, "土瓶")
        shop.reads = 0
        await upkeep.follow_revisions()
        assert shop.reads == 3
        assert await shopper.finds("土瓶") == [product(1), product(7)]
        assert await shopper.finds("急須") == [product(0), product(2), product(3)]

    async def test_all_of_a_seller_s_products_follow_it(
        self, shopper: Shopper, shop: Shop, upkeep: IndexUpkeep
    ) -> None:
        await upkeep.reindex(quiet)
        shop.products = {key: replace(each, is_public=False) for key, each in shop.products.items()}
        assert await upkeep.follow_listings(Listings()) == 5
        assert await shopper.finds("") == []

    async def test_what_takes_long_says_after_each_batch_how_far_it_is(
        self, shop: Shop, upkeep: IndexUpkeep, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("domain.search.upkeep.BATCH", 2)
        monkeypatch.setattr("domain.search.comparing.BATCH", 2)
        monkeypatch.setattr("domain.search.comparing.REPAIR_BATCH", 2)
        await upkeep.reindex(quiet)
        told: list[int] = []
        for change in (
            lambda: upkeep.follow_listings(Listings(), told.append),
            lambda: upkeep.follow_revisions(told.append),
        ):
            told.clear()
            for number in range(5):
                shop.change(number, "土瓶")
            assert await change() == 5
            assert {2, 4, 5} <= set(told)
        told.clear()
        for number in range(5):
            shop.change(number, "茶碗")
        assert await upkeep.follow_differences(told.append) == 5
        assert len(told) == 6  # three batches are compared, and three put right


class TestVerify:
    async def test_what_is_in_step_is_told_as_that(self, shop: Shop, upkeep: IndexUpkeep) -> None:
        shop.change(4, "急須", is_public=False)
        await upkeep.reindex(quiet)
        shop.change(2, "急須")  # a new version that says the same
        assert await upkeep.verify(False, at_once, quiet) == Report(products=5)

    async def test_each_way_to_differ_is_counted_and_put_right(
        self, shopper: Shopper, shop: Shop, upkeep: IndexUpkeep
    ) -> None:
        await upkeep.reindex(quiet)
        await shopper.index.remove([product(0)], version=shop.moment + 1)
        shop.moment += 5
        shop.change(1, "土瓶")
        shop.change(2, "急須", is_public=False)
        shop.delete(4)
        shop.change(6, "土瓶")

        found = await upkeep.verify(False, at_once, quiet)
        assert found == Report(products=5, missing=2, stale=1, leftover=2)
        assert not found.is_in_step
        assert await shopper.finds("土瓶") == []

        repaired = await upkeep.verify(True, at_once, quiet)
        assert repaired == replace(found, repaired=5)
        assert repaired.is_in_step
        assert await shopper.finds("土瓶") == [product(1), product(6)]
        assert await shopper.finds("急須") == [product(0), product(3)]
        assert await upkeep.verify(False, at_once, quiet) == Report(products=5)

    async def test_a_change_that_is_on_its_way_is_no_difference(self, shop: Shop, upkeep: IndexUpkeep) -> None:
        await upkeep.reindex(quiet)
        shop.change(1, "土瓶")

        async def follow(_: float) -> None:
            await upkeep.follow([ProductChange(product(1))])
            shop.change(1, "鉄瓶")  # and the next one is

        assert await upkeep.verify(True, follow, quiet) == Report(products=5)

    async def test_an_index_that_is_ahead_of_the_database_is_told(
        self, shopper: Shopper, shop: Shop, upkeep: IndexUpkeep
    ) -> None:
        await upkeep.reindex(quiet)
        await shopper.index.put([document(1, "鉄瓶", version=10**9)])
        found = await upkeep.verify(True, at_once, quiet)
        assert (found.ahead, found.is_in_step) == (1, False)
        await upkeep.reindex(quiet)
        assert (await upkeep.verify(True, at_once, quiet)).is_in_step

    async def test_an_empty_shop_leaves_nothing_to_be_found(
        self, shopper: Shopper, shop: Shop, upkeep: IndexUpkeep
    ) -> None:
        await upkeep.reindex(quiet)
        shop.products = {}
        assert await upkeep.verify(True, at_once, quiet) == Report(leftover=5, repaired=5)
        assert await shopper.finds("") == []


class TestRollback:
    async def test_the_way_back_has_what_changed_since(self, shopper: Shopper, shop: Shop, upkeep: IndexUpkeep) -> None:
        await upkeep.reindex(quiet)
        await upkeep.reindex(quiet)
        shop.change(1, "土瓶")
        shop.delete(2)
        await upkeep.follow([ProductChange(product(1)), ProductChange(product(2))])
        shop.change(3, "土瓶")  # its event has not come yet

        report = await upkeep.rollback(quiet)

        assert (report.repaired, report.is_in_step) == (3, True)
        assert await shopper.finds("土瓶") == [product(1), product(3)]
        assert await shopper.finds("急須") == [product(0), product(4)]
        assert await upkeep.verify(False, at_once, quiet) == Report(products=4)

    async def test_what_changes_during_it_is_not_lost(self, shopper: Shopper, shop: Shop, upkeep: IndexUpkeep) -> None:
        await upkeep.reindex(quiet)
        await upkeep.reindex(quiet)
        changed = False

        async def change() -> None:
            nonlocal changed
            if not changed:
                changed = True
                shop.change(0, "土瓶")  # it was read already
                await upkeep.follow([ProductChange(product(0))])

        shop.before_each = change
        await upkeep.rollback(quiet)
        assert await shopper.finds("土瓶") == [product(0)]

    async def test_back_and_forth(self, shopper: Shopper, shop: Shop, upkeep: IndexUpkeep) -> None:
        await upkeep.reindex(quiet)
        await upkeep.reindex(quiet)
        for name in ("土瓶", "鉄瓶", "土鍋"):
            await upkeep.rollback(quiet)
            shop.change(1, name)
            await upkeep.follow([ProductChange(product(1))])
            assert await shopper.finds(name) == [product(1)]
        await upkeep.reindex(quiet)
        await upkeep.rollback(quiet)
        assert await shopper.finds("土鍋") == [product(1)]

    async def test_one_that_fails_changes_nothing(self, shopper: Shopper, shop: Shop, upkeep: IndexUpkeep) -> None:
        await upkeep.reindex(quiet)
        await upkeep.reindex(quiet)

        async def fail() -> None:
            raise ConnectionError("the database went away")

        shop.before_each = fail
        with pytest.raises(ConnectionError):
            await upkeep.rollback(quiet)
        shop.before_each = None
        shop.change(1, "土瓶")
        await upkeep.follow([ProductChange(product(1))])
        assert await shopper.finds("土瓶") == [product(1)]
        assert (await upkeep.rollback(quiet)).is_in_step
        assert await shopper.finds("土瓶") == [product(1)]

    async def test_without_an_earlier_index_it_is_refused(self, shop: Shop, upkeep: IndexUpkeep) -> None:
        with pytest.raises(NothingBefore):
            await upkeep.rollback(quiet)
        await upkeep.reindex(quiet)
        with pytest.raises(NothingBefore):
            await upkeep.rollback(quiet)
        assert await upkeep.follow([ProductChange(product(1))]) == 1


class TestEveryHour:
    async def test_a_missing_index_is_built(self, shopper: Shopper, upkeep: IndexUpkeep) -> None:
        assert await upkeep.keep(at_once) == Report(products=5)
        assert len(await shopper.finds("急須")) == 5

    async def test_what_differs_is_put_right_and_told_in_the_log(
        self, shopper: Shopper, shop: Shop, upkeep: IndexUpkeep, caplog: pytest.LogCaptureFixture
    ) -> None:
        await upkeep.reindex(quiet)
        assert (await upkeep.keep(at_once)).differing == 0
        assert not caplog.records
        shop.change(1, "土瓶")
        assert (await upkeep.keep(at_once)).repaired == 1
        assert await shopper.finds("土瓶") == [product(1)]
        assert "out of step" in caplog.text

    async def test_an_index_that_is_ahead_of_a_restored_database_is_built_anew(
        self, shopper: Shopper, shop: Shop, upkeep: IndexUpkeep
    ) -> None:
        await upkeep.reindex(quiet)
        await shopper.index.put([document(1, "鉄瓶", version=10**9)])
        await upkeep.keep(at_once)
        assert len(await shopper.finds("急須")) == 5
        assert (await upkeep.verify(False, at_once, quiet)).is_in_step
