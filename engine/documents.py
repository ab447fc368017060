"""Documents, parsed and validated once: a client sends the same few over and over."""

import hashlib
from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    Node,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    parse,
    specified_rules,
    validate,
)

MAX_TOKENS = 5_000
MAX_DOCUMENT_BYTES = 64 * 1024
MAX_CACHED_BYTES = 1024 * 1024
"""Text of the documents kept; parsed, a document takes some hundred times as much."""
MAX_VALIDATION_ERRORS = 5
MAX_FIELDS = 1_000
MAX_SAME_NAME = 100
"""Fields that share a response name, in all of the document together."""


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed document, or the errors that keep it from running."""

    node: DocumentNode | None
    errors: Sequence[GraphQLError] = ()

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """The operation to run. Raises GraphQLError when the name does not settle which."""
        assert self.node is not None
        operations = [each for each in self.node.definitions if isinstance(each, OperationDefinitionNode)]
        if name is None:
            if len(operations) != 1:
                raise GraphQLError("Must provide operation name if query contains multiple operations.")
            return operations[0]
        for operation in operations:
            if operation.name and operation.name.value == name:
                return operation
        raise GraphQLError(f"Unknown operation named {name!r}.")

    def root_fields(self, operation: OperationDefinitionNode) -> Iterator[str]:
        """Names of the fields an operation has at its root, those in fragments too. The document has to be valid."""
        assert self.node is not None
        fragments = {
            each.name.value: each for each in self.node.definitions if isinstance(each, FragmentDefinitionNode)
        }
        selections: list[SelectionNode] = list(operation.selection_set.selections)
        while selections:
            selected = selections.pop()
            if isinstance(selected, FieldNode):
                yield selected.name.value
            elif isinstance(selected, FragmentSpreadNode):
                selections.extend(fragments[selected.name.value].selection_set.selections)
            elif isinstance(selected, InlineFragmentNode):
                selections.extend(selected.selection_set.selections)


class Documents:
    """The most recently used valid documents by the hash of their text."""

    def __init__(self, schema: GraphQLSchema, *, introspection: bool, max_bytes: int = MAX_CACHED_BYTES) -> None:
        self._schema = schema
        self._rules = specified_rules if introspection else (*specified_rules, NoSchemaIntrospectionCustomRule)
        self._room = max_bytes
        self._documents: OrderedDict[bytes, tuple[Document, int]] = OrderedDict()

    def get(self, text: str) -> Document:
        encoded = text.encode("utf-8", "surrogatepass")
        if len(encoded) > MAX_DOCUMENT_BYTES:
            return Document(None, [GraphQLError(f"The document is larger than {MAX_DOCUMENT_BYTES} bytes.")])
        key = hashlib.sha256(encoded).digest()
        known = self._documents.get(key)
        if known is not None:
            self._documents.move_to_end(key)
            return known[0]
        document = self._read(text)
        if not document.errors:  # nobody sends a wrong one again and again, but who means harm
            self._keep(key, document, len(encoded))
        return document

    def _keep(self, key: bytes, document: Document, size: int) -> None:
        self._documents[key] = document, size
        self._room -= size
        while self._room < 0:
            _, (_, freed) = self._documents.popitem(last=False)
            self._room += freed

    def _read(self, text: str) -> Document:
        try:
            node = parse(text, max_tokens=MAX_TOKENS)
        except GraphQLError as error:
            return Document(None, [error])
        crowd = _crowd(node)
        if crowd is not None:
            return Document(None, [crowd])
        return Document(node, validate(self._schema, node, self._rules, max_errors=MAX_VALIDATION_ERRORS))


def _crowd(document: DocumentNode) -> GraphQLError | None:
    """Why a document has too many fields to be validated: merging fields of one name costs the square of their number."""
    names: Counter[str] = Counter()
    nodes: list[Node] = list(document.definitions)
    while nodes:
        node = nodes.pop()
        if isinstance(node, FieldNode):
            names[(node.alias or node.name).value] += 1
        selections = getattr(node, "selection_set", None)
        if selections is not None:
            nodes.extend(selections.selections)
    if names.total() > MAX_FIELDS:
        return GraphQLError(f"The document has {names.total()} fields: at most {MAX_FIELDS} are allowed.")
    name, often = names.most_common(1)[0] if names else ("", 0)
    if often > MAX_SAME_NAME:
        return GraphQLError(f"The document has the field {name!r} {often} times: at most {MAX_SAME_NAME} are allowed.")
    return None


def is_mutation(operation: OperationDefinitionNode) -> bool:
    return operation.operation is OperationType.MUTATION


def is_subscription(operation: OperationDefinitionNode) -> bool:
    return operation.operation is OperationType.SUBSCRIPTION
