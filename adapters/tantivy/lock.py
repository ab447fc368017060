"""Locks over all processes of a machine. The system lets go of the lock of a process that died."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from adapters.tantivy.refusals import IndexBusy

POLL_S = 0.02


class WriterLock:
    """One holder at a time."""

    def __init__(self, path: Path, patience_s: float) -> None:
        self._path = path
        self._patience_s = patience_s
        self._mine = asyncio.Lock()  # in one process writers take turns in the order they came

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Raises IndexBusy when another writer keeps it for longer than `patience_s`."""
        try:
            async with asyncio.timeout(self._patience_s):
                await self._mine.acquire()
        except TimeoutError:
            raise IndexBusy(self._path.parent) from None
        try:
            descriptor = await self._locked_file()
            try:
                yield
            finally:
                os.close(descriptor)
        finally:
            self._mine.release()

    async def _locked_file(self) -> int:
        try:
            async with asyncio.timeout(self._patience_s):
                while True:
                    descriptor = _try_lock(self._path, fcntl.LOCK_EX)
                    if descriptor is not None:
                        return descriptor
                    await asyncio.sleep(POLL_S)  # flock tells nobody when it is free
        except TimeoutError:
            raise IndexBusy(self._path.parent) from None


class Election:
    """Who is elected stays so until its process ends, or it steps down."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def is_won(self) -> bool:
        """Whether it is us, now that we have asked."""
        if self._descriptor is None:
            self._descriptor = _try_lock(self._path, fcntl.LOCK_EX)
        return self._descriptor is not None

    def step_down(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def is_free(path: Path) -> bool:
    """Whether nobody holds the lock of that path, at this moment."""
    descriptor = _try_lock(path, fcntl.LOCK_SH)
    if descriptor is not None:
        os.close(descriptor)
    return descriptor is not None


def _try_lock(path: Path, how: int) -> int | None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
