"""Runs one operation against the schema, within its limits."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from graphql import ExecutionResult, GraphQLError, GraphQLSchema, OperationDefinitionNode, get_variable_values

from engine.allowance import Admission, Allowance, NotAdmitted, limited_fields, shown
from engine.aside import Aside, Busy
from engine.bounds import Limits
from engine.compiled.engine import COMPILE_AT, Engine
from engine.compiled.shadow import Shadow
from engine.directives import direct
from engine.documents import Document, Documents, is_mutation, is_subscription, name_of
from engine.errors import BAD_REQUEST, TIMEOUT, UNAVAILABLE, ExplainTo, formatted
from engine.kinds import ignores_bearer
from engine.limits import Code, check_variables
from engine.metrics import Metrics
from engine.operation_log import observed
from engine.persisted import PersistedDocuments, trusted_documents
from engine.probe import Probe
from engine.secrecy import hidden_variables, reworded
from engine.trace import name_operation

RUNS = "Operations that ran: by plans, by graphql-core, or begun by a plan and completed by graphql-core (deviated)."
COMPARED = "Queries that plans ran and graphql-core once more, by whether the answers were the same."
WHY = "Operations that graphql-core ran or completed, by the reason (engine/compiled/reasons.py)."
MAX_VARIABLE_ERRORS = 50
"""What graphql-core finds before it gives up."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks for, whichever transport brought it."""

    query: str
    """Empty where the document is named by `document_id` alone."""
    variables: dict[str, Any] | None = None
    operation_name: str | None = None
    document_id: str | None = None
    """Of a trusted document, or the SHA-256 of an automatic persisted query."""
    wants_trace: bool = False
    """Whether the answer is to tell how it came about; it does where the viewer may know."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; `ran` tells whether execution began, on which the HTTP status depends. `status` where it is settled."""

    body: dict[str, Any]
    ran: bool
    headers: dict[str, str] = field(default_factory=dict)
    status: int | None = None


class NotAllowedByGet(Exception):
    """A mutation came by GET, which must change nothing."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What an executor allows. `hints`: whether errors name what may have been meant.

    `slow_ms`: from when on an operation gets a line in the log.
    """

    timeout_s: float
    limits: Limits = field(default_factory=Limits)
    introspection: bool = True
    hints: bool = True
    compile_at: int | None = COMPILE_AT
    """The time at which an operation is compiled; None leaves all of them to graphql-core."""
    manifest: Path | None = None
    """Of trusted documents."""
    only_trusted: bool = False
    automatic: bool = True
    """Whether clients may register documents by their hash."""
    slow_ms: int = 1_000
    shadow_share: float = 0
    """Of the queries that plans ran: how many are run once more, on graphql-core, and compared."""
    traces: bool = False
    """Whether anybody may see how an operation ran; otherwise it takes a context whose `may_trace` is true."""


