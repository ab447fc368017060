"""What many searched for: who counts, what is kept, and what is suggested of it."""

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest

from adapters.language.highlighting import DictionaryHighlighter
from adapters.language.popular import DictionaryBeginnings
from adapters.redis import popular_queries
from adapters.redis.client import RedisClient, connect
from adapters.redis.popular_queries import WEEK_S, RedisPopularQueries
from domain.search.popular import MIN_SEARCHERS, REFRESH_S, PopularSearches
from domain.search.request import SearchRequest
from domain.shared.paging import PageRequest
from domain.shared.refusals import Unavailable
from domain.shared.viewer import Viewer
from tests.contract.search_shop import Shopper, document, on_tantivy, words

PEOPLE = [UUID(int=number) for number in range(1, 9)]


@pytest.fixture
async def redis(corner: dict[str, str]) -> AsyncIterator[RedisClient]:
    client = connect(corner["TORII_REDIS_URL"], timeout_ms=10_000)
    yield RedisClient(client, timeout_ms=10_000)
    await client.aclose()


def counts(redis: RedisClient, **options: Any) -> RedisPopularQueries:
    """With queries of its own."""
    return RedisPopularQueries(redis, prefix=f"test-{uuid4().hex}", **options)


class TestCounts:
    async def test_each_counts_once_for_a_query(self, redis: RedisClient) -> None:
        kept = counts(redis)
        for person in PEOPLE[:3]:
            await kept.note(person, "急須")
        for _ in range(9):
            await kept.note(PEOPLE[0], "水筒")

        assert await kept.most(3) == ["急須"]
        assert await kept.most(1) == ["急須", "水筒"]

    async def test_this_week_and_the_last_count_together_and_no_older_one(self, redis: RedisClient) -> None:
        now = 10.5 * WEEK_S
        kept = counts(redis, now=lambda: now)
        for week in (10, 11):
            now = (week + 0.5) * WEEK_S
            await kept.note(PEOPLE[week - 10], "急須")
        assert await kept.most(2) == ["急須"]

        now += WEEK_S
        assert await kept.most(1) == ["急須"]
        now += WEEK_S
        assert await kept.most(1) == []

    async def test_full_week_takes_no_more(self, redis: RedisClient, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(popular_queries, "MOST_QUERIES", 2)
        kept = counts(redis)
        for text in ("急須", "水筒", "土鍋", "急須"):
            for person in PEOPLE[:2]:
                await kept.note(person, text)
        assert set(await kept.most(1)) == {"急須", "水筒"}

        monkeypatch.setattr(popular_queries, "MOST_SEARCHES", 4)
        await kept.note(PEOPLE[5], "急須")
        assert await kept.most(3) == []


class Kept:
    """Counts in memory, that may be away."""

    def __init__(self) -> None:
        self.noted: list[tuple[UUID, str]] = []
        self.is_away = False

    async def note(self, searcher: UUID, text: str) -> None:
        if self.is_away:
            raise Unavailable("Redis")
        self.noted.append((searcher, text))

    async def most(self, searchers: int) -> Sequence[str]:
        if self.is_away:
            raise Unavailable("Redis")
        texts = [text for _, text in self.noted]
        return [text for text in dict.fromkeys(texts) if texts.count(text) >= searchers]


class Desk:
    """People who search and type."""

    def __init__(self, shopper: Shopper) -> None:
        self.shopper, self.kept, self.now = shopper, Kept(), 0.0
        dictionary = DictionaryBeginnings(DictionaryHighlighter(words()))
        self.popular = PopularSearches(self.kept, dictionary, shopper.index, lambda: self.now)

    async def search(self, text: str, viewer: Viewer, after: str | None = None) -> None:
        request, page = SearchRequest.of(text), PageRequest.of("search", first=1, after=after)
        await self.popular.searched(viewer, request, page, await self.shopper.search.search(request, page))

    async def search_by(self, people: int, text: str) -> None:
        for person in PEOPLE[:people]:
            await self.search(text, Viewer(guest_id=person))

    async def suggested(self, typed: str) -> list[str]:
        self.now += REFRESH_S
        return list(await self.popular.beginning_with(typed))


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with on_tantivy() as shopper:
        await shopper.stock(document(1, "藍染めの手ぬぐい"), document(2, "手ぬぐい"), document(3, "急須"))
        yield Desk(shopper)


class TestSuggested:
    async def test_what_enough_people_typed_is_suggested_however_it_is_begun(self, desk: Desk) -> None:
        await desk.search_by(MIN_SEARCHERS, "手ぬぐい")
        await desk.search_by(MIN_SEARCHERS - 1, "急須")

        for typed in ("手", "てぬ", "tenu"):
            assert await desk.suggested(typed) == ["手ぬぐい"], typed
        for typed in ("急", "きゅ", "", "!"):
            assert await desk.suggested(typed) == [], typed

    async def test_only_first_pages_of_known_people_that_found_what_was_typed_count(self, desk: Desk) -> None:
        first = await desk.shopper.page("手ぬぐい", 1)
        await desk.search("手ぬぐい", Viewer())
        await desk.search("手ぬぐい", Viewer(guest_id=PEOPLE[0]), first.page_info.end_cursor)
        for text in ("", "深海魚", "急須 深海魚", "急須 " * 20):
            await desk.search(text, Viewer(guest_id=PEOPLE[0]))

        assert desk.kept.noted == []

    async def test_what_finds_nothing_public_any_more_is_not_suggested(self, desk: Desk) -> None:
        await desk.search_by(MIN_SEARCHERS, "急須")
        assert await desk.suggested("急") == ["急須"]

        await desk.shopper.index.put([document(3, "急須", is_public=False, version=2)])
        assert await desk.suggested("急") == []

    async def test_outage_of_the_counts_is_quiet(self, desk: Desk) -> None:
        await desk.search_by(MIN_SEARCHERS, "急須")
        assert await desk.suggested("急") == ["急須"]
        desk.kept.is_away = True

        await desk.search_by(1, "手ぬぐい")
        assert await desk.suggested("急") == ["急須"]
