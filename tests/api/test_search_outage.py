"""Search while its index is missing, broken or unreachable: the database answers, says so, and nothing else suffers."""

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from commands import jobs
from domain.shared.ids import uuid7
from gateway import create_app
from infra.embedded.ports import LOOPBACK
from settings import Settings
from tests.api.client import Client
from tests.api.conftest import client_of
from tests.factories import Factory

SEARCH = """
query ($query: String!, $filter: SearchFilter, $sort: SearchSort, $first: Int, $after: String) {
  search(query: $query, filter: $filter, sort: $sort, first: $first, after: $after) {
    nodes { score product { name } } totalCount { value precision } facets { name } isDegraded indexedAt
    pageInfo { hasNextPage endCursor }
  }
}
"""


@asynccontextmanager
async def gateway(settings: Settings) -> AsyncIterator[Client]:
    app = create_app(settings)
    async with app.router.lifespan_context(app), client_of(app) as http:
        yield Client(http)


def with_index_in(settings: Settings, folder: Path) -> Settings:
    return settings.model_copy(update={"search_index_dir": folder})


@pytest.fixture
def mark() -> str:
    return uuid7().hex[-12:].translate(str.maketrans("0123456789", "ghijklmnop"))


def names(found: Any) -> set[str]:
    return {node["product"]["name"] for node in found["nodes"]}


async def test_without_an_index_the_database_answers_and_says_so(
    prepared: Settings, make: Factory, mark: str, tmp_path: Path
) -> None:
    for number in range(3):
        await make.product(name=f"藍染めの手ぬぐい {mark} {number}")
    async with gateway(with_index_in(prepared, tmp_path / "none")) as api:
        found = (await api.data(SEARCH, query=f"手ぬぐい {mark}", first=2))["search"]
        assert found["isDegraded"]
        assert found["indexedAt"] is None
        assert found["facets"] == []
        assert found["totalCount"] == {"value": 3, "precision": "EXACT"}
        after = found["pageInfo"]["endCursor"]
        rest = (await api.data(SEARCH, query=f"手ぬぐい {mark}", first=2, after=after))["search"]
        assert len(names(found) | names(rest)) == 3
        assert not rest["pageInfo"]["hasNextPage"]
        suggested = await api.data(
            "query ($typed: String!) { searchSuggestions(prefix: $typed) { kind product { name } } }",
            typed=f"手ぬぐい {mark[:9]}",
        )
        assert {each["product"]["name"] for each in suggested["searchSuggestions"]} == names(found) | names(rest)
        nothing = (await api.data(SEARCH, query=f"急須 {mark}"))["search"]
        assert (nothing["nodes"], nothing["isDegraded"]) == ([], True)


def overwrite(folder: Path) -> None:
    """As a disk does that goes bad."""
    for file in folder.glob("generation-*/*"):
        if file.suffix not in (".json", ".lock"):
            file.write_bytes(b"\x00" * file.stat().st_size)
    # whoever has it open goes on with what they have: a merge, a restart or the next write reads the files anew
    (folder / "current").write_bytes(b"\x00")


@pytest.mark.parametrize("spoil", [shutil.rmtree, overwrite])
async def test_an_index_that_breaks_and_is_built_again(
    prepared: Settings,
    make: Factory,
    mark: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    spoil: Callable[[Path], None],
) -> None:
    caplog.set_level(logging.INFO, "torii.search")
    name = f"急須 {mark}"
    await make.product(name=name)
    settings = with_index_in(prepared, tmp_path / "search")
    await jobs.rebuild(settings, lambda *_: None)
    async with gateway(settings) as api:
        whole = (await api.data(SEARCH, query=name))["search"]
        assert (names(whole), whole["isDegraded"]) == ({name}, False)

        spoil(settings.search_dir)
        async with asyncio.timeout(30):
            while not (found := (await api.data(SEARCH, query=name))["search"])["isDegraded"]:
                await asyncio.sleep(0.01)
        assert names(found) == {name}
        # what follows a page that the index gave, from a state of it that is still kept or from the database
        assert (await api.data(SEARCH, query=name, after=whole["pageInfo"]["endCursor"]))["search"]["nodes"] == []

        await jobs.rebuild(settings, lambda *_: None)
        async with asyncio.timeout(30):
            while (again := (await api.data(SEARCH, query=name))["search"])["isDegraded"]:
                await asyncio.sleep(0.01)
        assert names(again) == {name}
    told = [record.message for record in caplog.records if record.name == "torii.search"]
    assert told == [
        "the search index is away: searches are answered by the database meanwhile",
        "the search index answers again",
    ]


async def test_an_opensearch_that_is_frozen_costs_its_limit_until_the_breaker_opens(
    prepared: Settings, make: Factory, mark: str
) -> None:
    await make.product(name=f"茶筅 {mark}")
    asked = 0

    async def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        try:
            await closing.wait()
        finally:
            writer.close()
            await writer.wait_closed()

    closing = asyncio.Event()
    server = await asyncio.start_server(hold, LOOPBACK, 0)
    address = f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}"
    frozen = {"opensearch_url": SecretStr(address), "opensearch_timeout_ms": 60}
    async with gateway(prepared.model_copy(update=frozen)) as api:
        for _ in range(8):
            answer = await api.data(
                f'{{ search(query: "茶筅 {mark}") {{ isDegraded nodes {{ score }} }} health: __typename }}'
            )
            assert answer["search"]["isDegraded"]
            assert len(answer["search"]["nodes"]) == 1
        suggested = await api.data(f'{{ searchSuggestions(prefix: "茶筅 {mark}") {{ product {{ name }} }} }}')
        assert suggested["searchSuggestions"] == [{"product": {"name": f"茶筅 {mark}"}}]
        assert asked <= 5  # the breaker is open
        assert (await api.data("{ products(first: 1) { nodes { name } } }"))["products"]["nodes"]
        closing.set()
    server.close()
    await server.wait_closed()


async def test_whatever_is_typed_is_answered(prepared: Settings, tmp_path: Path) -> None:
    naughty = [
        "?!",
        "🍵",
        "\u202eאבג",
        "(a+)+$",
        "' OR 1=1 --",
        "<script>alert(1)</script>",
        "%%%%",
        "\\",
        "a" * 200,
        "あ" * 200,
    ]
    async with gateway(with_index_in(prepared, tmp_path / "none")) as api:
        for query in naughty:
            assert (await api.data(SEARCH, query=query))["search"]["isDegraded"], query
