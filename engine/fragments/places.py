"""Where the parts of an answer are kept, by what was asked.

That says nothing of what they show: whoever asks the same again finds them, as they are now, without having variables and arguments
read once more.
"""

import itertools
from collections import OrderedDict, defaultdict
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import ref

from engine.fragments.filling import whole
from engine.fragments.rendered import NULL, At, Rendered
from engine.fragments.store import Shelf

if TYPE_CHECKING:
    from engine.compiled.plan import Plan

MOST = 5_000
LARGEST_BYTES = 512
"""Of the variables: what is longer is read each time."""

Key = tuple[int, Hashable, bytes]
"""The number of an operation of a document, what else shapes the answer, and the variables as JSON."""
numbers = itertools.count()
"""Of operations of documents, so that a key keeps none of them in memory."""


class Known(NamedTuple):
    """A plan, and by response name where the value of each field of the root is kept; or `__typename` itself."""

    plan: "ref[Plan]"
    parts: tuple[tuple[str, At | str], ...]


class Places:
    """Those of the answers asked for last, all of which are the same for everybody."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._known: OrderedDict[Key, Known] = OrderedDict()

    def __contains__(self, key: Key) -> bool:
        return key in self._known

    def find(self, key: Key, shelf: Shelf) -> "tuple[Plan, dict[str, Any]] | None":
        """The plan and the data of the answer, when all of it is there."""
        known = self._known.get(key)
        plan = known.plan() if known else None
        if known is None or plan is None:
            return None
        store, now = shelf.store, shelf.began
        data: dict[str, Any] = {}
        for name, part in known.parts:
            if isinstance(part, str):
                data[name] = part
                continue
            entry = store.get(part, now)
            shown = None if entry is None else whole(entry, store, now, defaultdict(dict))
            if shown is None:
                return None
            data[name] = shown
            shelf.shown.append(shown)
        self._known.move_to_end(key)
        store.counts.hits += len(shelf.shown)
        return plan, data

    def learn(self, key: Key, plan: "Plan", data: Mapping[str, Any]) -> None:
        """Remember where the data of an answer are kept, all of them at places that what was asked for settles."""
        if len(key[2]) > LARGEST_BYTES or any(
            isinstance(each, Rendered) and each.body == NULL for each in data.values()
        ):
            return
        parts = [(name, each.at if isinstance(each, Rendered) else each) for name, each in data.items()]
        if all(isinstance(part, str | tuple) for _, part in parts):
            self._known[key] = Known(ref(plan), tuple(parts))
            self._known.move_to_end(key)
            if len(self._known) > self._most:
                self._known.popitem(last=False)
