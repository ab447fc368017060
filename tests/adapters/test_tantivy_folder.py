"""The index folder: who may write, who sees what when, and what is said when it is not as we left it."""

import asyncio
import json
import shutil
import sys
import threading
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from adapters.breaker import FAILURES_TO_OPEN
from adapters.language.analysis import Analyzer
from adapters.tantivy.index import TantivyIndex, is_built
from adapters.tantivy.refusals import IndexBroken, IndexBusy, IndexMissing
from domain.search.comparing import Report
from domain.search.request import SearchRequest, SearchSort
from domain.search.upkeep import IndexUpkeep
from domain.shared.paging import PageRequest
from domain.shared.refusals import Unavailable
from tests.contract.search_shop import Listed, Shopper, document, memory_folder, product

Opener = Callable[..., TantivyIndex]

HOLD_LOCK = (
    "import fcntl, sys; f = open(sys.argv[1], 'ab'); fcntl.flock(f, fcntl.LOCK_EX); print('held', flush=True); input()"
)


def generations(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("generation-*"))


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    return Analyzer()


@pytest.fixture
def folder() -> Iterator[Path]:
    with memory_folder() as memory:
        yield memory / "search"


@pytest.fixture
async def opened(folder: Path, analyzer: Analyzer) -> AsyncIterator[Opener]:
    """Opens the folder once more, as another process would."""
    indexes: list[TantivyIndex] = []

    def open_index(**settings: float | Callable[[], float]) -> TantivyIndex:
        indexes.append(TantivyIndex(folder, analyzer, **settings))  # type: ignore[arg-type]
        return indexes[-1]

    yield open_index
    for index in indexes:
        await index.close()


class Choking(Analyzer):
    """One that a text is too much for."""

    def terms(self, text: str) -> tuple[str, ...]:
        if "毒" in text:
            raise ValueError(text)
        return super().terms(text)


async def test_a_product_that_cannot_be_written_keeps_no_other_out_and_is_told(folder: Path) -> None:
    shelf = [document(1, "急須"), document(2, "毒の急須"), document(3, "急須")]
    index = TantivyIndex(folder, Choking(), search_timeout_s=30)
    shopper, upkeep = Shopper(index), IndexUpkeep(index, Listed(shelf))

    async def settled(_: float) -> None:
        pass

    await shopper.stock(*shelf)
    assert await shopper.finds("急須") == [product(1), product(3)]
    report = await upkeep.verify(True, settled, lambda _: None)
    assert (report, report.is_in_step) == (Report(3, refused=1), False)
    assert await index.put([document(2, "緑の急須", version=2)]) == 1
    assert set(await shopper.finds("急須")) == {product(1), product(2), product(3)}
    await index.close()


async def test_an_index_counts_as_built_when_this_program_can_read_it(opened: Opener, folder: Path) -> None:
    assert not is_built(folder)
    await Shopper(opened()).stock(document(1, "急須"))
    assert is_built(folder)

    pointer = (folder / "current").read_bytes()
    (folder / "current").write_bytes(json.dumps({"generation": 1, "format": "0, of an older program"}).encode())
    assert not is_built(folder)
    (folder / "current").write_bytes(b"{")
    assert not is_built(folder)
    (folder / "current").write_bytes(pointer)
    assert is_built(folder)
    shutil.rmtree(folder / generations(folder)[0])
    assert not is_built(folder)


async def test_other_processes_see_a_write_after_the_refresh_time(opened: Opener) -> None:
    clock = [0.0]
    writer, reader = Shopper(opened()), Shopper(opened(refresh_s=0.2, now=lambda: clock[0]))
    await writer.stock(document(1, "急須"))
    assert await reader.finds("急須") == [product(1)]

    await writer.index.put([document(2, "急須")])
    assert len(await reader.finds("急須")) == 1
    clock[0] = 0.2
    assert len(await reader.finds("急須")) == 2
    await writer.stock(document(3, "急須"))
    assert len(await reader.finds("急須")) == 2
    clock[0] = 0.4
    assert await reader.finds("急須") == [product(3)]


async def test_state_is_kept_for_a_minute_after_its_last_use_however_much_is_written(opened: Opener) -> None:
    clock = [100.0]
    shopper = Shopper(opened(now=lambda: clock[0]))
    await shopper.stock(*[document(number, "急須") for number in range(6)])
    after = (await shopper.page("急須", 2, sort=SearchSort.NEWEST)).page_info.end_cursor

    async def rest() -> int:
        return len((await shopper.page("急須", 50, after, sort=SearchSort.NEWEST)).nodes)

    for number in range(20):
        await shopper.index.put([document(100 + number, "急須")])
        assert len(await shopper.finds("急須")) == 7 + number
    for _ in range(2):
        clock[0] += 59
        assert await rest() == 4
    clock[0] += 61
    assert await shopper.finds("水筒") == []  # somebody else's search is when old ones go
    assert await rest() == 24


