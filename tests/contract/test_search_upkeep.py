"""How any search index pages through its results and stays in step with the shop."""

import asyncio
from random import Random

import pytest

from domain.search.fingerprint import fingerprint
from domain.search.request import SearchRequest
from domain.shared.paging import Count, PageRequest, encode_cursor
from domain.shared.refusals import InvalidCursor, InvalidInput
from tests.contract.search_shop import Listed, Shopper, document, product


class TestPaging:
    @pytest.mark.parametrize("query", ["急須", ""])
    @pytest.mark.parametrize("first", [1, 7, 100])
    async def test_pages_have_no_gaps_and_no_doubles(self, shopper: Shopper, query: str, first: int) -> None:
        # equal scores throughout, given out of order, and more of them than one window of any adapter
        numbers = list(range(300 if first > 1 else 40))
        Random(7).shuffle(numbers)
        await shopper.stock(*[document(number, "急須") for number in numbers])

        found = await shopper.pages(query, first)

        assert found == sorted(found, key=lambda each: each.int)
        assert len(set(found)) == len(found) == len(numbers)

    async def test_pages_are_the_whole_ranking_cut(self, shopper: Shopper) -> None:
        await shopper.stock(*[document(n, "急須 " + "青 " * (n % 9), popularity=n % 5) for n in range(90)])

        assert await shopper.pages("急須", 4) == await shopper.finds("急須")

    async def test_writes_in_between_move_nothing(self, shopper: Shopper) -> None:
        await shopper.stock(*[document(number, "急須", popularity=number % 4) for number in range(30)])
        expected = await shopper.finds("急須")
        numbers = iter(range(100, 200))

        async def write() -> None:
            await shopper.index.put([document(next(numbers), "急須 急須", popularity=50)])
            await shopper.index.remove([expected[-1]], version=2)

        assert await shopper.pages("急須", 7, write) == expected

    async def test_reindex_in_between_moves_nothing(self, shopper: Shopper) -> None:
        documents = [document(number, "急須", popularity=number % 4) for number in range(20)]
        await shopper.stock(*documents)
        expected = await shopper.finds("急須")

        assert await shopper.pages("急須", 7, lambda: shopper.stock(*documents[:3])) == expected

    async def test_page_goes_on_from_its_score_when_its_state_is_gone(self, shopper: Shopper) -> None:
        await shopper.stock(*[document(number, "急須") for number in range(10)])
        page = await shopper.page("急須", 4)
        (_, score, last), order = page.keys[-1], page.order

        rest = await shopper.page("急須", 20, encode_cursor(order, ("another state", score, last)))

        assert [hit.product_id for hit in rest.nodes] == [product(number) for number in range(4, 10)]

    async def test_page_info_tells_where_the_page_stands(self, shopper: Shopper) -> None:
        await shopper.stock(*[document(number, "急須") for number in range(3)])

        start = await shopper.page("急須", 2)
        end = await shopper.page("急須", 2, start.page_info.end_cursor)
        nothing = await shopper.page("急須", 0)

        assert (start.has_next, start.has_previous, len(start.nodes)) == (True, False, 2)
        assert (end.has_next, end.has_previous, len(end.nodes)) == (False, True, 1)
        assert (nothing.has_next, len(nothing.nodes)) == (True, 0)

    @pytest.mark.parametrize("key", [(), ("s", "1", "x"), ("s", 1.0, "x"), ("s", float("nan"), str(product(1))), (1,)])
    async def test_cursor_of_another_list_is_refused(self, shopper: Shopper, key: tuple[str | float, ...]) -> None:
        await shopper.stock(document(1, "急須"))

        with pytest.raises(InvalidCursor):
            await shopper.page("急須", 2, encode_cursor("search", key))

    async def test_backward_pages_are_refused(self, shopper: Shopper) -> None:
        with pytest.raises(InvalidInput) as refused:
            await shopper.search.search(SearchRequest.of("急須"), PageRequest.of("search", last=2))

        assert refused.value.field == ("last",)

    async def test_count_is_of_all_that_matches(self, shopper: Shopper) -> None:
        await shopper.stock(*[document(n, "急須" if n % 3 else "水筒", is_public=n % 2 == 0) for n in range(60)])

        counts = [await shopper.count(text) for text in ("急須", "", "鍋", "!?")]

        assert counts == [Count(20), Count(30), Count(0), Count(0)]


