"""Runs one operation against the schema, within its limits."""

import asyncio
from collections.abc import AsyncIterable, Callable, Coroutine, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any, TypeVar

from graphql import (
    ExecutionResult,
    ExperimentalIncrementalExecutionResults,
    GraphQLError,
    GraphQLSchema,
    OperationType,
    located_error,
)

from engine.compiled.engine import Engine
from engine.compiled.shadow import Shadow
from engine.declared.directives import GoingOn, direct
from engine.declared.kinds import within_s_of
from engine.entry import Entry
from engine.errors import ExplainTo, formatted
from engine.exchange import Answer, Ready, Request, busy, timed_out
from engine.fairness.allowance import Admission, Allowance, NotAdmitted, shown
from engine.fairness.aside import Aside, Busy
from engine.fairness.resuming import in_time
from engine.fragments.publicity import PRIVATE
from engine.fragments.store import Store
from engine.policy import Policy
from engine.reading.documents import is_mutation, is_subscription, name_of
from engine.watching.metrics import Metrics
from engine.watching.operation_log import observed
from engine.watching.probe import Probe

RUNS = "Operations that ran: by plans, by graphql-core, or begun by a plan and completed by graphql-core (deviated)."
COMPARED = "Queries that plans ran and graphql-core once more, by whether the answers were the same."
WHY = "Operations that graphql-core ran or completed, by the reason (engine/compiled/reasons.py)."
MAX_VARIABLE_ERRORS = 50
"""What graphql-core finds before it gives up."""
NEEDS_STREAM = "A subscription needs a WebSocket (graphql-transport-ws), or an answer as text/event-stream."
CANNOT_STREAM = "NOT_ACCEPTABLE"


T = TypeVar("T")
GoOn = Callable[[Ready], Coroutine[Any, Any, T | Answer]]


