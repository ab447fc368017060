"""Plans: an operation of a document, for given conditions, ready to run; and the way back to graphql-core.

Whatever is not as expected ends a plan with Deviation. graphql-core then completes the operation with what the plan had loaded:
nothing is loaded a second time, and no mutation runs twice.
"""

from asyncio import Future, gather
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLResolveInfo,
    GraphQLSchema,
    MiddlewareManager,
    OperationDefinitionNode,
    OperationType,
)
from graphql.execution.values import VariableValues
from graphql.pyutils import Path, gather_with_cancel, is_awaitable
from graphql.type.definition import GraphQLResolveInfoHelpers

from engine.compiled.levels import Level
from engine.compiled.needs import needs_of
from engine.compiled.selection import Field, Selector
from engine.compiled.steps import Entry, Run, arguments
from engine.fragments.lists import KeptList
from engine.fragments.publicity import lists_of, public_age
from engine.fragments.steps import KeptCall
from engine.fragments.store import Shelf
from engine.watching.probe import Probe


class Plan:
    """An operation, compiled. Raises Unsupported when it is none that can be."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        conditions: Mapping[str, Any],
    ) -> None:
        self._schema = schema
        self._operation = operation
        self._is_mutation = operation.operation is OperationType.MUTATION
        self._fragments = {
            each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }
        root = schema.get_root_type(operation.operation)
        assert root is not None, "the document is valid"
        selection = Selector(schema, document, conditions).select(root, [operation.selection_set])
        self._level = Level(selection)
        self._needs = needs_of(selection)
        self.public_age_s = public_age(selection)
        """How old its answer may become in the hands of others; None where it is not for everybody."""
        self.lists = lists_of(selection)

    async def run(
        self,
        context: Any,
        variables: VariableValues,
        journal: list[Entry],
        probe: Probe | None = None,
        shelf: Shelf | None = None,
        root: Any = None,
    ) -> dict[str, Any]:
        """The data of the answer, in rows. Raises Deviation; `journal` then has what was loaded. `root`: the event of a subscription.

        A context with a method `needing` is told what of the values will be looked at, for all of the operation.
        """
        needing = getattr(context, "needing", None)
        if needing is not None:
            needing(self._needs)
        run = Run(context, variables, partial(self._info, context, variables), journal, probe, shelf)
        rows = self._level.rows_in_turn if self._is_mutation else self._level.rows
        [row] = await rows([root], [None], run)
        data: dict[str, Any] = row.as_dict()
        return data

    def noted(self, context: Any, data: dict[str, Any]) -> None:
        """Take note, for this context, of what another's run has shown."""
        for step in self._level.steps:
            if isinstance(step, KeptCall):
                step.noted(data[step.field.key], context)

    def is_settled(self, variables: VariableValues) -> bool:
        """Whether what is asked for settles by itself which entities and lists the answer shows."""
        return all(
            isinstance(step, KeptList)
            or (isinstance(step, KeptCall) and step.key(arguments(variables, step.field)) is not None)
            for step in self._level.steps
        )

    def _info(self, context: Any, variables: VariableValues, field: Field, path: Path) -> GraphQLResolveInfo[Any]:
        assert field.definition is not None
        return GraphQLResolveInfo(
            field.nodes[0].name.value,
            list(field.nodes),
            field.definition.type,
            field.parent,
            path,
            self._schema,
            self._fragments,
            None,
            self._operation,
            variables,
            context,
            is_awaitable,
            None,
            HELPERS,
        )


_background: set[Future[Any]] = set()


def _track(values: Sequence[Any]) -> None:
    """See to the end of what a resolver has begun and let go of; what it raises is nobody's."""
    begun = [value for value in values if is_awaitable(value)]
    if begun:
        ending = gather(*begun, return_exceptions=True)
        _background.add(ending)
        ending.add_done_callback(_background.discard)


def _gather(values: Sequence[Awaitable[Any]]) -> Awaitable[list[Any]]:
    return gather_with_cancel(*values)


HELPERS = GraphQLResolveInfoHelpers(gather=_gather, track=_track)
"""What graphql-core gives to resolvers for work of their own; it keeps none of it from run to run either."""


def replaying(journal: Sequence[Entry]) -> MiddlewareManager:
    """Resolves, for graphql-core, what a plan has resolved already as it was then, errors included.

    What a loader gave is known by the value and the field of the document, and the journal keeps both alive, and in a mutation by its
    root field; what a resolver gave, by where in the answer it stands, for it may have asked that.
    """
    loaded: dict[tuple[int, int, str, str], Any] = {}
    called: dict[tuple[str | int, ...], Any] = {}
    for values, field, column, where in journal:
        if isinstance(where, str):
            of = id(field.nodes[0]), field.parent.name, where
            loaded.update(((id(value), *of), each) for value, each in zip(values, column, strict=True))
        else:
            called.update((tuple(path.as_list()), each) for path, each in zip(where, column, strict=True))

    def resolve(following: Callable[..., Any], value: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        within = str(info.path.as_list()[0]) if info.operation.operation is OperationType.MUTATION else ""
        result = loaded.get((id(value), id(info.field_nodes[0]), info.parent_type.name, within), _NOTHING)
        if result is _NOTHING and called:
            result = called.get(tuple(info.path.as_list()), _NOTHING)
        if result is _NOTHING:
            return following(value, info, **arguments)
        if isinstance(result, BaseException):
            raise result
        return result

    return MiddlewareManager(resolve)


_NOTHING: Any = object()
