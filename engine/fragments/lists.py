"""Lists at the root that are the same for all of the public: kept for a short time, as bytes around the entities in them."""

import hashlib
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from graphql.pyutils import Undefined

from engine.compiled.reasons import Deviation
from engine.compiled.selection import Field
from engine.compiled.steps import Paths, Run, Step
from engine.fragments.filling import Wanted, entry_of, filled, nested_of, whole
from engine.fragments.rendered import At, Rendered
from engine.fragments.sites import DIGEST_BYTES, PLAIN, Shape, Site
from engine.fragments.store import Shelf

LEAVES = (*PLAIN, Enum, Decimal, UUID, datetime)


class KeptList:
    """A list at the root. Where none is kept, or what is in it has gone meanwhile, `step` makes it."""

    def __init__(self, field: Field, site: Site, step: Step) -> None:
        self.field = field
        self._site = site
        self._step = step

    async def column(self, values: Sequence[Any], paths: Paths, run: Run) -> Sequence[Any]:
        """Raises Deviation."""
        shelf = run.shelf
        if shelf is None:
            return await self._step.column(values, paths, run)
        shape = self._site.shape(shelf.shared_as, run.arguments)
        given = frozen(run.arguments(self.field))
        if shape is None or given is None:
            return await self._step.column(values, paths, run)
        at = shape.digest, hashlib.sha256(repr(given).encode(errors="surrogatepass")).digest()[:DIGEST_BYTES]
        shown = await self._kept(at, shelf, run)
        if shown is None:
            own = shelf.apart()
            column = await self._step.column(values, paths, replace(run, shelf=own))
            if column[0] is None or own.is_loose:
                shelf.shown += own.shown
                return column
            shown = self._keep(at, shape, column[0], own)
        shelf.shown.append(shown)
        return [shown]

    async def _kept(self, at: At, shelf: Shelf, run: Run) -> Rendered | None:
        """Out of the store; what has gone of the entities in it is loaded."""
        store, now = shelf.store, shelf.store.clock()
        entry = store.get(at, now)
        if entry is None:
            store.counts.misses += 1
            return None
        store.counts.hits += 1
        wanted: Wanted = defaultdict(dict)
        shown = whole(entry, store, now, wanted)
        if shown is not None:
            return shown
        try:
            nested = await nested_of(self._site, wanted, replace(run, shelf=shelf.apart()))
            return filled(entry, store, now, nested)
        except Deviation:  # one of them is no longer there: the list is another
            return None

    def _keep(self, at: At, shape: Shape, row: Any, shelf: Shelf) -> Rendered:
        until = shelf.began + self._site.kept.max_age_s
        entry, shown = entry_of(self._site, at, shape, row, until, float("inf"), self._site.lists)
        shelf.store.put(entry, shelf.ticket)
        return shown


def frozen(given: Any) -> Hashable | None:
    """Arguments as what has a `repr` of its own, in which 1, 1.0 and True differ; None where there is none."""
    if isinstance(given, Mapping):
        items = [(name, frozen(value)) for name, value in given.items()]
        return None if any(value is None for _, value in items) else tuple(items)
    if isinstance(given, list | tuple):
        inside = [frozen(each) for each in given]
        return None if None in inside else ("", *inside)
    if given is Undefined:
        return "", "undefined"
    return (given, type(given)) if isinstance(given, LEAVES) else None
