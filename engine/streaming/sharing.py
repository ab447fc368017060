"""Answers to events that are the same for all who may see them: written once for those who asked in the same words."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from graphql import DocumentNode, GraphQLSchema

from engine.compiled.reasons import Unsupported
from engine.compiled.selection import Selections, Selector, condition_variables
from engine.declared.access import Guard
from engine.exchange import Answer, Ready
from engine.fragments.rendered import written

MOST = 128
LARGEST_BYTES = 64 * 1024
Key = tuple[int, str | None, bytes, int]


def guards_alone(schema: GraphQLSchema, ready: Ready) -> Sequence[Guard] | None:
    """The rules that an event is shown by, where nothing is shown of it but what is read off it; None for other operations.

    Nothing that is stored elsewhere has a part in such an answer then, and who asks has none but by these rules: whom all of them
    admit is shown the same.
    """
    document, operation, given = ready.node, ready.operation, ready.request.variables or {}
    root = schema.get_root_type(operation.operation)
    conditions = {name: given.get(name) for name in condition_variables(document)}
    assert root is not None
    try:
        selection = Selector(schema, document, conditions).select(root, [operation.selection_set])
    except Unsupported:
        return None
    guards: dict[Guard, None] = {}
    for field in selection.fields:
        below = field.below
        if isinstance(below, Selections) or not all(each.is_inline for each in (below.fields if below else ())):
            return None
        guards |= dict.fromkeys(each for each in (field.guard, *(below.guards if below else ())) if each)
    return tuple(guards)


@dataclass(slots=True)
class Kept:
    """An answer with what its key is about, which stays alive as long as the key is in use."""

    document: DocumentNode
    event: Any
    answer: Answer


class SharedAnswers:
    """The answers written last, by the document, operation and variables that asked, and the very event.

    What is in one is shown to everybody: nothing of who asked first, such as what that client has left, may be.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[Key, Kept] = OrderedDict()

    def get(self, ready: Ready, event: Any) -> Answer | None:
        kept = self._kept.get(_key(ready, event))
        return kept.answer if kept else None

    def keep(self, ready: Ready, event: Any, answer: Answer) -> Answer:
        """The same answer with its JSON, for the others too unless something is wrong with it."""
        if "errors" in answer.body:
            return answer
        kept = replace(answer, written=orjson.dumps(answer.body, default=written))
        if len(kept.written or b"") <= LARGEST_BYTES:
            self._kept[_key(ready, event)] = Kept(ready.node, event, kept)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return kept


def _key(ready: Ready, event: Any) -> Key:
    name = ready.operation.name.value if ready.operation.name else None
    variables = orjson.dumps(ready.request.variables, option=orjson.OPT_SORT_KEYS)
    return id(ready.node), name, variables, id(event)
