"""States of the index that can be searched: the latest, and those that somebody is paging through."""

import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import tantivy

from adapters.tantivy.generations import Generation, Generations
from adapters.tantivy.refusals import IndexBroken

KEEP_S = 60.0
"""How long a state is kept after its last use."""

KEPT = 120
"""States kept for cursors and counts, the least recently used going first: what a commit every half second makes in that
time. A state holds mapped files, hardly any memory."""

ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An unchanging state of the index. Two processes give the same name to the same state.

    `seen_at` is when it was last known to be the latest.
    """

    name: str
    searcher: tantivy.Searcher
    schema: tantivy.Schema
    seen_at: datetime


class Snapshots:
    """Blocking, for any thread. Looks for changes by others at most every `refresh_s` seconds."""

    def __init__(self, generations: Generations, refresh_s: float, now: Callable[[], float]) -> None:
        self._generations = generations
        self._refresh_s = refresh_s
        self._now = now
        self._lock = threading.Lock()
        self._checked_at: float | None = None
        self._opened: tuple[Generation, tantivy.Index] | None = None
        self._latest: Snapshot | None = None
        self._kept: OrderedDict[str, tuple[Snapshot, float]] = OrderedDict()

    def latest(self) -> Snapshot | None:
        """None before the first index is there. Raises IndexBroken."""
        with self._lock:
            now = self._now()
            if self._checked_at is None or now - self._checked_at >= self._refresh_s:
                seen_at = datetime.now(UTC)  # before we look: what is written meanwhile may be missing
                latest = self._refreshed(seen_at)
                self._latest = None if latest is None else replace(latest, seen_at=seen_at)
                self._checked_at = now
            return self._latest

    def named(self, name: str) -> Snapshot | None:
        """The state a cursor was made in while it is kept, else the latest."""
        with self._lock:
            if name in self._kept:
                snapshot, _ = self._kept[name]
                self._keep(snapshot)
                return snapshot
        return self.latest()

    def keep(self, snapshot: Snapshot) -> None:
        """Somebody was given cursors into it, or counts what it shows."""
        with self._lock:
            self._keep(snapshot)

    def _keep(self, snapshot: Snapshot) -> None:
        now = self._now()
        self._kept[snapshot.name] = snapshot, now
        self._kept.move_to_end(snapshot.name)
        while len(self._kept) > KEPT or next(iter(self._kept.values()))[1] < now - KEEP_S:
            self._kept.popitem(last=False)

    def expire(self) -> None:
        """We wrote: the next search looks at once."""
        with self._lock:
            self._checked_at = None

    def _refreshed(self, seen_at: datetime) -> Snapshot | None:
        for _ in range(ATTEMPTS):
            current = self._generations.current()
            if current is None:
                self._opened = None
                return None
            try:
                return self._read(current, seen_at)
            except (OSError, ValueError) as error:  # tantivy raises ValueError for what it cannot open
                if self._generations.current() == current:
                    raise IndexBroken(self._generations.folder) from error
        raise IndexBroken(self._generations.folder)

    def _read(self, current: Generation, seen_at: datetime) -> Snapshot:
        if self._opened is None or self._opened[0] != current:
            index = tantivy.Index.open(str(current.path))
            index.config_reader("manual")
            self._opened = (current, index)
        index = self._opened[1]
        name = _state_name(current)
        while self._latest is None or self._latest.name != name:
            index.reload()
            snapshot = Snapshot(name, index.searcher(), index.schema, seen_at)
            name = _state_name(current)
            if name == snapshot.name:  # else a commit came in between: the searcher may be of either state
                return snapshot
        return self._latest


def _state_name(generation: Generation) -> str:
    """tantivy replaces meta.json with every commit and merge; it names all that a searcher reads."""
    return f"{generation.number}.{zlib.crc32((generation.path / 'meta.json').read_bytes()):08x}"
