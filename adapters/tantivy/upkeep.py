"""Writes to the index folder, in turn with other processes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

from adapters.language.analysis import Analyzer
from adapters.tantivy.generations import Generation, Generations
from adapters.tantivy.lock import Election, WriterLock
from adapters.tantivy.refusals import IndexBroken, IndexMissing, is_panic
from adapters.tantivy.writing import create, entries, entries_of, forget, put_newer
from domain.search.model import SearchDocument
from domain.search.ports import Entry
from domain.shared.ids import ProductId

R = TypeVar("R")


class Upkeep:
    """The port `Written`, on whatever takes what is put; and generations one by one.

    `wrote` is called after each write.
    """

    def __init__(
        self, generations: Generations, analyzer: Analyzer, patience_s: float, wrote: Callable[[], None]
    ) -> None:
        self._generations = generations
        self._analyzer = analyzer
        self._wrote = wrote
        self._lock = WriterLock(generations.lock_path, patience_s)
        self._build_lock = WriterLock(generations.build_lock_path, patience_s)
        self._election = Election(generations.elected_path)
        self._thread = ThreadPoolExecutor(1, "search-write")

    async def put(self, documents: Sequence[SearchDocument], into: Generation | None = None) -> int:
        return await self._write(lambda each: put_newer(each, self._analyzer, documents), into)

    async def remove(self, ids: Sequence[ProductId], version: int, into: Generation | None = None) -> None:
        await self._write(lambda each: forget(each, ids, version), into)

    async def entries(
        self, after: ProductId | None, upto: ProductId | None, of: Generation | None = None
    ) -> Sequence[Entry]:
        return await self._done(lambda: entries(self._targets(of)[0], after, upto))

    async def entries_of(self, ids: Sequence[ProductId], of: Generation | None = None) -> Sequence[Entry]:
        return await self._done(lambda: entries_of(self._targets(of)[0], ids))

    async def leads(self) -> bool:
        return await self._done(self._election.is_won)

    @asynccontextmanager
    async def building(self, on_previous: bool) -> AsyncIterator["Built"]:
        """Others write to the present generation and to this one, batch by batch in between."""
        async with self._build_lock.held():
            async with self._lock.held():
                generation = await self._done(lambda: self._begun(on_previous))
            is_whole = False
            try:
                yield Built(self, generation)
                is_whole = True
            finally:
                async with self._lock.held():
                    await self._done(lambda: self._end(generation, is_whole))
                self._wrote()

    async def close(self) -> None:
        """Lets a write that has begun come to its end."""
        await asyncio.to_thread(self._thread.shutdown, wait=True, cancel_futures=True)
        self._election.step_down()

    async def _write(self, write: Callable[[Generation], int], into: Generation | None) -> int:
        """How many the generation that is searched took. Raises IndexMissing, IndexBusy, IndexBroken."""
        async with self._lock.held():
            written = await self._done(lambda: [write(each) for each in self._targets(into)])
        self._wrote()
        return written[0]

    def _targets(self, one: Generation | None) -> Sequence[Generation]:
        targets = self._generations.written() if one is None else (one,)
        if not targets:
            raise IndexMissing(self._generations.folder)
        return targets

    def _begun(self, on_previous: bool) -> Generation:
        if on_previous:
            return self._generations.begin_previous()
        generation = self._generations.begin()
        create(generation)
        return generation

    def _end(self, generation: Generation, is_whole: bool) -> None:
        if is_whole:
            self._generations.switch(generation)
        else:
            self._generations.abandon()

    async def _done(self, job: Callable[[], R]) -> R:
        """Waits for the end of the job even when cancelled: the lock must not go before it. Raises IndexBroken."""
        running = asyncio.get_running_loop().run_in_executor(self._thread, job)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            await asyncio.wait([running])
            raise
        except (OSError, ValueError) as error:  # tantivy's own are ValueErrors
            raise IndexBroken(self._generations.folder) from error
        except BaseException as panic:
            if is_panic(panic):
                raise IndexBroken(self._generations.folder) from panic
            raise


class Built:
    """The port `Written` on one generation."""

    def __init__(self, upkeep: Upkeep, generation: Generation) -> None:
        self._upkeep = upkeep
        self._generation = generation

    async def put(self, documents: Sequence[SearchDocument]) -> int:
        return await self._upkeep.put(documents, self._generation)

    async def remove(self, ids: Sequence[ProductId], version: int) -> None:
        await self._upkeep.remove(ids, version, self._generation)

    async def entries(self, after: ProductId | None, upto: ProductId | None) -> Sequence[Entry]:
        return await self._upkeep.entries(after, upto, self._generation)

    async def entries_of(self, ids: Sequence[ProductId]) -> Sequence[Entry]:
        return await self._upkeep.entries_of(ids, self._generation)
