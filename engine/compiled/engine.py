"""Runs operations by plans where it can, and by graphql-core where it cannot."""

import logging
from collections.abc import AsyncIterable
from functools import partial
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    ExperimentalIncrementalExecutionResults,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
)
from graphql.execution.values import VariableValues

from engine.compiled.core import Core
from engine.compiled.counts import Compiled, Counts
from engine.compiled.plan import Plan
from engine.compiled.reasons import Deviation, Reason, Unsupported
from engine.compiled.selection import condition_variables
from engine.compiled.shadow import Shadow
from engine.compiled.steps import Entry
from engine.compiled.variables import Variables
from engine.fairness.aside import Aside
from engine.fragments.flights import Flights, given_by
from engine.fragments.places import Places
from engine.fragments.publicity import told
from engine.fragments.store import Shelf, Store
from engine.watching.probe import BY_CORE, BY_PLAN, Probe

log = logging.getLogger("torii.engine")

COMPILE_AT = 2
"""A document is compiled when it comes for this time: one that comes once is not worth it, and may mean harm."""
COMPILE_ABOVE = 200
"""Cost of an operation that is compiled the first time: graphql-core takes four times as long, and the event loop waits for it."""


class Engine:
    """Executes operations of valid documents. `compile_at` None leaves all of them to graphql-core."""

    def __init__(
        self,
        schema: GraphQLSchema,
        *,
        compile_at: int | None = COMPILE_AT,
        hints: bool = True,
        aside: Aside | None = None,
        shadow: Shadow | None = None,
        store: Store | None = None,
    ) -> None:
        self._schema = schema
        self._core = Core(schema, hints=hints, aside=aside or Aside())
        self._compile_at = compile_at
        self.shadow = shadow or Shadow(0)
        self._store = store
        self.flights: Flights[tuple[dict[str, Any], Shelf]] = Flights()
        self._places = Places()
        self.counts = Counts()

    async def execute(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        known: dict[str, Compiled],
        variables: dict[str, Any] | None,
        context: Any,
        cost: int = 0,
        probe: Probe | None = None,
        root: Any = None,
    ) -> ExecutionResult:
        """The result that graphql-core would have given. `known` goes with the document and is kept from run to run.

        `cost` is what was found to be asked for, before it runs; `root` the event, of a subscription. A `probe` is told how it
        ran.
        """
        compiled = self._compiled(known, document, operation)
        is_query = operation.operation is OperationType.QUERY
        # What is traced is meant to show its loads.
        shelf = self._shelf(context) if is_query and probe is None else None
        given = given_by(variables) if shelf else None
        kept = (
            self._places.find((compiled.number, shelf.shared_as, given), shelf) if shelf and given is not None else None
        )
        shadowed = kept is not None and self.shadow.takes_next()
        if shelf and kept and not shadowed:
            return self._at_once(compiled, context, shelf, *kept)
        coerced = compiled.variables.of(variables or {})
        asked = (document, operation, variables, context, root)
        if not isinstance(coerced, VariableValues):
            self._left(Reason.VARIABLES, probe, self.counts, compiled.counts)
            return await self._core.complete(*asked, [])
        plan = self._plan(compiled, document, operation, coerced, cost)
        if isinstance(plan, Reason):
            self._left(plan, probe, self.counts, compiled.counts)
            return await self._core.complete(*asked, [])
        journal: list[Entry] = []
        shadowed = shadowed or (kept is None and is_query and self.shadow.takes_next())
        if shadowed:  # what is compared is the two engines, and fragments are a little older
            shelf = None
        try:
            if shelf is None:
                data = await plan.run(context, coerced, journal, probe, shelf, root)
            else:
                data, shelf = await self._shared(plan, context, coerced, given, journal, shelf)
        except Deviation as deviation:
            self._deviated(compiled, deviation, probe)
            return await self._core.complete(*asked, journal)
        self._ran(compiled, probe)
        if shadowed:
            name = operation.name.value if operation.name else None
            self.shadow.compare(document, name, data, partial(self._core.complete, *asked, journal))
        if plan.public_age_s is None or shelf is None:
            return ExecutionResult(data, None)
        place = (compiled.number, shelf.shared_as, given or b"")
        if given is not None and place not in self._places and plan.is_settled(coerced):
            self._places.learn(place, plan, data)
        return ExecutionResult(data, None, {"cache": told(plan.public_age_s, plan.lists, shelf)})

    def _at_once(
        self, compiled: Compiled, context: Any, shelf: Shelf, plan: Plan, data: dict[str, Any]
    ) -> ExecutionResult:
        """The answer, where all of it is kept where it was when somebody asked for the same before."""
        assert plan.public_age_s is not None
        compiled.seen += 1
        self._ran(compiled, None)
        plan.noted(context, data)
        return ExecutionResult(data, None, {"cache": told(plan.public_age_s, plan.lists, shelf)})

    async def _shared(
        self,
        plan: Plan,
        context: Any,
        coerced: VariableValues,
        given: bytes | None,
        journal: list[Entry],
        shelf: Shelf,
    ) -> tuple[dict[str, Any], Shelf]:
        """The data of a query, out of another's run where one like it is under way and the answer is for everybody."""

        async def run() -> tuple[dict[str, Any], Shelf]:
            return await plan.run(context, coerced, journal, None, shelf), shelf

        store = shelf.store
        if given is None or plan.public_age_s is None or not store.is_live(store.clock()):
            return await run()
        # who comes after a notice waits for no run begun before
        (data, shown), by_another = await self.flights.share((plan, shelf.shared_as, given, store.notices), run)
        if by_another:
            plan.noted(context, data)
        return data, shown

    def _ran(self, compiled: Compiled, probe: Probe | None) -> None:
        compiled.failures = 0
        compiled.counts.compiled += 1
        self.counts.compiled += 1
        if probe:
            probe.ran_by = BY_PLAN

    def _deviated(self, compiled: Compiled, deviation: Deviation, probe: Probe | None) -> None:
        log.debug("deviated: %s", deviation)
        compiled.failures += 1
        for counts in (self.counts, compiled.counts):
            counts.deviated += 1
            counts.reasons[deviation.reason] += 1
        if probe:
            probe.ran_by = f"{BY_PLAN}, then {BY_CORE}: {deviation}"

    def _left(self, reason: Reason, probe: Probe | None, *counted: Counts) -> None:
        for counts in counted:
            counts.interpreted += 1
            counts.reasons[reason] += 1
        if probe:
            probe.ran_by = f"{BY_CORE}: {reason}"

    def _shelf(self, context: Any) -> Shelf | None:
        """The fragments that a query may use: none where its viewer sees more than the public.

        A context says in its attribute `shared_as` what shapes its answers besides; None where they are its own.
        """
        shared_as = getattr(context, "shared_as", None)
        return None if self._store is None or shared_as is None else Shelf(self._store, shared_as)

    def _compiled(
        self, known: dict[str, Compiled], document: DocumentNode, operation: OperationDefinitionNode
    ) -> Compiled:
        name = operation.name.value if operation.name else ""
        compiled = known.get(name)
        if compiled is None:
            compiled = known[name] = Compiled(condition_variables(document), Variables(self._schema, operation))
        return compiled

    def _plan(
        self,
        compiled: Compiled,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: VariableValues,
        cost: int,
    ) -> Plan | Reason:
        """The plan, or why there is none."""
        compiled.seen += 1
        if self._compile_at is None:
            return Reason.STOCK
        if compiled.is_pinned and not compiled.tries_again:
            return Reason.PINNED
        if compiled.seen < self._compile_at and cost <= COMPILE_ABOVE:
            return Reason.NOT_YET
        variant = tuple(map(variables.coerced.get, compiled.conditions))
        known = compiled.plans.get(variant)
        if known is not None:
            compiled.plans.move_to_end(variant)
            return known
        conditions = dict(zip(compiled.conditions, variant, strict=True))
        try:
            return compiled.keep(variant, Plan(self._schema, document, operation, conditions))
        except Unsupported as unsupported:
            log.debug("not compiled: %s", unsupported)
            return compiled.keep(variant, unsupported.reason)

    async def describe(
        self, document: DocumentNode, operation: OperationDefinitionNode, variables: dict[str, Any] | None
    ) -> ExecutionResult:
        """As `Core.describe`."""
        self._left(Reason.DESCRIPTION, None, self.counts)
        return await self._core.describe(document, operation, variables)

    async def incrementally(
        self, document: DocumentNode, operation: OperationDefinitionNode, variables: dict[str, Any] | None, context: Any
    ) -> ExecutionResult | ExperimentalIncrementalExecutionResults:
        """As `Core.incrementally`."""
        self._left(Reason.DIRECTIVE, None, self.counts)
        return await self._core.incrementally(document, operation, variables, context)

    async def subscribe(
        self, document: DocumentNode, operation: OperationDefinitionNode, variables: dict[str, Any] | None, context: Any
    ) -> AsyncIterable[Any] | ExecutionResult:
        """As `Core.subscribe`; `execute` takes each event as its root."""
        return await self._core.subscribe(document, operation, variables, context)