class Executor:
    """Documents in, answers out. Never raises for what a client sends, but NotAllowedByGet. Raises WrongManifest when made."""

    def __init__(
        self,
        schema: GraphQLSchema,
        explain: ExplainTo,
        policy: Policy,
        allowance: Allowance | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._schema = schema
        self._explain = explain
        self._policy = policy
        self._allowance = allowance
        self._metrics = metrics or Metrics()
        aside = Aside()
        self._engine = Engine(
            schema, compile_at=policy.compile_at, hints=policy.hints, aside=aside, shadow=Shadow(policy.shadow_share)
        )
        self._metrics.counter("torii_shadow", COMPARED, lambda: asdict(self._engine.shadow.compared), "outcome")
        self._metrics.counter("torii_engine_operations", RUNS, lambda: self._engine.counts.runs(), "by")
        self._metrics.counter("torii_engine_fallbacks", WHY, lambda: self._engine.counts.why(), "reason")
        documents = Documents(
            schema, policy.limits, introspection=policy.introspection, hints=policy.hints, aside=aside
        )
        self.documents = PersistedDocuments(
            documents,
            trusted_documents(policy.manifest, documents) if policy.manifest else {},
            only_trusted=policy.only_trusted,
            automatic=policy.automatic,
        )

    def deadline(self) -> float:
        """When an operation that comes now has to be done, by the event loop's clock."""
        return asyncio.get_running_loop().time() + self._policy.timeout_s

    async def ignores_bearer(self, request: Request, admission: Admission) -> bool:
        """Whether every field at the operation's root brings credentials of its own, as `engine.fields.mutation` declares.

        Such an operation does the same with no bearer token at all, so a refused one must not keep it from running. With a
        single other field in it, it is not one of these: a bad token is never taken for none.
        """
        try:
            document = await self.documents.find(request.query, request.document_id, admission.read)
        except (Busy, GraphQLError, NotAdmitted):
            return False
        root = self._schema.mutation_type
        if document.node is None or document.errors or root is None:
            return False
        try:
            operation = document.operation(request.operation_name)
        except GraphQLError:
            return False
        fields = [root.fields.get(name) for name in document.root_fields(operation) if name != "__typename"]
        return (
            is_mutation(operation)
            and bool(fields)
            and all(field is not None and ignores_bearer(field) for field in fields)
        )

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
        """Parse, validate, price and execute within the deadline. `read_only` refuses mutations (NotAllowedByGet)."""
        admission = admission or self.admission(context)
        with observed(context, self._policy.slow_ms, self._metrics) as operation:
            try:
                async with asyncio.timeout_at(deadline or self.deadline()):
                    with admission:
                        answer = await self._run(request, context, admission, operation, read_only=read_only)
            except Busy:
                answer = _busy()
            except NotAdmitted as refused:
                answer = Answer({"errors": [refused.error]}, False, refused.headers, refused.status)
            except TimeoutError:
                answer = Answer({"errors": [_timed_out(self._policy.timeout_s)], "data": None}, ran=True)
            operation.answered(answer.body)
            answer.headers["server-timing"] = operation.timing()
            return answer

    async def _run(
        self, request: Request, context: Any, admission: Admission, seen: observed, *, read_only: bool
    ) -> Answer:
        try:
            document = await self.documents.find(request.query, request.document_id, admission.read)
        except GraphQLError as error:
            return self._refused(context, error)
        if document.node is None or document.errors:
            return self._refused(context, *document.errors)
        try:
            operation = document.operation(request.operation_name)
            name_operation(name_of(operation))
            seen.is_operation(operation)
            if read_only and is_mutation(operation):
                raise NotAllowedByGet
            if is_subscription(operation):
                raise GraphQLError("Subscriptions need a WebSocket (graphql-transport-ws).")
            check_variables(request.variables, self._policy.limits)
            requested = seen.cost = self._price(document, operation, request)
            await admission.run(requested, self._limited(document, operation))
        except GraphQLError as error:
            return self._refused(context, error)
        probe = self._probe(request, context)
        seen.is_ready()
        direct(context, self._schema, operation, request.variables)
        if name_of(operation) in document.describing:
            result = await self._engine.describe(document.node, operation, request.variables)
        else:
            result = await self._engine.execute(
                document.node, operation, document.compiled, request.variables, context, requested, probe
            )
        ran = not (result.errors and result.data is None and not _has_path(result))
        actual = document.price(operation).actual(result.data) if ran else 0
        bucket = admission.settle(requested, actual)
        if not ran:  # the variables did not fit
            return self._refused(context, *self._told(result.errors or (), document.node, operation, request))
        body: dict[str, Any] = {}
        if result.errors:
            body["errors"] = formatted(result.errors, partial(self._explain, context))
        extensions = {"cost": shown(requested, actual, bucket)} | ({"trace": probe.as_json()} if probe else {})
        body |= {"data": result.data, "extensions": extensions}
        return Answer(body, ran=True)

    def _probe(self, request: Request, context: Any) -> Probe | None:
        if not request.wants_trace or not (self._policy.traces or getattr(context, "may_trace", False)):
            return None
        probe = Probe()
        context.loaders.watch(probe)
        return probe

    def _price(self, document: Document, operation: OperationDefinitionNode, request: Request) -> int:
        """What it will cost. Raises GraphQLError when that is too much."""
        requested, most = document.price(operation).requested(request.variables), self._policy.limits.cost
        if requested > most:
            raise GraphQLError(
                f"The operation costs {requested:,}: at most {most:,} is allowed. Ask for fewer or shorter lists.",
                extensions={"code": Code.COST.value, "requested": requested, "limit": most},
            )
        return requested

    def _limited(self, document: Document, operation: OperationDefinitionNode) -> Mapping[str, int]:
        return limited_fields(document, operation, self._schema.mutation_type) if is_mutation(operation) else {}

    def _told(
        self, errors: Sequence[GraphQLError], document: Any, operation: OperationDefinitionNode, request: Request
    ) -> Sequence[GraphQLError]:
        """What is wrong with the variables, without the values of sensitive ones."""
        hidden = hidden_variables(self._schema, document, operation, request.variables or {})
        others = get_variable_values(
            self._schema,
            operation.variable_definitions or (),
            hidden,
            max_errors=MAX_VARIABLE_ERRORS,
            hide_suggestions=not self._policy.hints,
        )
        return reworded(errors, others if isinstance(others, list) else ())

    def _refused(self, context: Any, *errors: GraphQLError) -> Answer:
        return Answer({"errors": formatted(errors, partial(self._explain, context))}, ran=False)


def _has_path(result: ExecutionResult) -> bool:
    return any(error.path for error in result.errors or ())


def _timed_out(timeout_s: float) -> dict[str, Any]:
    return {"message": f"The operation took longer than {timeout_s:g} s.", "extensions": {"code": TIMEOUT}}


def _busy() -> Answer:
    error = {
        "message": "Too many large documents or descriptions of the schema at once: try again.",
        "extensions": {"code": UNAVAILABLE, "retryable": True},
    }
    return Answer({"errors": [error]}, ran=False, status=503)


def invalid(message: str, code: str = BAD_REQUEST) -> Answer:
    """An answer to a request that is not GraphQL over HTTP."""
    return Answer({"errors": [{"message": message, "extensions": {"code": code}}]}, ran=False)
