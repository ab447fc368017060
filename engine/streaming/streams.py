"""Operations whose answers come one after another: begun once, and gone on with until they or their client end.

A subscription pays for its first event when it begins, and for each other one before it is executed. Who asks is looked at
before every event. The next event is taken from its source once the answer to the one before was sent, so nothing piles up for
a client that does not read: what a source keeps for it is the source's to bound.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Hashable, Iterator
from contextlib import AsyncExitStack, aclosing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from graphql import ExperimentalIncrementalExecutionResults

from engine.errors import UNAVAILABLE
from engine.exchange import Answer, Ready, Request
from engine.execution import Executor
from engine.fairness.allowance import Admission, NotAdmitted, shown
from engine.reading.documents import is_subscription
from engine.streaming.incremental import first_payload, next_payload
from engine.streaming.sharing import SharedAnswers, guards_alone
from engine.transport.contexts import ContextRefused

Following = Callable[[], Awaitable[Any]]
"""The context of the next event, once its asker may still have it. Raises ContextRefused, and what ends the connection."""


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """How many streams a process keeps open."""

    most: int = 5_000
    most_each: int = 500
    """For one client: a user, or all who have not signed in behind one address."""


@dataclass(frozen=True, slots=True)
class Takes:
    """What a client takes one after another: the events of subscriptions, the parts of `@defer` and `@stream`."""

    subscriptions: bool = True
    parts: bool = True


class Stream:
    """Answers, in order. Has to be entered, and what it holds is let go of when it is left."""

    def __init__(self, answers: AsyncGenerator[Answer, None], held: AsyncExitStack, *, is_subscription: bool) -> None:
        self._answers = answers
        self._held = held
        self.is_subscription = is_subscription

    async def __aenter__(self) -> AsyncIterator[Answer]:
        return self._answers

    async def __aexit__(self, *_: object) -> None:
        async with self._held, aclosing(self._answers):
            pass


EVERYTHING = Takes()


class Streams:
    """Begins operations for transports that carry more than one answer."""

    def __init__(self, executor: Executor, limits: StreamLimits | None = None) -> None:
        self._executor = executor
        self._places = Places(limits or StreamLimits())
        self._shared = SharedAnswers()

    async def start(
        self,
        request: Request,
        context: Any,
        following: Following,
        *,
        takes: Takes = EVERYTHING,
        deadline: float | None = None,
        read_only: bool = False,
        admission: Admission | None = None,
    ) -> Answer | Stream:
        """As `Executor.run`; a subscription's answers come as a stream."""

        async def go_on(ready: Ready) -> Answer | Stream:
            if is_subscription(ready.operation) and takes.subscriptions:
                return await self._subscribe(ready, following)
            if ready.document.is_incremental:
                return await self._in_parts(ready, ends_at)
            return await self._executor.run_once(ready)

        ends_at = deadline or self._executor.deadline()
        return await self._executor.begin(
            request,
            context,
            go_on,
            deadline=ends_at,
            read_only=read_only,
            admission=admission,
            in_parts=takes.parts,
        )

    async def _in_parts(self, ready: Ready, deadline: float) -> Answer | Stream:
        async with AsyncExitStack() as held:
            held.enter_context(self._places.taken(ready.admission.client))
            held.enter_context(ready.admission.running())  # before anything is done
            results = await self._executor.parts(ready)
            if isinstance(results, Answer):
                return results
            held.push_async_callback(results.subsequent_results.aclose)
            return Stream(self._parts(ready, results, deadline), held.pop_all(), is_subscription=False)

    async def _parts(
        self, ready: Ready, results: ExperimentalIncrementalExecutionResults, deadline: float
    ) -> AsyncGenerator[Answer, None]:
        told = partial(self._executor.told, ready)
        first = first_payload(results.initial_result, told)
        bucket = ready.admission.settle(ready.cost, ready.cost)
        yield Answer(first | {"extensions": {"cost": shown(ready.cost, ready.cost, bucket)}}, ran=True)
        pending = {each["id"] for each in first["pending"]}
        while True:
            try:
                with ready.admission.paying():
                    async with asyncio.timeout_at(deadline):
                        result = await anext(results.subsequent_results, None)
            except TimeoutError:
                late = [{"id": id, "errors": [self._executor.late()]} for id in sorted(pending)]
                yield Answer({"hasNext": False, "completed": late}, ran=True)
                return
            if result is None:
                return
            payload = next_payload(result, told)
            pending |= {each["id"] for each in payload.get("pending", ())}
            pending -= {each["id"] for each in payload.get("completed", ())}
            yield Answer(payload, ran=True)

    async def _subscribe(self, ready: Ready, following: Following) -> Answer | Stream:
        async with AsyncExitStack() as held:
            held.enter_context(self._places.taken(ready.admission.client))
            events = await self._executor.events(ready)
            if isinstance(events, Answer):
                return events
            close = getattr(events, "aclose", None)
            if close:
                held.push_async_callback(close)
            return Stream(self._answers(ready, events, following), held.pop_all(), is_subscription=True)

    async def _answers(
        self, ready: Ready, events: AsyncIterable[Any], following: Following
    ) -> AsyncGenerator[Answer, None]:
        guards = None if ready.request.wants_trace else guards_alone(self._executor.schema, ready)
        is_paid = True
        source = aiter(events)
        while True:
            try:
                event = await anext(source)
            except StopAsyncIteration:
                return
            except Exception as error:  # noqa: BLE001  (whatever it is, the client is told as of a field that fails)
                yield self._executor.broken_off(ready, error)
                return
            try:
                asked = self._executor.asked_by(ready, await following())
                with ready.admission.paying():
                    viewer = getattr(asked.context, "viewer", None)
                    if guards is not None and all(guard.admits(event, viewer) for guard in guards):
                        answer = await self._alike(asked, event, is_paid=is_paid)
                    else:
                        if not is_paid:
                            await ready.admission.run(ready.cost, {})
                        answer = await self._executor.event(asked, event)
            except (ContextRefused, NotAdmitted) as refused:
                yield Answer({"errors": [refused.error]}, ran=False)
                return
            is_paid = False
            yield answer

    async def _alike(self, asked: Ready, event: Any, *, is_paid: bool) -> Answer:
        """What is written once for all: it costs nobody anything but the first event, and only that tells what a client has left."""
        answer = self._shared.get(asked, event)
        if answer is None:
            nobodys = replace(asked, admission=Admission(None, asked.context))
            answer = self._shared.keep(asked, event, await self._executor.event(nobodys, event))
        return self._executor.paid(asked, answer) if is_paid else answer


class Places:
    """The streams that are open. Those that wait for an event cost memory alone, which is bounded by their number."""

    def __init__(self, limits: StreamLimits) -> None:
        self._limits = limits
        self._open = 0
        self._of: Counter[Hashable] = Counter()

    @contextmanager
    def taken(self, client: Hashable) -> Iterator[None]:
        """A place, for as long as the block lasts. Raises NotAdmitted where there is none; a client of None has no bound."""
        if self._open >= self._limits.most:
            raise _no_place(
                503, UNAVAILABLE, "This process has all the subscriptions open that it may have: try again."
            )
        if client is not None and self._of[client] >= self._limits.most_each:
            raise _no_place(
                429, "RATE_LIMITED", f"You have {self._limits.most_each} subscriptions open, and no more may be."
            )
        self._open += 1
        self._of[client] += 1
        try:
            yield
        finally:
            self._open -= 1
            self._of[client] -= 1
            if self._of[client] == 0:
                del self._of[client]


def _no_place(status: int, code: str, message: str) -> NotAdmitted:
    error = {"message": message, "extensions": {"code": code, "retryable": True}}
    return NotAdmitted(status, error, {"retry-after": "1"})
