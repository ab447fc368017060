"""Plans: an operation of a document, for given conditions, ready to run; and the way back to graphql-core.

Whatever is not as expected ends a plan with Deviation. graphql-core then completes the operation with what the plan had loaded:
nothing is loaded a second time, and no mutation runs twice.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    MiddlewareManager,
    OperationDefinitionNode,
    OperationType,
)
from graphql.execution.values import VariableValues, get_argument_values
from graphql.pyutils import Path, is_awaitable

from engine.compiled.levels import Entry, Level, Run, Way
from engine.compiled.render import Deviation
from engine.compiled.selection import Field, Selector, Unsupported
from engine.probe import Probe


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
        if root is None or operation.operation is OperationType.SUBSCRIPTION:
            raise Unsupported("a subscription")
        selection = Selector(schema, document, conditions).select(root, [operation.selection_set])
        self._level = Level(selection, ())

    async def run(
        self, context: Any, variables: VariableValues, journal: list[Entry], probe: Probe | None = None
    ) -> dict[str, Any]:
        """The data of the answer. Raises Deviation; `journal` then has what was loaded."""
        run = Run(context, _Arguments(variables), self._info_of(context, variables), journal, probe)
        rows = self._level.rows_in_turn if self._is_mutation else self._level.rows
        data: dict[str, Any]
        [data] = await rows([None], run)
        return data

    def _info_of(self, context: Any, variables: VariableValues) -> Callable[[Field, Way], GraphQLResolveInfo[Any]]:
        def info(field: Field, way: Way) -> GraphQLResolveInfo[Any]:
            path: Path | None = None
            for key, type_name in way:
                path = Path(path, key, type_name)
            assert path is not None
            return GraphQLResolveInfo(
                field.name,
                list(field.nodes),
                field.type,
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
                _NO_HELPERS,
            )

        return info


_NO_HELPERS: Any = None


class _Arguments:
    """Coerced arguments, once a field and run."""

    def __init__(self, variables: VariableValues) -> None:
        self._variables = variables
        self._known: dict[int, dict[str, Any]] = {}

    def __call__(self, field: Field) -> dict[str, Any]:
        known = self._known.get(id(field))
        if known is None:
            assert field.definition is not None
            try:
                known = get_argument_values(field.definition, field.nodes[0], self._variables)
            except GraphQLError as error:
                raise Deviation("arguments that do not fit") from error
            self._known[id(field)] = known
        return known


def replaying(journal: Sequence[Entry]) -> MiddlewareManager:
    """Resolves, for graphql-core, what a plan has resolved already as it was then, errors included.

    A field of a document on one value has one answer, so the two are what it is known by. The journal keeps both alive.
    """
    known: dict[tuple[int, int], Any] = {
        (id(value), id(field.nodes[0])): result
        for values, field, column in journal
        for value, result in zip(values, column, strict=True)
    }

    def resolve(following: Callable[..., Any], value: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        key = id(value), id(info.field_nodes[0])
        if key not in known:
            return following(value, info, **arguments)
        result = known[key]
        if isinstance(result, BaseException):
            raise result
        return result

    return MiddlewareManager(resolve)
