"""Fragments in the memory of this process: bounded, dropped by notices of change, used only while such notices arrive.

A notice names tags (`product:0199…`) and drops what shows them. What was loaded before a notice is not stored after it. An
entry that was used goes to the end of the queue when its turn to leave comes, once (second chance, which is close to LRU
and leaves reads alone).
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from copy import copy
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from math import inf
from typing import NamedTuple

from engine.fragments.declared import anything
from engine.fragments.rendered import At, Rendered
from engine.watching.metrics import Metrics

LIVE_S = 1.5
"""How long after it was last known to be whole the channel of notices counts as such: prices are shown 2 s at most."""
NOTICES = 10_000
"""Tags whose last notice is remembered; of others it is taken to have been just before the oldest of these."""
ENTRY_BYTES = 700
HOLE_BYTES = 200
"""What an entry and a hole take beside their text: objects, keys, the index by tag."""


@dataclass(slots=True)
class Counts:
    """Since the start; `bytes` and `entries` are of now."""

    hits: int = 0
    misses: int = 0
    stored: int = 0
    refused: int = 0
    """Not stored, because a notice came while it was loaded."""
    evicted: int = 0
    dropped: int = 0
    """By notices, time, or the loss of their channel."""
    bytes: int = 0
    entries: int = 0


class Hole(NamedTuple):
    """A fragment nested in another: the number of its site there, how often its cost counts, and where it is kept."""

    number: int
    times: int
    at: At


class Entry:
    """The bytes of an entity around its holes. `whole` is what came of filling them, good until the next notice of anything."""

    __slots__ = ("holes", "is_used", "own", "size", "stamp", "tags", "texts", "version", "whole")

    def __init__(
        self, own: Rendered, texts: tuple[bytes, ...], holes: tuple[Hole, ...], tags: tuple[str, ...], version: int = 0
    ) -> None:
        self.own = own
        """Of the entity alone: its body is empty where there are holes, and its cost without what is in them."""
        self.texts = texts
        self.holes = holes
        self.tags = tags
        """Those that drop it."""
        self.version = version
        """Of the entity; 0 of what has none."""
        self.whole: Rendered | None = None
        self.stamp = -1
        self.is_used = False
        self.size = ENTRY_BYTES + sum(map(len, texts)) + len(holes) * HOLE_BYTES
        """In bytes, about; the whole, once there is one, included."""


class Store:
    """Entries by place. Off until the channel of notices is joined; `most_bytes` 0 keeps nothing."""

    def __init__(
        self,
        most_bytes: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._most_bytes = most_bytes
        self.clock = clock
        self._now = now
        self._entries: OrderedDict[At, Entry] = OrderedDict()
        self._by_tag: dict[str, set[At]] = {}
        self._told: OrderedDict[str, int] = OrderedDict()
        self._floor = 0
        """Number of the last notice that concerned everything, or is no longer remembered by its tag."""
        self._confirmed = float("-inf")
        self.notices = 0
        self.counts = Counts()

    def is_live(self, at: float) -> bool:
        """Whether all changes up to a moment ago are known."""
        return at - self._confirmed <= LIVE_S

    # -- what the channel of notices tells --------------------------------------------------------------------------------

    def joined(self) -> None:
        """From now on notices arrive."""
        self.drop()
        self._confirmed = self.clock()

    def confirmed(self, at: float) -> None:
        """All notices of changes before that moment have been told."""
        self._confirmed = max(self._confirmed, at)

    def left(self) -> None:
        """The channel was cut: whatever is here may have changed unheard."""
        self._confirmed = float("-inf")
        self.drop()

    def forget(self, tags: Iterable[str]) -> None:
        """These have changed, and with them the lists that may show them."""
        self.notices += 1
        tags = list(tags)
        for tag in (*tags, *{anything(tag.partition(":")[0]) for tag in tags}):
            self._told[tag] = self.notices
            self._told.move_to_end(tag)
            for at in list(self._by_tag.get(tag, ())):
                self._remove(at)
                self.counts.dropped += 1
        while len(self._told) > NOTICES:
            _, number = self._told.popitem(last=False)
            self._floor = max(self._floor, number)

    def drop(self) -> None:
        """Anything may have changed."""
        self.notices += 1
        self._floor = self.notices
        self._told.clear()
        self.counts.dropped += len(self._entries)
        self._entries.clear()
        self._by_tag.clear()
        self.counts.bytes = self.counts.entries = 0

    def tell(self, metrics: Metrics) -> None:
        """Figures of this store."""
        gauges = ("bytes", "entries")
        metrics.counter(
            "torii_fragments",
            "Fragments of answers: found (hits) or not (misses), stored, refused because of a change, evicted, dropped.",
            lambda: {name: count for name, count in asdict(self.counts).items() if name not in gauges},
            "event",
        )
        metrics.gauge(
            "torii_fragments_bytes", "Memory of the fragments that are kept.", lambda: {"": self.counts.bytes}
        )
        metrics.gauge("torii_fragments_kept", "Fragments that are kept.", lambda: {"": self.counts.entries})

    # -- what plans ask ---------------------------------------------------------------------------------------------------

    def get(self, at: At, now: float) -> Entry | None:
        """The entry of a place, while the channel of notices is known to be whole."""
        entry = self._entries.get(at)
        if entry is None or now - self._confirmed > LIVE_S:
            return None
        if entry.own.until <= now:
            self._remove(at)
            self.counts.dropped += 1
            return None
        entry.is_used = True
        return entry

    def put(self, entry: Entry, ticket: int) -> None:
        """Keep an entry, unless something that it shows has changed since `ticket`, the number of notices before anything was loaded."""
        if ticket < self._floor or any(self._told.get(tag, 0) > ticket for tag in entry.tags):
            self.counts.refused += 1
            return
        at = entry.own.at
        there = self._entries.get(at)
        if entry.size > self._most_bytes // 8 or (there is not None and there.version > entry.version):
            return
        self._remove(at)
        self._entries[at] = entry
        for tag in entry.tags:
            self._by_tag.setdefault(tag, set()).add(at)
        self.counts.stored += 1
        self.counts.entries += 1
        self.counts.bytes += entry.size
        while self.counts.bytes > self._most_bytes:
            self._evict()

    def fill(self, entry: Entry, whole: Rendered) -> None:
        """Remember what came of filling an entry's holes, until the next notice."""
        if self._entries.get(entry.own.at) is not entry:
            return
        grown = len(whole.body) - (0 if entry.whole is None else len(entry.whole.body))
        entry.whole, entry.stamp = whole, self.notices
        entry.size += grown
        self.counts.bytes += grown
        while self.counts.bytes > self._most_bytes:
            self._evict()

    def tags(self) -> list[str]:
        """All tags that drop something here."""
        return list(self._by_tag)

    def moment(self, at: datetime | None) -> float:
        """A time of day by this store's clock; None is never."""
        return inf if at is None else self.clock() + (at - self._now()).total_seconds()

    def _evict(self) -> None:
        at, entry = next(iter(self._entries.items()))
        if entry.is_used:
            entry.is_used = False
            self._entries.move_to_end(at)
        else:
            self._remove(at)
            self.counts.evicted += 1

    def _remove(self, at: At) -> None:
        entry = self._entries.pop(at, None)
        if entry is None:
            return
        self.counts.entries -= 1
        self.counts.bytes -= entry.size
        for tag in entry.tags:
            places = self._by_tag[tag]
            places.discard(at)
            if not places:
                del self._by_tag[tag]


@dataclass(slots=True)
class Shelf:
    """The store as one operation sees it, from its begin. `shared_as` says what else shapes its bytes, such as a language.

    `shown` are the fragments in its answer, those within others too. `is_loose`: it shows entities that are not of them, too.
    """

    store: Store
    shared_as: Hashable
    shown: list[Rendered] = field(default_factory=list)
    is_loose: bool = False
    ticket: int = field(init=False)
    """What its loaders give may be as old as the operation: so is what is kept of it, whenever it was rendered."""
    began: float = field(init=False)

    def __post_init__(self) -> None:
        self.ticket, self.began = self.store.notices, self.store.clock()

    def apart(self) -> "Shelf":
        """The same, for a part of the answer that tells by itself what is in it."""
        own = copy(self)
        own.shown, own.is_loose = [], False
        return own
