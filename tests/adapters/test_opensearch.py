"""What only the OpenSearch adapter has: points in time shared by processes, builders without a lock, old indexes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from adapters.opensearch.index import OpenSearchIndex
from adapters.opensearch.labels import KEPT_S
from adapters.opensearch.refusals import IndexBusy, IndexMissing
from composition.search_index import open_index
from domain.search.comparing import Report
from domain.search.upkeep import IndexUpkeep
from domain.shared.ids import BrandId, uuid7
from domain.shared.paging import encode_cursor
from settings import Settings
from tests.backends import settings_of
from tests.contract.search_shop import Listed, Shopper, document, product, words

pytestmark = pytest.mark.servers

Open = Callable[..., OpenSearchIndex]


class Cluster:
    """The server itself, asked past the adapter, and indexes of one name on it."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self.name = f"products-{uuid7().hex}"
        self._session = session
        self._opened: list[OpenSearchIndex] = []

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        async with self._session.request(method, f"{self.url}{path}", json=body) as answer:
            return await answer.json()

    async def indices(self) -> list[str]:
        found: dict[str, Any] = await self.ask("GET", f"/{self.name}-*")
        return sorted(found, key=lambda name: int(found[name]["settings"]["index"]["creation_date"]))

    def open(self, **options: Any) -> Shopper:
        """As another process would."""
        self._opened.append(
            OpenSearchIndex(self.url, self.name, words(), **{"timeout_ms": 10_000, "refresh_s": 0.05} | options)
        )
        return Shopper(self._opened[-1])

    async def close(self) -> None:
        await self.ask("DELETE", f"/{self.name}-*")
        for each in self._opened:
            await each.close()


@pytest.fixture
async def cluster(opensearch: str) -> AsyncIterator[Cluster]:
    async with AsyncExitStack() as stack:
        cluster = Cluster(opensearch, await stack.enter_async_context(aiohttp.ClientSession()))
        stack.push_async_callback(cluster.close)
        yield cluster


class TestStates:
    async def test_another_process_goes_on_in_the_state_a_page_began_in(self, cluster: Cluster) -> None:
        here, there = cluster.open(), cluster.open()
        await here.stock(*[document(number, "急須", popularity=number % 3) for number in range(9)])
        expected = await here.finds("急須")
        begun = await here.page("急須", 4)
        await here.index.put([document(100, "急須 急須", popularity=50)])
        await here.index.remove([expected[-1]], version=2)

        rest = await there.page("急須", 20, begun.page_info.end_cursor)

        assert [hit.product_id for hit in (*begun.nodes, *rest.nodes)] == expected

    async def test_what_another_process_wrote_is_seen_once_the_state_is_old(self, cluster: Cluster) -> None:
        time = [0.0]
        here, there = cluster.open(), cluster.open(now=lambda: time[0])
        await here.stock(document(1, "急須"))
        assert await there.finds("急須") == [product(1)]
        await here.index.put([document(2, "急須")])

        assert await there.finds("急須") == [product(1)]
        time[0] += 2
        assert await there.finds("急須") == [product(1), product(2)]

    async def test_searches_of_one_moment_share_a_state(self, cluster: Cluster) -> None:
        shopper = cluster.open(now=lambda: 0.0)
        await shopper.stock(*[document(number, "急須") for number in range(3)])

        states = {(await shopper.page(text, 1)).keys[0][0] for text in ("急須", "", "急須")}

        assert len(states) == 1

    async def test_a_made_up_state_is_one_that_is_gone(self, cluster: Cluster) -> None:
        shopper = cluster.open()
        await shopper.stock(*[document(number, "急須") for number in range(4)])
        page = await shopper.page("急須", 2)
        _, score, last = page.keys[-1]

        for state in ("x" * 300, str(page.keys[-1][0])[:-20], "../_all", ""):
            rest = await shopper.page("急須", 9, encode_cursor(page.order, (state, score, last)))
            assert [hit.product_id for hit in rest.nodes] == [product(2), product(3)], state

    async def test_a_server_with_too_many_states_is_searched_without_one(self, cluster: Cluster) -> None:
        shopper = cluster.open()
        await shopper.stock(*[document(number, "急須") for number in range(5)])
        limit = "search.max_open_pit_context"
        await cluster.ask("PUT", "/_cluster/settings", {"transient": {limit: 0}})
        try:
            assert await shopper.pages("急須", 2) == [product(number) for number in range(5)]
        finally:
            await cluster.ask("PUT", "/_cluster/settings", {"transient": {limit: None}})