class Executor:
    """Documents in, answers out. Never raises for what a client sends, but NotAllowedByGet. Raises WrongManifest when made."""

    def __init__(
        self,
        schema: GraphQLSchema,
        explain: ExplainTo,
        policy: Policy,
        allowance: Allowance | None = None,
        metrics: Metrics | None = None,
        fragments: Store | None = None,
    ) -> None:
        self.schema = schema
        self._explain = explain
        self._policy = policy
        self._allowance = allowance
        self._metrics = metrics or Metrics()
        aside = Aside()
        self._engine = Engine(
            schema,
            compile_at=policy.compile_at,
            hints=policy.hints,
            aside=aside,
            shadow=Shadow(policy.shadow_share),
            store=fragments,
        )
        self._tells_cache = fragments is not None
        self._metrics.counter("torii_shadow", COMPARED, lambda: asdict(self._engine.shadow.compared), "outcome")
        self._metrics.counter("torii_engine_operations", RUNS, lambda: self._engine.counts.runs(), "by")
        self._metrics.counter("torii_engine_fallbacks", WHY, lambda: self._engine.counts.why(), "reason")
        self.entry = Entry(schema, explain, policy, aside)

    def deadline(self) -> float:
        """When an operation that comes now has to be done, by the event loop's clock."""
        return asyncio.get_running_loop().time() + self._policy.timeout_s

    def admission(self, context: Any) -> Admission:
        """For one operation of a context: what it may do, in all of its steps."""
        return Admission(self._allowance, context)

    async def run(
        self,
        request: Request,
        context: Any,
        *,
        deadline: float | None = None,
        read_only: bool = False,
        admission: Admission | None = None,
    ) -> Answer:
        """The one answer of an operation. `read_only` refuses mutations (NotAllowedByGet)."""
        return await self.begin(
            request, context, self.run_once, deadline=deadline, read_only=read_only, admission=admission
        )

    async def begin(
        self,
        request: Request,
        context: Any,
        go_on: GoOn[T],
        *,
        deadline: float | None = None,
        read_only: bool = False,
        admission: Admission | None = None,
        in_parts: bool = False,
    ) -> T | Answer:
        """Parse, validate and price an operation, and go on with it, within the deadline; or the answer that it may not run.

        `read_only` refuses mutations (NotAllowedByGet). `in_parts`: whether @defer and @stream are heeded.
        """
        admission = admission or self.admission(context)
        with observed(context, self._policy.slow_ms, self._metrics) as seen:
            outcome: T | Answer
            within_s = self._policy.timeout_s
            ends_at = deadline or self.deadline()
            try:
                with admission:
                    ready = await in_time(
                        self.entry.ready(request, context, admission, seen, read_only=read_only, in_parts=in_parts),
                        ends_at,
                    )
                    if isinstance(ready, Answer):
                        outcome = ready
                    else:
                        more_s = self._more_s(ready)
                        within_s += more_s
                        outcome = await in_time(go_on(ready), ends_at + more_s)
            except Busy:
                outcome = busy()
            except NotAdmitted as refused:
                outcome = Answer({"errors": [refused.error]}, False, refused.headers, refused.status)
            except TimeoutError:
                outcome = Answer({"errors": [timed_out(within_s)], "data": None}, ran=True)
            if isinstance(outcome, Answer):
                seen.answered(outcome.body)
                outcome.headers["server-timing"] = seen.timing()
            else:
                seen.outcome = "ok"
            return outcome

    async def run_once(self, ready: Ready) -> Answer:
        """The one answer of an operation that may run."""
        if is_subscription(ready.operation):
            refused = GraphQLError(NEEDS_STREAM, extensions={"code": CANNOT_STREAM})
            return replace(self.entry.refused(ready.context, refused), status=406)
        return await self.answer(ready)

    async def answer(self, ready: Ready, root: Any = None) -> Answer:
        """Execute. `root`: the event of a subscription."""
        probe = self._probe(ready.request, ready.context)
        if name_of(ready.operation) in ready.document.describing:
            result = await self._engine.describe(ready.node, ready.operation, ready.request.variables)
        else:
            result = await self._engine.execute(
                ready.node,
                ready.operation,
                ready.document.compiled,
                ready.request.variables,
                ready.context,
                ready.cost,
                probe,
                root,
            )
        return self.answer_of(ready, result, probe)

    async def events(self, ready: Ready) -> AsyncIterable[Any] | Answer:
        """The events of a subscription, not yet executed; or the answer that there will be none."""
        request, context = ready.request, ready.context
        found = await self._engine.subscribe(ready.node, ready.operation, request.variables, context)
        return self.answer_of(ready, found) if isinstance(found, ExecutionResult) else found

    async def parts(self, ready: Ready) -> ExperimentalIncrementalExecutionResults | Answer:
        """The results of an operation of an incremental document; the one answer where nothing is put off."""
        request = ready.request
        result = await self._engine.incrementally(ready.node, ready.operation, request.variables, ready.context)
        return self.answer_of(ready, result) if isinstance(result, ExecutionResult) else result

    def told(self, ready: Ready, errors: Sequence[GraphQLError]) -> list[dict[str, Any]]:
        """Errors as whoever asks is told of them."""
        return formatted(errors, partial(self._explain, ready.context))

    def late(self) -> dict[str, Any]:
        """What is told of what took too long."""
        return timed_out(self._policy.timeout_s)

    def broken_off(self, ready: Ready, error: Exception) -> Answer:
        """What is told where the source of events fails."""
        return self.entry.refused(ready.context, located_error(error))

    async def event(self, ready: Ready, event: Any) -> Answer:
        """The answer to an event, within a deadline of its own."""
        with observed(ready.context, self._policy.slow_ms, self._metrics) as seen:
            seen.is_operation(ready.operation)
            try:
                async with asyncio.timeout_at(self.deadline()):
                    answer = await self.answer(ready, event)
            except TimeoutError:
                answer = Answer({"errors": [timed_out(self._policy.timeout_s)], "data": None}, ran=True)
            seen.answered(answer.body)
            return answer

    def paid(self, ready: Ready, answer: Answer) -> Answer:
        """An answer that says nothing of who asked, with what this client has left after paying for it."""
        if "extensions" not in answer.body:  # it came to nothing
            return answer
        actual = answer.body["extensions"]["cost"]["actual"]
        own = {"cost": shown(ready.cost, actual, ready.admission.settle(ready.cost, actual))}
        return replace(answer, body=answer.body | {"extensions": own}, written=None)

    def asked_by(self, ready: Ready, context: Any) -> Ready:
        """The same operation in another context, which goes on from the one it began in."""
        if isinstance(context, GoingOn) and context is not ready.context:
            context.goes_on(ready.context)
        direct(context, self.schema, ready.operation, ready.request.variables)
        return replace(ready, context=context)

    def answer_of(self, ready: Ready, result: ExecutionResult, probe: Probe | None = None) -> Answer:
        """What an execution came to, with what it cost, as the client is told."""
        ran = not (result.errors and result.data is None and not _has_path(result))
        actual = ready.document.price(ready.operation).actual(result.data) if ran else 0
        bucket = ready.admission.settle(ready.cost, actual)
        if not ran:  # the variables did not fit
            told = self.entry.unfit(result.errors or (), ready.node, ready.operation, ready.request)
            return self.entry.refused(ready.context, *told)
        body: dict[str, Any] = {}
        if result.errors:
            body["errors"] = formatted(result.errors, partial(self._explain, ready.context))
        extensions: dict[str, Any] = {"cost": shown(ready.cost, actual, bucket)} | (
            {"trace": probe.as_json()} if probe else {}
        )
        if self._tells_cache and ready.operation.operation is OperationType.QUERY:
            extensions |= result.extensions or {"cache": PRIVATE}
        body |= {"data": result.data, "extensions": extensions}
        return Answer(body, ran=True)

    def _probe(self, request: Request, context: Any) -> Probe | None:
        if not request.wants_trace or not (self._policy.traces or getattr(context, "may_trace", False)):
            return None
        probe = Probe()
        context.loaders.watch(probe)
        return probe

    def _more_s(self, ready: Ready) -> float:
        """What a mutation may take beyond what any operation may, as its fields declare."""
        root = self.schema.mutation_type
        if root is None or not is_mutation(ready.operation):
            return 0
        names = set(ready.document.root_fields(ready.operation)) & root.fields.keys()
        longest = max((within_s_of(root.fields[name]) for name in names), default=0)
        return max(longest - self._policy.timeout_s, 0)


def _has_path(result: ExecutionResult) -> bool:
    return any(error.path for error in result.errors or ())
