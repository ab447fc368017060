"""`@defer` and `@stream`: documents with and without them, and the payloads that their results are told by.

Source: graphql/graphql-spec, RFC "Incremental Delivery" (payloads with `pending`, `incremental` and `completed`); and the form of 2022
(`deferSpec=20220824`), in which each payload says its own path.
"""

from collections.abc import Callable, Sequence
from typing import Any

from graphql import DirectiveNode, DocumentNode, GraphQLError, Visitor, visit
from graphql.execution import (
    CompletedResult,
    IncrementalDeferResult,
    IncrementalStreamResult,
    InitialIncrementalExecutionResult,
    PendingResult,
    SubsequentIncrementalExecutionResult,
)

NAMES = ("defer", "stream")

Told = Callable[[Sequence[GraphQLError]], list[dict[str, Any]]]
"""Errors as a client is told of them."""


class _Remover(Visitor):
    """Takes the directives out."""

    def __init__(self) -> None:
        super().__init__()
        self.found = False

    def enter_directive(self, node: DirectiveNode, *_: Any) -> Any:
        if node.name.value not in NAMES:
            return None
        self.found = True
        return self.REMOVE


def whole(document: DocumentNode, text: str) -> DocumentNode:
    """The document without the two directives: the same object where it has none. `text` is what it was read from."""
    if not any(name in text for name in NAMES):
        return document
    remover = _Remover()
    without: DocumentNode = visit(document, remover)
    return without if remover.found else document


def first_payload(result: InitialIncrementalExecutionResult, told: Told) -> dict[str, Any]:
    payload: dict[str, Any] = {"data": result.data}
    if result.errors:
        payload["errors"] = told(result.errors)
    return payload | {"pending": [_pending(each) for each in result.pending], "hasNext": result.has_next}


def next_payload(result: SubsequentIncrementalExecutionResult, told: Told) -> dict[str, Any]:
    payload: dict[str, Any] = {"hasNext": result.has_next}
    if result.pending:
        payload["pending"] = [_pending(each) for each in result.pending]
    if result.incremental:
        payload["incremental"] = [_incremental(each, told) for each in result.incremental]
    if result.completed:
        payload["completed"] = [_completed(each, told) for each in result.completed]
    return payload


def _pending(pending: PendingResult) -> dict[str, Any]:
    return {"id": pending.id, "path": pending.path} | ({"label": pending.label} if pending.label else {})


def _incremental(part: IncrementalDeferResult | IncrementalStreamResult, told: Told) -> dict[str, Any]:
    payload: dict[str, Any] = {"id": part.id}
    if part.sub_path:
        payload["subPath"] = part.sub_path
    if part.errors:
        payload["errors"] = told(part.errors)
    if isinstance(part, IncrementalStreamResult):
        return payload | {"items": part.items}
    return payload | {"data": part.data}


def _completed(completed: CompletedResult, told: Told) -> dict[str, Any]:
    return {"id": completed.id} | ({"errors": told(completed.errors)} if completed.errors else {})


class FormOf2022:
    """Puts the payloads of one operation into the form of 2022, one after another."""

    def __init__(self) -> None:
        self._pending: dict[str, dict[str, Any]] = {}
        self._positions: dict[str, int] = {}
        """Of streams: how many items a client has."""
        self._data: Any = None

    def of(self, payload: dict[str, Any]) -> dict[str, Any]:
        converted = {key: payload[key] for key in ("data", "errors", "extensions", "hasNext") if key in payload}
        if "data" in payload:
            self._data = payload["data"]
        parts = [self._part(each) for each in payload.get("incremental", ())]
        self._begin(payload.get("pending", ()))
        parts += [self._failed(each) for each in payload.get("completed", ()) if "errors" in each]
        for each in payload.get("completed", ()):
            self._pending.pop(each["id"], None)
        return converted | ({"incremental": parts} if parts else {})

    def _begin(self, pending: Sequence[dict[str, Any]]) -> None:
        for each in pending:
            self._pending[each["id"]] = each
            reached = self._at(each["path"])
            self._positions[each["id"]] = len(reached) if isinstance(reached, list) else 0

    def _part(self, part: dict[str, Any]) -> dict[str, Any]:
        pending = self._pending[part["id"]]
        path = [*pending["path"], *part.get("subPath", ())]
        shared = {key: value for key, value in pending.items() if key == "label"}
        if "errors" in part:
            shared["errors"] = part["errors"]
        if "items" in part:
            position = self._positions[part["id"]]
            self._positions[part["id"]] = position + len(part["items"])
            return {"items": part["items"], "path": [*path, position]} | shared
        reached = self._at(path)
        if isinstance(reached, dict):  # streams within it begin where its lists end
            reached.update(part["data"])
        return {"data": part["data"], "path": path} | shared

    def _failed(self, completed: dict[str, Any]) -> dict[str, Any]:
        pending = self._pending[completed["id"]]
        shared = {"path": pending["path"], "errors": completed["errors"]}
        return {"data": None} | shared | {key: value for key, value in pending.items() if key == "label"}

    def _at(self, path: Sequence[str | int]) -> Any:
        reached = self._data
        for key in path:
            try:
                reached = reached[key]
            except (KeyError, IndexError, TypeError):  # among items that were streamed
                return None
        return reached
