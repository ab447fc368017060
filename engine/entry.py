"""The way in of an operation: found or parsed, validated, measured, priced and admitted. Then it may run."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from graphql import GraphQLError, GraphQLSchema, OperationDefinitionNode, get_variable_values

from engine.declared.directives import direct
from engine.declared.kinds import ignores_bearer
from engine.errors import ExplainTo, formatted
from engine.exchange import Answer, NotAllowedByGet, Ready, Request
from engine.fairness.allowance import Admission, NotAdmitted, limited_fields
from engine.fairness.aside import Aside, Busy
from engine.policy import Policy
from engine.reading.documents import Document, Documents, is_mutation, name_of
from engine.reading.limits import Code, check_variables
from engine.reading.persisted import PersistedDocuments, trusted_documents
from engine.reading.secrecy import hidden_variables, reworded
from engine.watching.operation_log import observed
from engine.watching.trace import name_operation

MAX_VARIABLE_ERRORS = 50
"""What graphql-core finds before it gives up."""


class Entry:
    """Requests in, operations that may run out. Raises WrongManifest when made."""

    def __init__(self, schema: GraphQLSchema, explain: ExplainTo, policy: Policy, aside: Aside) -> None:
        self._schema = schema
        self._explain = explain
        self._policy = policy
        documents = Documents(
            schema, policy.limits, introspection=policy.introspection, hints=policy.hints, aside=aside
        )
        self.documents = PersistedDocuments(
            documents,
            trusted_documents(policy.manifest, documents) if policy.manifest else {},
            only_trusted=policy.only_trusted,
            automatic=policy.automatic,
        )

    async def ready(
        self,
        request: Request,
        context: Any,
        admission: Admission,
        seen: observed,
        *,
        read_only: bool,
        in_parts: bool,
    ) -> Ready | Answer:
        """The operation that may run, or the answer that it may not. Raises NotAllowedByGet, NotAdmitted, Busy."""
        try:
            document = await self.documents.find(request.query, request.document_id, admission.read)
            if in_parts and document.incremental:
                document = document.incremental
        except GraphQLError as error:
            return self.refused(context, error)
        if document.node is None or document.errors:
            return self.refused(context, *document.errors)
        try:
            operation = document.operation(request.operation_name)
            name_operation(name_of(operation))
            seen.is_operation(operation)
            if read_only and is_mutation(operation):
                raise NotAllowedByGet
            check_variables(request.variables, self._policy.limits)
            requested = seen.cost = self._price(document, operation, request)
            await admission.run(
                requested,
                limited_fields(document, operation, self._schema.mutation_type) if is_mutation(operation) else {},
            )
        except GraphQLError as error:
            return self.refused(context, error)
        seen.is_ready()
        direct(context, self._schema, operation, request.variables)
        return Ready(request, document, document.node, operation, requested, admission, context)

    async def ignores_bearer(self, request: Request, admission: Admission) -> bool:
        """Whether every field at the operation's root brings credentials of its own, as `engine.declared.fields.mutation` declares.

        Such an operation does the same with no bearer token at all, so a refused one must not keep it from running. With a
        single other field in it, it is not one of these: a bad token is never taken for none.
        """
        try:
            with admission:
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

    def unfit(
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

    def refused(self, context: Any, *errors: GraphQLError) -> Answer:
        return Answer({"errors": formatted(errors, partial(self._explain, context))}, ran=False)

    def _price(self, document: Document, operation: OperationDefinitionNode, request: Request) -> int:
        """What it will cost. Raises GraphQLError when that is too much."""
        requested, most = document.price(operation).requested(request.variables), self._policy.limits.cost
        if requested > most:
            raise GraphQLError(
                f"The operation costs {requested:,}: at most {most:,} is allowed. Ask for fewer or shorter lists.",
                extensions={"code": Code.COST.value, "requested": requested, "limit": most},
            )
        return requested