class TestUpkeep:
    async def test_before_the_first_build_nothing_is_found(self, shopper: Shopper) -> None:
        assert not await shopper.search.is_built()
        assert await shopper.finds("急須") == []
        assert await shopper.count("") == Count(0)

    async def test_put_adds_and_overwrites(self, shopper: Shopper) -> None:
        await shopper.stock(document(1, "急須"))

        assert await shopper.index.put([document(1, "土瓶", version=2), document(2, "水筒")]) == 2

        assert await shopper.finds("急須") == []
        assert set(await shopper.finds("")) == {product(1), product(2)}

    async def test_older_version_is_ignored_and_the_same_is_written_again(self, shopper: Shopper) -> None:
        await shopper.stock(document(1, "急須", version=5))

        assert await shopper.index.put([document(1, "土瓶", version=4)]) == 0
        assert await shopper.finds("急須") == [product(1)]
        assert await shopper.index.put([document(1, "鉄瓶", version=5)]) == 1
        assert await shopper.finds("鉄瓶") == [product(1)]

    async def test_of_one_product_in_a_batch_the_newest_counts(self, shopper: Shopper) -> None:
        await shopper.stock()

        await shopper.index.put([document(1, "急須", version=3), document(1, "土瓶", version=2)])

        assert await shopper.finds("急須") == [product(1)]
        assert await shopper.finds("土瓶") == []

    async def test_unpublished_product_is_gone_until_a_newer_version_is_public(self, shopper: Shopper) -> None:
        await shopper.stock(document(1, "急須", version=1))
        await shopper.index.put([document(1, "急須", is_public=False, version=3)])

        await shopper.index.put([document(1, "急須", version=2)])
        assert await shopper.finds("急須") == []
        await shopper.index.put([document(1, "急須", version=4)])
        assert await shopper.finds("急須") == [product(1)]

    async def test_removed_product_does_not_come_back_with_a_late_event(self, shopper: Shopper) -> None:
        await shopper.stock(document(1, "急須"), document(2, "急須"))

        await shopper.index.remove([product(1), product(3)], version=9)
        await shopper.index.put([document(1, "急須", version=8), document(3, "急須", version=1)])

        assert await shopper.finds("") == [product(2)]

    async def test_late_removal_leaves_alone_what_was_put_anew(self, shopper: Shopper) -> None:
        await shopper.stock(document(1, "急須", version=1))
        await shopper.index.put([document(1, "急須", version=5)])

        await shopper.index.remove([product(1)], version=4)
        assert await shopper.finds("") == [product(1)]
        await shopper.index.remove([product(1)], version=5)
        assert await shopper.finds("") == []
        await shopper.index.put([document(1, "急須", version=6)])
        assert await shopper.finds("") == [product(1)]

    async def test_reindex_replaces_everything_and_reports_progress(self, shopper: Shopper) -> None:
        await shopper.stock(document(1, "急須"))
        progress: list[int] = []
        names = [document(number, "土鍋") for number in range(2, 1500)]

        assert await shopper.search.reindex(Listed(names), progress.append) == 1498

        assert progress == sorted(progress)
        assert progress[-1] == 1498
        assert await shopper.finds("急須") == []
        assert await shopper.search.is_built()
        assert "1,498 documents" in await shopper.search.check()

    async def test_search_during_a_reindex_sees_the_old_index_or_the_new_one(self, shopper: Shopper) -> None:
        old = [document(number, "急須") for number in range(20)]
        new = [document(number, "急須 新", version=2) for number in range(30)]
        await shopper.stock(*old)
        seen: set[int] = set()
        is_over = asyncio.Event()

        async def look() -> None:
            while not is_over.is_set():
                seen.add(len(await shopper.finds("急須")))
            seen.add(len(await shopper.finds("急須")))

        async def search_in_the_middle() -> None:
            seen.add(len(await shopper.finds("急須")))

        looking = asyncio.create_task(look())
        await shopper.search.reindex(Listed(new, before_each=search_in_the_middle), lambda done: None)
        is_over.set()
        await looking

        assert seen == {20, 30}

    async def test_failed_reindex_leaves_the_index_as_it_was(self, shopper: Shopper) -> None:
        await shopper.stock(document(1, "急須"))
        asked = 0

        async def fail_at_the_third() -> None:
            nonlocal asked
            asked += 1
            if asked == 3:
                raise ConnectionError("the database went away")

        source = Listed([document(number, "土鍋") for number in range(5)], before_each=fail_at_the_third)
        with pytest.raises(ConnectionError):
            await shopper.search.reindex(source, lambda done: None)

        assert await shopper.finds("") == [product(1)]
        await shopper.stock(document(2, "土鍋"))
        assert await shopper.finds("") == [product(2)]

    async def test_what_is_put_and_removed_during_a_reindex_shows_at_once_and_is_not_lost(
        self, shopper: Shopper
    ) -> None:
        old = [document(number, "急須", version=1) for number in range(4)]
        await shopper.stock(*old)
        seen = []

        async def change() -> None:
            if not seen:
                await shopper.index.put([document(1, "土瓶", version=3), document(9, "土瓶", version=3)])
                await shopper.index.remove([product(2)], version=3)
                seen.extend([await shopper.finds("急須"), await shopper.finds("土瓶")])

        await shopper.search.reindex(Listed([document(n, "急須", version=2) for n in range(4)], change), print)

        assert seen == [[product(0), product(3)], [product(1), product(9)]]
        assert await shopper.finds("土瓶") == [product(1), product(9)]
        assert await shopper.finds("急須") == [product(0), product(3)]

    async def test_the_first_build_takes_what_is_put_meanwhile(self, shopper: Shopper) -> None:
        async def change() -> None:
            await shopper.index.put([document(1, "土瓶", version=3)])

        await shopper.search.reindex(Listed([document(1, "急須", version=2)], change), print)

        assert await shopper.finds("土瓶") == [product(1)]
        assert await shopper.finds("急須") == []

    async def test_entries_tell_what_the_index_knows_in_order(self, shopper: Shopper) -> None:
        documents = [document(number, "急須", version=5, is_public=number != 3) for number in range(6)]
        await shopper.stock(*documents)
        await shopper.index.remove([product(4)], version=7)

        between = await shopper.index.entries(product(1), product(4))
        everything = await shopper.index.entries(None, None)

        assert [(each.product_id, each.version, each.is_public) for each in between] == [
            (product(2), 5, True),
            (product(3), 5, False),
            (product(4), 7, False),
        ]
        assert [each.product_id for each in everything] == [product(number) for number in range(6)]
        assert {each.fingerprint for each in everything if each.is_public} == {
            fingerprint(documents[number]) for number in (0, 1, 2, 5)
        }
        chosen = await shopper.index.entries_of([product(5), product(77), product(0)])
        assert [each.product_id for each in chosen] == [product(0), product(5)]

    async def test_put_during_a_reindex_waits_and_is_not_lost(self, shopper: Shopper) -> None:
        await shopper.stock(document(1, "急須", version=1))
        puts: list[asyncio.Task[int]] = []

        async def put_a_newer_one() -> None:
            puts.append(asyncio.create_task(shopper.index.put([document(1, "土瓶", version=2)])))

        await shopper.search.reindex(Listed([document(1, "急須")], before_each=put_a_newer_one), lambda done: None)
        await asyncio.gather(*puts)

        assert await shopper.finds("土瓶") == [product(1)]
        assert await shopper.finds("急須") == []