class TestGenerations:
    async def test_the_index_before_is_kept_and_older_ones_are_dropped(self, cluster: Cluster) -> None:
        shopper = cluster.open(kept_s=0)
        for number in range(1, 5):
            await shopper.stock(document(number, "急須"))
            [*_, last] = await cluster.indices()
        kept = await cluster.indices()

        assert len(kept) == 2
        assert kept[-1] == last
        assert await shopper.finds("") == [product(4)]

    async def test_what_a_killed_build_left_goes_with_the_next_one(self, cluster: Cluster) -> None:
        shopper = cluster.open(kept_s=0)
        await shopper.stock(document(1, "急須"))
        killed = await shopper.index._generations.begin()  # type: ignore[attr-defined]
        assert killed in await cluster.indices()

        await shopper.index.put([document(2, "土瓶")])
        assert set(await shopper.finds("")) == {product(1), product(2)}
        await shopper.stock(document(3, "水筒"))

        assert killed not in await cluster.indices()
        assert await shopper.finds("") == [product(3)]

    async def test_of_two_builds_the_later_one_counts_and_the_other_is_told(self, cluster: Cluster) -> None:
        first, second = cluster.open(), cluster.open()
        begun = 0

        async def overtake() -> None:
            nonlocal begun
            begun += 1
            if begun == 2:
                await second.stock(document(9, "水筒"))

        with pytest.raises(IndexBusy):
            await first.search.reindex(Listed([document(1, "急須"), document(2, "急須")], overtake), lambda done: None)

        assert await first.finds("") == [product(9)]
        assert len(await cluster.indices()) == 1

    async def test_a_product_removed_during_a_build_does_not_come_back(self, cluster: Cluster) -> None:
        shopper = cluster.open()
        await shopper.stock(document(1, "急須"), document(2, "急須"))
        removed = False

        async def remove() -> None:
            nonlocal removed
            if not removed:
                removed = True
                await shopper.index.remove([product(1)], version=2)

        await shopper.search.reindex(Listed([document(1, "急須"), document(2, "急須")], remove), lambda done: None)

        assert await shopper.finds("") == [product(2)]

    async def test_nothing_is_written_where_nothing_was_built(self, cluster: Cluster) -> None:
        shopper = cluster.open()
        for write in (shopper.index.put([document(1, "急須")]), shopper.index.remove([product(1)], version=2)):
            with pytest.raises(IndexMissing):
                await write
        assert await cluster.indices() == []
        with pytest.raises(IndexMissing, match="has to be built first"):
            await shopper.index.check()

    async def test_documents_are_kept_as_the_database_document_says(self, cluster: Cluster) -> None:
        shopper = cluster.open()
        await shopper.stock(
            document(1, "急須", "陶器", brand="山田窯", categories=("台所用品", "茶器"), popularity=1.5)
        )
        [index] = await cluster.indices()
        [hit] = (await cluster.ask("GET", f"/{index}/_search"))["hits"]["hits"]
        kept = hit["_source"]

        assert {name: kept[name] for name in ("id", "name", "description", "brand", "category_path")} == {
            "id": str(product(1)),
            "name": "急須",
            "description": "陶器",
            "brand": "山田窯",
            "category_path": ["台所用品", "茶器"],
        }
        assert kept["status"] == "active"
        assert (float(kept["price"]), kept["popularity_score"]) == (1980, 1.5)


