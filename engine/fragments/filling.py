"""How entries are made of rows, and whole again out of their own bytes and those of what is nested in them."""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import orjson

from engine.compiled.reasons import Deviation, Reason
from engine.compiled.steps import Run
from engine.compiled.together import together
from engine.fragments.rendered import MAX_TAGS, At, Rendered, cut
from engine.fragments.sites import Shape, Site
from engine.fragments.store import Entry, Hole, Store

Wanted = dict[int, dict[Hashable, None]]
"""Keys of what is missing, by the number of the nested site that shows it."""


def entry_of(
    site: Site, at: At, shape: Shape, row: Any, until: float, ends: float, tags: tuple[str, ...], version: int = 0
) -> tuple[Entry, Rendered]:
    """What is kept of a row, which `tags` drop, and what is shown of it. Raises Deviation."""
    try:
        texts, inside = cut(row)
        holes = tuple(Hole(*shape.nested[each.at[0]], each.at) for each in inside)
    except orjson.JSONEncodeError as error:
        raise Deviation(Reason.LEAF) from error
    except KeyError as error:  # what is nested was not a fragment itself, and has others in it
        raise Deviation(Reason.GONE) from error
    cost = site.priced.below_column([row])
    cost -= sum(hole.times * each.cost for hole, each in zip(holes, inside, strict=True))
    told = tags if site.kept.is_tag else ()
    own = Rendered(at, b"" if inside else texts[0], cost, until, told, ends)
    entry = Entry(own, texts, holes, tags, version)
    return entry, put_together(entry, inside)


async def nested_of(site: Site, wanted: Wanted, run: Run) -> dict[At, Rendered]:
    """What stands in the holes of entries that are here, where that itself is not."""
    within = [site.nested[number].fragments for number in wanted]
    asked = [each.shown(list(keys), run) for each, keys in zip(within, wanted.values(), strict=True) if each]
    return {each.at: each for found in await together(asked) for each in found.values()}


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
    put = put_together(entry, inside)
    store.fill(entry, put)
    return put


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
    for hole, each, text in zip(entry.holes, inside, entry.texts[1:], strict=True):
        parts += each.body, text
        cost += hole.times * each.cost
        until, ends = min(until, each.until), min(ends, each.ends)
    return Rendered(own.at, b"".join(parts), cost, until, tags_of(own, inside), ends)


def tags_of(own: Rendered, inside: Sequence[Rendered]) -> tuple[str, ...]:
    """Of all of it, the outermost first."""
    tags = dict.fromkeys(own.tags)
    for each in inside:
        tags |= dict.fromkeys(each.tags[:1])
    for each in inside:
        if len(tags) >= MAX_TAGS:
            break
        tags |= dict.fromkeys(each.tags)
    return tuple(tags)[:MAX_TAGS]