async def test_the_present_generation_and_the_one_before_are_kept(opened: Opener, folder: Path) -> None:
    shopper = Shopper(opened())
    for number in range(3):
        await shopper.stock(document(number, "急須"))

    assert generations(folder) == ["generation-2", "generation-3"]


async def test_what_a_killed_build_left_is_deleted(opened: Opener, folder: Path) -> None:
    shopper = Shopper(opened())
    await shopper.stock(document(1, "急須"))
    (folder / "generation-7").mkdir()
    (folder / "generation-7" / "half").touch()

    await shopper.stock(document(2, "急須"))

    assert generations(folder) == ["generation-1", "generation-8"]
    assert await shopper.finds("急須") == [product(2)]


async def test_second_writing_process_is_refused_clearly(opened: Opener, folder: Path) -> None:
    index = opened(writer_patience_s=0.05)
    await Shopper(index).stock(document(1, "急須"))
    other = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLD_LOCK, str(folder / "writer.lock"), stdin=PIPE, stdout=PIPE
    )
    assert other.stdout is not None
    await other.stdout.readline()

    with pytest.raises(IndexBusy, match="another process is writing"):
        await index.put([document(2, "急須")])
    assert await Shopper(index).finds("急須") == [product(1)]

    other.kill()  # what a killed writer held is free at once
    await other.wait()
    assert await index.put([document(2, "急須")]) == 1


async def test_cancelled_put_keeps_its_lock_until_it_has_ended(opened: Opener, folder: Path) -> None:
    is_analysing, may_end = threading.Event(), threading.Event()

    class SlowAnalyzer(Analyzer):
        def terms(self, text: str) -> tuple[str, ...]:
            is_analysing.set()
            may_end.wait()
            return super().terms(text)

    impatient = opened(writer_patience_s=0.05)
    await Shopper(impatient).stock(document(1, "急須"))
    index = TantivyIndex(folder, SlowAnalyzer())
    putting = asyncio.create_task(index.put([document(2, "急須")]))
    await asyncio.to_thread(is_analysing.wait)
    putting.cancel()

    with pytest.raises(IndexBusy):
        await impatient.put([document(3, "急須")])
    may_end.set()
    await asyncio.wait([putting])
    assert putting.cancelled()
    assert await impatient.put([document(3, "急須")]) == 1
    await index.close()


async def test_cancelled_put_is_finished_before_the_next_writer_starts(opened: Opener) -> None:
    index = opened()
    await Shopper(index).stock(document(0, "急須"))
    putting = [asyncio.create_task(index.put([document(number, "急須")])) for number in range(1, 6)]
    await asyncio.sleep(0)
    for task in putting[::2]:
        task.cancel()
    await asyncio.gather(*putting, return_exceptions=True)

    assert await index.put([document(9, "急須")]) == 1
    assert {product(2), product(4), product(9)} <= set(await Shopper(index).finds("急須"))


async def test_cancelled_reindex_leaves_nothing_behind(opened: Opener, folder: Path) -> None:
    shopper = Shopper(opened())
    await shopper.stock(document(1, "急須"))
    began = asyncio.Event()

    async def wait_for_ever() -> None:
        began.set()
        await asyncio.Event().wait()

    source = Listed([document(2, "土鍋")], before_each=wait_for_ever)
    reindexing = asyncio.create_task(shopper.search.reindex(source, lambda done: None))
    await began.wait()
    reindexing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reindexing

    assert generations(folder) == ["generation-1"]
    assert await shopper.index.put([document(3, "急須")]) == 1


async def test_index_of_an_older_program_asks_to_be_built_again(opened: Opener, folder: Path) -> None:
    shopper = Shopper(opened())
    await shopper.stock(document(1, "急須"))
    (folder / "current").write_text(json.dumps({"generation": 1, "format": "0, another dictionary"}))

    later = Shopper(opened())

    assert not await later.search.is_built()
    assert await later.finds("急須") == []
    with pytest.raises(IndexMissing, match="has to be built"):
        await later.search.check()
    await later.stock(document(1, "急須"))
    assert await later.finds("急須") == [product(1)]


async def test_writing_before_the_first_build_is_refused(opened: Opener) -> None:
    index = opened()

    with pytest.raises(IndexMissing):
        await index.put([document(1, "急須")])
    with pytest.raises(IndexMissing):
        await index.remove([product(1)], version=2)


@pytest.mark.parametrize("damaged", ["current", "generation-1/meta.json"])
async def test_damaged_folder_is_named_to_the_operator_only(opened: Opener, folder: Path, damaged: str) -> None:
    await Shopper(opened()).stock(document(1, "急須"))
    (folder / damaged).write_text("{")
    shopper = Shopper(opened())

    with pytest.raises(IndexBroken, match="has to be built") as broken:
        await shopper.finds("急須")

    assert str(folder) not in broken.value.message
    await shopper.stock(document(2, "急須"))
    assert await shopper.finds("急須") == [product(2)]


