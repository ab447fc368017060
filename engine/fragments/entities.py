"""Fragments of entities by their keys: those that are there, and loads of those that are not."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from engine.compiled.reasons import Deviation, Reason, deviating
from engine.compiled.steps import Fill, Run
from engine.compiled.together import together
from engine.fragments.filling import Wanted, entry_of, filled, nested_of, whole
from engine.fragments.rendered import Rendered
from engine.fragments.sites import Shape, Site
from engine.fragments.store import Entry, Shelf


class Rows(Protocol):
    """A compiled selection."""

    @property
    def rows(self) -> Fill: ...


Load = Callable[[Sequence[Hashable]], Awaitable[Sequence[Any]]]
"""Values in the order of the keys; an exception in the place of one that failed."""
Versions = Mapping[Hashable, int]
"""Of entities that are known to have come so far: what is older is not shown."""


class Fragments:
    """What is shown of entities at a site: keys in, fragments out; what is missing is loaded in one call.

    `is_required`: whether each of them has to be there. `keeps_nulls`: whether that there is no such entity may be kept, too.
    """

    def __init__(self, site: Site, level: Rows, *, is_required: bool, keeps_nulls: bool) -> None:
        self._site = site
        self._kept = site.kept
        self._level = level
        self._is_required = is_required
        self._keeps_nulls = keeps_nulls
        site.fragments = self

    async def shown(
        self, keys: Sequence[Hashable], run: Run, load: Load | None = None, versions: Versions | None = None
    ) -> Mapping[Hashable, Any]:
        """By key: a fragment, a dict where nothing may be kept, or None. Raises Deviation."""
        load = load or partial(run.context.loaders.load_level, self._kept.loader)
        shelf = run.shelf
        shape = self._site.shape(shelf.shared_as, run.arguments) if shelf and keys else None
        if shelf is None or shape is None:
            return await self._rows(keys, load, run)
        found = await self._fragments(keys, shape, load, shelf, run, versions or {})
        shelf.shown.extend(found.values())
        return found

    async def _rows(self, keys: Sequence[Hashable], load: Load, run: Run) -> dict[Hashable, Any]:
        """Dicts, as without any store."""
        there = await self._values(keys, load)
        rows = await self._level.rows(list(there.values()), None, run)
        return dict.fromkeys(keys) | dict(zip(there, rows, strict=True))

    async def _values(self, keys: Sequence[Hashable], load: Load) -> dict[Hashable, Any]:
        """Loaded, without what is not there."""
        found = await load(keys) if keys else ()
        if any(isinstance(value, BaseException) for value in found):
            raise Deviation(Reason.EXCEPTION)
        there = {key: value for key, value in zip(keys, found, strict=True) if value is not None}
        if self._is_required and len(there) < len(keys):
            raise Deviation(Reason.NULL)
        return there

    async def _fragments(
        self, keys: Sequence[Hashable], shape: Shape, load: Load, shelf: Shelf, run: Run, versions: Versions
    ) -> dict[Hashable, Rendered]:
        store, now = shelf.store, shelf.store.clock()
        entries = {key: store.get((shape.digest, key), now) for key in keys}
        for key, version in versions.items():
            entry = entries[key]
            if entry is not None and entry.version < version:
                entries[key] = None  # the notice of it is on its way
        wanted: Wanted = defaultdict(dict)
        found = {key: whole(entry, store, now, wanted) for key, entry in entries.items() if entry is not None}
        there = {key: each for key, each in found.items() if each is not None}
        store.counts.hits += len(there)
        store.counts.misses += len(keys) - len(there)
        if len(there) == len(keys):
            return there
        lacking = [key for key, entry in entries.items() if entry is None]
        rendered = self._rendered(lacking, shape, load, shelf, run)
        fresh, nested = await together([rendered, nested_of(self._site, wanted, run)])
        there |= fresh
        for key, each in found.items():
            entry = entries[key]
            if each is None and entry is not None:
                there[key] = filled(entry, store, now, nested)
        return there

    async def _rendered(
        self, keys: Sequence[Hashable], shape: Shape, load: Load, shelf: Shelf, run: Run
    ) -> dict[Hashable, Rendered]:
        """Loaded, rendered and stored."""
        if not keys:
            return {}
        there = await self._values(keys, load)
        rows = dict(zip(there, await self._level.rows(list(there.values()), None, run), strict=True))
        fresh: dict[Hashable, Rendered] = {}
        with deviating():
            for key in keys:
                entry, fresh[key] = self._entry(key, there.get(key), rows.get(key), shape, shelf)
                if key in there or self._keeps_nulls:
                    shelf.store.put(entry, shelf.ticket)
        return fresh

    def _entry(self, key: Hashable, value: Any, row: Any, shape: Shape, shelf: Shelf) -> tuple[Entry, Rendered]:
        kept = self._kept
        changes_at = kept.changes_at(value) if kept.changes_at and value is not None else None
        ends = shelf.store.moment(changes_at)
        until = min(shelf.began + kept.max_age_s, ends)
        version = 0 if value is None else kept.version_of(value)
        return entry_of(self._site, (shape.digest, key), shape, row, until, ends, (kept.tag(key),), version)