class TestNames:
    async def test_new_brands_are_suggested_within_half_a_minute_and_those_without_products_never(
        self, cluster: Cluster
    ) -> None:
        clock, old, new = [0.0], BrandId(uuid7()), BrandId(uuid7())
        shopper = cluster.open(now=lambda: clock[0])
        await shopper.stock(document(1, "急須", brand="山田窯", brand_id=old))
        assert (await shopper.search.suggestions("山")).brands == (old,)
        await shopper.index.put([document(1, "急須", version=2), document(2, "皿", brand="山本窯", brand_id=new)])
        assert (await shopper.search.suggestions("山")).brands == ()

        clock[0] += KEPT_S
        async with asyncio.timeout(30):  # they are read beside whoever asks
            while (await shopper.search.suggestions("山")).brands != (new,):
                await asyncio.sleep(0.01)


class TestRefused:
    """A number that the mapping has no room for: nothing that a shop can hold, but the server says no to it."""

    async def test_one_that_the_server_refuses_keeps_no_other_out_and_is_told(self, cluster: Cluster) -> None:
        shopper, seen = cluster.open(), document(2, "急須", popularity=1e300)
        shelf = [document(1, "急須"), seen, document(3, "急須")]
        await shopper.stock(*shelf)
        assert await shopper.finds("急須") == [product(1), product(3)]

        upkeep = IndexUpkeep(shopper.index, Listed(shelf))
        assert await upkeep.verify(True, at_once, quiet) == Report(3, refused=1)
        assert not (await upkeep.verify(False, at_once, quiet)).is_in_step

        assert await shopper.index.put([replace(seen, popularity=1.0, version=2)]) == 1
        assert set(await shopper.finds("急須")) == {product(1), product(2), product(3)}

    async def test_what_was_found_before_a_change_that_is_refused_is_found_no_more(self, cluster: Cluster) -> None:
        shopper = cluster.open()
        await shopper.stock(document(1, "急須"), document(2, "急須"))

        assert await shopper.index.put([document(1, "土瓶", popularity=1e300, version=2), document(2, "土瓶")]) == 1

        assert await shopper.finds("") == [product(2)]


async def at_once(_: float) -> None:
    pass


def quiet(_: int) -> None:
    pass


class TestJapanese:
    async def test_tokyo_grown_is_not_from_kyoto(self, cluster: Cluster) -> None:
        shopper = cluster.open()
        await shopper.stock(document(1, "東京都産の野菜"), document(2, "京都産の野菜"))

        assert await shopper.finds("京都") == [product(2)]
        assert await shopper.finds("東京都") == [product(1)]

    async def test_kanji_of_the_same_sound_are_not_mixed_up(self, cluster: Cluster) -> None:
        shopper = cluster.open()
        await shopper.stock(
            document(1, "橋の写真"), document(2, "箸の箱"), document(3, "紙の箱"), document(4, "髪の本")
        )

        assert await shopper.finds("箸") == [product(2)]
        assert await shopper.finds("紙") == [product(3)]
        assert set(await shopper.finds("はし")) == {product(1), product(2)}

    async def test_a_particle_typed_as_a_word_says_nothing(self, cluster: Cluster) -> None:
        shopper = cluster.open()
        await shopper.stock(document(1, "東京土産 手ぬぐい"))

        assert await shopper.finds("東京 の 手ぬぐい") == [product(1)]


async def test_the_settings_choose_it(cluster: Cluster, corner: dict[str, str]) -> None:
    settings: Settings = settings_of(corner, opensearch_url=cluster.url, opensearch_index=cluster.name)
    async with open_index(settings) as index:
        assert not await index.is_built()
        await Shopper(index).stock(document(1, "急須"))
        assert (await index.check()).startswith("OpenSearch 3.")
    assert len(await cluster.indices()) == 1
