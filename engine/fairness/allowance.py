"""How much a client may do in a time: asked before an operation runs, and told afterwards what it took.

A client pays for reading a document that is not known yet before it is read, and for what an operation asks for before it
runs. Some fields count towards limits of their own (`limit` of engine.declared.fields.mutation), each time they are in an operation, so
that aliases buy nothing.
"""

import math
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol

from graphql import GraphQLObjectType

from engine.declared.kinds import limit_of
from engine.fairness.shares import WHO
from engine.reading.documents import Document

BYTES_A_POINT = 64
"""Of a document that has to be read: parsing and validating them takes as long as a point's worth of fields."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is left of a client's allowance: `available` of `maximum`, refilled by `restore_rate` a second."""

    maximum: int
    available: int
    restore_rate: float


def shown(requested: int, actual: int, bucket: Bucket | None) -> dict[str, Any]:
    """`extensions.cost`."""
    cost: dict[str, Any] = {"requested": requested, "actual": actual}
    if bucket:
        cost["bucket"] = {
            "maximum": bucket.maximum,
            "available": bucket.available,
            "restoreRate": bucket.restore_rate,
        }
    return cost


@dataclass(frozen=True, slots=True)
class Demand:
    """What is about to be done: requests that begin, points of cost, and fields by the name of their limit."""

    requests: int
    cost: int
    limited: Mapping[str, int] = field(default_factory=dict)


class NotAdmitted(Exception):
    """Not now: the status, error and headers to answer with."""

    def __init__(self, status: int, error: dict[str, Any], headers: dict[str, str]) -> None:
        super().__init__(error.get("message"))
        self.status = status
        self.error = error
        self.headers = headers


class Allowance(Protocol):
    """What clients may spend in a time, and have running at once."""

    def client(self, context: Any) -> Hashable:
        """Who pays for what is done in a context."""
        ...

    def begin(self, context: Any) -> Hashable:
        """Count an operation that begins, for the client that this gives. Raises NotAdmitted when too many run."""
        ...

    def end(self, client: Hashable) -> None:
        """It is over."""
        ...

    async def take(self, context: Any, demand: Demand) -> Bucket | None:
        """Take all of a demand or nothing; None where the client has no bucket. Raises NotAdmitted."""
        ...

    def settle(self, context: Any, bucket: Bucket | None, unused: int) -> Bucket | None:
        """Give back points that were taken and not used."""
        ...


class Admission:
    """One operation's dealings with its client's allowance, which has it as running inside of a `with` block."""

    __slots__ = ("_allowance", "_bucket", "_client", "_context", "_payer", "_uncounted")

    def __init__(self, allowance: Allowance | None, context: Any) -> None:
        self._allowance = allowance
        self._context = context
        self._uncounted = 1
        self._bucket: Bucket | None = None
        self._client: Hashable = None

    @property
    def client(self) -> Hashable:
        """Who pays; None where nobody does."""
        return None if self._allowance is None else self._allowance.client(self._context)

    def __enter__(self) -> None:
        """Around all of the operation. Raises NotAdmitted."""
        if self._allowance is not None:
            self._client = self._allowance.begin(self._context)
            self._payer = WHO.set(self._client)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._allowance is not None:
            WHO.reset(self._payer)
            self._allowance.end(self._client)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Around what goes on after the `with` block, in whichever tasks: it counts as one more that runs. Raises NotAdmitted."""
        if self._allowance is None:
            yield
            return
        client = self._allowance.begin(self._context)
        try:
            yield
        finally:
            self._allowance.end(client)

    @contextmanager
    def paying(self) -> Iterator[None]:
        """Around one step of that, in one task: it waits in its client's turn."""
        payer = WHO.set(self._client)
        try:
            yield
        finally:
            WHO.reset(payer)

    async def read(self, size: int) -> None:
        """Before a document of so many bytes is read. Raises NotAdmitted."""
        await self._take(math.ceil(size / BYTES_A_POINT), {})

    async def run(self, cost: int, limited: Mapping[str, int]) -> None:
        """Before an operation runs. Raises NotAdmitted."""
        await self._take(cost, limited)

    async def _take(self, cost: int, limited: Mapping[str, int]) -> None:
        if self._allowance is not None:
            requests, self._uncounted = self._uncounted, 0
            self._bucket = await self._allowance.take(self._context, Demand(requests, cost, limited))

    def settle(self, requested: int, actual: int) -> Bucket | None:
        """What the client has left, with what the operation did not use given back."""
        if self._allowance is None:
            return None
        return self._allowance.settle(self._context, self._bucket, max(0, requested - actual))


def limited_fields(document: Document, operation: Any, root: GraphQLObjectType | None) -> Mapping[str, int]:
    """How often the fields at an operation's root count towards each limit."""
    if root is None:
        return {}
    names = (name for name in document.root_fields(operation) if name in root.fields)
    limits = (limit_of(root.fields[name]) for name in names)
    return Counter(limit for limit in limits if limit is not None)
