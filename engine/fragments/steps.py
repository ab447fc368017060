"""The column of a site: fragments that are there, and loads of those that are not."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import orjson
from graphql import is_non_null_type

from engine.compiled.reasons import Deviation, Reason
from engine.compiled.selection import Field
from engine.compiled.steps import Call, Paths, Run, deviating, together
from engine.fragments.declared import Finds
from engine.fragments.rendered import MAX_TAGS, At, Rendered, cut
from engine.fragments.sites import Shape, Site
from engine.fragments.store import Entry, Hole, Shelf, Store

NULL = b"null"
Wanted = dict[int, dict[Hashable, None]]
"""Keys of what is missing, by the number of the nested site that shows it."""


class Rows(Protocol):
    """A compiled selection."""

    async def rows(self, values: Sequence[Any], paths: None, run: Run) -> list[Any]: ...


Load = Callable[[Sequence[Hashable]], Awaitable[Sequence[Any]]]
"""Values in the order of the keys; an exception in the place of one that failed."""


class KeptLoad:
    """An edge to entities that are kept: keys in, fragments out; what is missing is loaded in one call."""

    keeps_nulls = True
    """Whether that there is no such entity may be kept, too."""

    def __init__(self, field: Field, site: Site, level: Rows) -> None:
        self.field = field
        self._site = site
        self._kept = site.kept
        site.step = self
        self._level = level
        self._is_required = is_non_null_type(field.type)

    async def column(self, values: Sequence[Any], _paths: Paths, run: Run) -> Sequence[Any]:
        """What the answer shows for each value: a fragment, a dict where nothing may be kept, or None. Raises Deviation."""
        with deviating():
            keys = [getattr(value, self._site.key) for value in values]
        found: dict[Hashable, Any] = {None: None}
        found |= await self.shown([key for key in dict.fromkeys(keys) if key is not None], run)
        if self._is_required and None in keys:
            raise Deviation(Reason.NULL)
        return [found[key] for key in keys]

    async def shown(self, keys: Sequence[Hashable], run: Run) -> Mapping[Hashable, Any]:
        """The same by key."""
        return await self._shown(keys, partial(run.context.loaders.load_level, self._kept.loader), run)

    async def _shown(self, keys: Sequence[Hashable], load: Load, run: Run) -> Mapping[Hashable, Any]:
        shelf = run.shelf
        shape = self._site.shape(shelf.shared_as, run.arguments) if shelf and keys else None
        if shelf is None or shape is None:
            return await self._rows(keys, load, run)
        found = await self._fragments(keys, shape, load, shelf, run)
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
        self, keys: Sequence[Hashable], shape: Shape, load: Load, shelf: Shelf, run: Run
    ) -> dict[Hashable, Rendered]:
        store, now = shelf.store, shelf.store.clock()
        entries = {key: store.get((shape.digest, key), now) for key in keys}
        wanted: Wanted = defaultdict(dict)
        found = {key: whole(entry, store, now, wanted) for key, entry in entries.items() if entry is not None}
        there = {key: each for key, each in found.items() if each is not None}
        store.counts.hits += len(there)
        store.counts.misses += len(keys) - len(there)
        if len(there) == len(keys):
            return there
        lacking = [key for key, entry in entries.items() if entry is None]
        fresh, nested = await together([self._rendered(lacking, shape, load, shelf, run), self._nested(wanted, run)])
        there |= fresh
        for key, each in found.items():
            entry = entries[key]
            if each is None and entry is not None:
                there[key] = filled(entry, store, now, nested)
        return there

    async def _nested(self, wanted: Wanted, run: Run) -> dict[At, Rendered]:
        """What stands in the holes of fragments that are here, where that itself is not."""
        steps = [self._site.nested[number].step for number in wanted]
        asked = [step.shown(list(keys), run) for step, keys in zip(steps, wanted.values(), strict=True) if step]
        return {each.at: each for found in await together(asked) for each in found.values()}

    async def _rendered(
        self, keys: Sequence[Hashable], shape: Shape, load: Load, shelf: Shelf, run: Run
    ) -> dict[Hashable, Rendered]:
        """Loaded, rendered and stored."""
        if not keys:
            return {}
        store, kept = shelf.store, self._kept
        there = await self._values(keys, load)
        rows = dict(zip(there, await self._level.rows(list(there.values()), None, run), strict=True))
        fresh: dict[Hashable, Rendered] = {}
        for key in keys:
            changes_at = kept.changes_at(there[key]) if kept.changes_at and key in there else None
            ends = store.moment(changes_at)
            until = min(shelf.began + kept.max_age_s, ends)
            entry, fresh[key] = self._entry((shape.digest, key), shape, rows.get(key), until, ends)
            if key in there or self.keeps_nulls:
                store.put(entry, shelf.ticket)
        return fresh

    def _entry(self, at: At, shape: Shape, row: Any, until: float, ends: float) -> tuple[Entry, Rendered]:
        """What is kept of a row, and what is shown of it."""
        try:
            texts, inside = cut(row)
        except orjson.JSONEncodeError as error:
            raise Deviation(Reason.LEAF) from error
        tag = self._kept.tag(at[1])
        tags = (tag,) if self._kept.is_tag else ()
        holes = tuple(Hole(*shape.nested[each.at[0]], each.at) for each in inside)
        cost = self._site.priced.of_values([row])
        cost -= sum(hole.times * each.cost for hole, each in zip(holes, inside, strict=True))
        own = Rendered(at, b"" if inside else texts[0], cost, until, tags, ends)
        entry = Entry(own, texts, holes, (tag,))
        return entry, put_together(entry, inside)


class KeptCall(KeptLoad):
    """A field of the root that finds an entity by what its arguments name; the resolver is called where no fragment is.

    What clients name is not kept when there is no such thing, or they could fill the store with it.
    """

    keeps_nulls = False

    def __init__(self, field: Field, site: Site, level: Rows, finds: Finds, call: Call) -> None:
        super().__init__(field, site, level)
        self._finds = finds
        self._call = call

    async def column(self, values: Sequence[Any], paths: Paths, run: Run) -> Sequence[Any]:
        was_called = False

        async def resolved(_keys: Sequence[Hashable]) -> Sequence[Any]:
            nonlocal was_called
            was_called = True
            return await self._call.column(values, paths, run)

        key = self._finds.key(run.arguments(self.field))
        if key is None:
            return list((await self._rows([None], resolved, run)).values())
        [found] = (await self._shown([key], resolved, run)).values()
        if not was_called:
            self.noted(found, run.arguments(self.field), run.context)
        return [found]

    def noted(self, found: Any, arguments: Mapping[str, Any], context: Any) -> None:
        """What the resolver would have taken note of."""
        key = self._finds.key(arguments)
        is_there = found is not None and not (isinstance(found, Rendered) and found.body == NULL)
        if is_there and key is not None and self._finds.seen:
            self._finds.seen(context, key)


def whole(entry: Entry, store: Store, now: float, wanted: Wanted) -> Rendered | None:
    """An entry with its holes filled out of the store; None, and in `wanted` what is missing, where that cannot be."""
    if not entry.holes:
        return entry.own
    kept = entry.whole
    if kept is not None and entry.stamp == store.notices and kept.until > now:
        return kept
    inside = []
    for hole in entry.holes:
        nested = store.get(hole.at, now)
        each = None if nested is None else whole(nested, store, now, defaultdict(dict))
        if each is None:
            wanted[hole.number][hole.at[1]] = None
        else:
            inside.append(each)
    if len(inside) < len(entry.holes):
        return None
    entry.whole, entry.stamp = put_together(entry, inside), store.notices
    return entry.whole


def filled(entry: Entry, store: Store, now: float, fresh: Mapping[At, Rendered]) -> Rendered:
    """An entry with its holes filled, with what has just been loaded for them. It is not remembered: a notice may have come."""
    inside = []
    for hole in entry.holes:
        each = fresh.get(hole.at)
        if each is None:
            nested = store.get(hole.at, now)
            each = None if nested is None else whole(nested, store, now, defaultdict(dict))
        if each is None:
            raise Deviation(Reason.GONE)
        inside.append(each)
    return put_together(entry, inside)


def put_together(entry: Entry, inside: Sequence[Rendered]) -> Rendered:
    """An entry with these in its holes, in their order."""
    own = entry.own
    if not inside:
        return own
    parts = [entry.texts[0]]
    cost, until, ends = own.cost, own.until, own.ends
    tags = dict.fromkeys(own.tags)
    for hole, each, text in zip(entry.holes, inside, entry.texts[1:], strict=True):
        parts += each.body, text
        cost += hole.times * each.cost
        until, ends = min(until, each.until), min(ends, each.ends)
        tags |= dict.fromkeys(each.tags)
    return Rendered(own.at, b"".join(parts), cost, until, tuple(tags)[:MAX_TAGS], ends)