async def test_search_that_takes_too_long_is_given_up(opened: Opener) -> None:
    await Shopper(opened()).stock(document(1, "急須"))
    index = opened(search_timeout_s=0.0)

    with pytest.raises(Unavailable):
        await index.search(SearchRequest.of("急須"), PageRequest())


async def test_a_killed_build_holds_up_no_write_and_goes_with_the_next(opened: Opener, folder: Path) -> None:
    shopper = Shopper(opened())
    await shopper.stock(document(1, "急須"))
    left = json.loads((folder / "current").read_text())
    left |= {"building": 2, "formats": {**left["formats"], "2": left["formats"]["1"]}}
    (folder / "generation-2").mkdir()  # empty: a write to it would fail
    (folder / "current").write_text(json.dumps(left))

    assert await shopper.index.put([document(2, "急須")]) == 1
    await shopper.stock(document(3, "急須"))

    assert generations(folder) == ["generation-1", "generation-3"]
    assert await shopper.finds("急須") == [product(3)]


async def test_two_processes_build_one_after_the_other(opened: Opener) -> None:
    first, second = Shopper(opened()), Shopper(opened(writer_patience_s=0.05))

    async def build_in_between() -> None:
        with pytest.raises(IndexBusy):
            await second.stock(document(2, "急須"))

    await first.search.reindex(Listed([document(1, "急須")], build_in_between), lambda done: None)
    assert await second.finds("急須") == [product(1)]
    await second.stock(document(2, "急須"))
    assert await first.finds("急須") == [product(2)]


async def test_of_all_processes_one_leads_and_another_does_when_it_is_gone(opened: Opener, folder: Path) -> None:
    first, second = opened(), opened()
    assert [await first.leads(), await second.leads(), await first.leads()] == [True, False, True]
    await first.close()
    other = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLD_LOCK, str(folder / "elected.lock"), stdin=PIPE, stdout=PIPE
    )
    assert other.stdout is not None
    await other.stdout.readline()
    assert not await second.leads()
    other.kill()
    await other.wait()
    assert await second.leads()


@pytest.mark.parametrize("damage", ["cut", "gone"])
async def test_a_damaged_generation_is_an_outage_for_who_writes_and_a_new_one_heals_it(
    opened: Opener, folder: Path, damage: str
) -> None:
    await Shopper(opened()).stock(*[document(number, "急須") for number in range(20)])
    for file in (folder / "generation-1").iterdir():
        if file.suffix in (".fast", ".term", ".idx", ".store", ".pos", ".fieldnorm"):
            file.write_bytes(b"") if damage == "cut" else file.unlink()
    shopper = Shopper(opened())

    with pytest.raises(Unavailable):
        await shopper.index.put([document(1, "急須")])
    with pytest.raises(Unavailable):
        await shopper.index.entries(None, None)
    await IndexUpkeep(shopper.index, Listed([document(2, "急須")])).keep(asyncio.sleep)
    assert await shopper.finds("急須") == [product(2)]
    assert await shopper.index.put([document(3, "急須")]) == 1


def spoil_segments(folder: Path) -> None:
    for file in folder.glob("generation-*/*.*"):
        if file.suffix not in (".json", ".lock"):
            file.write_bytes(b"\x00" * file.stat().st_size)


def spoil_pointer(folder: Path) -> None:
    (folder / "current").unlink()
    (folder / "current").mkdir()  # nobody can read that, not even a superuser


@pytest.mark.parametrize("spoil", [spoil_segments, spoil_pointer])
async def test_a_folder_that_cannot_be_read_is_left_alone_until_it_is_another(
    opened: Opener, folder: Path, spoil: Callable[[Path], None]
) -> None:
    clock = [0.0]
    index = opened(now=lambda: clock[0], search_timeout_s=30)
    await Shopper(opened(search_timeout_s=30)).stock(*[document(number, f"急須 {number}") for number in range(50)])
    spoil(folder)
    outcomes = []
    for _ in range(2 * FAILURES_TO_OPEN):
        clock[0] += 1
        with pytest.raises(Unavailable) as refused:
            await index.search(SearchRequest.of("急須"), PageRequest(3))
        outcomes.append(type(refused.value))
    assert outcomes == [IndexBroken] * FAILURES_TO_OPEN + [Unavailable] * FAILURES_TO_OPEN
    with pytest.raises(IndexBroken):  # who asks after it is told
        await index.check()

    for path in (folder / "current", *folder.glob("generation-*")):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    await Shopper(opened(search_timeout_s=30)).stock(document(1, "急須"))
    clock[0] += 1  # of the half minute that the breaker is open

    assert [each.product_id for each in (await index.search(SearchRequest.of("急須"), PageRequest(3))).nodes] == [
        product(1)
    ]
