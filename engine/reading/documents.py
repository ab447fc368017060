"""Documents, parsed and validated once: a client sends the same few over and over."""

import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    parse,
    specified_rules,
    validate,
)

from engine.compiled.counts import Compiled
from engine.fairness.aside import Aside
from engine.reading.bounds import KIB, Limits
from engine.reading.cost import price_of
from engine.reading.introspection import SCHEMA_FIELDS, Description
from engine.reading.limits import Code, LimitExceeded, hold
from engine.reading.price import Price
from engine.reading.secrecy import hidden_document, hidden_syntax_error, reworded
from engine.reading.shape import check_shape
from engine.reading.source import LinedSource
from engine.reading.tokens import check_tokens
from engine.streaming.incremental import whole

MAX_CACHED_BYTES = 1024 * 1024
"""Text of the documents kept; parsed, a document takes some hundred times as much."""
MAX_VALIDATION_ERRORS = 5
MIXED = "Ask for the schema in an operation of its own: __schema and __type stand beside no other fields."
INLINE_TOKENS = 250
"""Read on the event loop, within some 10 ms. Longer ones are read in a thread, which shares the interpreter by turns of 5 ms."""
INLINE_BYTES = 8 * KIB
"""A few tokens may be long: a string or a run of spaces is read character by character, 64 KiB of them in some 30 ms."""

Admit = Callable[[int], Awaitable[None]]
"""Asked before so many bytes of a document are read."""


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed document, or the errors that keep it from running."""

    node: DocumentNode | None
    errors: Sequence[GraphQLError] = ()
    prices: Mapping[str | None, Price] = field(default_factory=dict)
    """What each operation costs, by its name."""
    compiled: dict[str, Compiled] = field(default_factory=dict)
    """What the engine keeps of each operation, by its name."""
    describing: frozenset[str | None] = frozenset()
    """The operations, by their names, that ask for the schema's description of itself and nothing else."""
    incremental: "Document | None" = None
    """The same with its `@defer` and `@stream`, which this one goes without; None where it has none."""
    is_incremental: bool = False
    """Whether this is the one with them."""

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

    def price(self, operation: OperationDefinitionNode) -> Price:
        return self.prices[name_of(operation)]


class Documents:
    """The most recently used valid documents by the hash of their text. `hints`: whether errors say "did you mean"."""

    def __init__(
        self,
        schema: GraphQLSchema,
        limits: Limits,
        *,
        introspection: bool,
        hints: bool = True,
        max_bytes: int = MAX_CACHED_BYTES,
        aside: Aside | None = None,
    ) -> None:
        self._schema = schema
        self._limits = limits
        self._hints = hints
        self._rules = specified_rules if introspection else (*specified_rules, NoSchemaIntrospectionCustomRule)
        self._room = max_bytes
        self._documents: OrderedDict[bytes, tuple[Document, int]] = OrderedDict()
        self._description = Description(schema)
        self._aside = aside or Aside()

    async def get(self, text: str, admit: Admit) -> Document:
        """The document, with what is wrong with it; `admit` is asked before one that is not known is read.

        Raises Busy, and what `admit` raises.
        """
        if len(text) > self._limits.document_bytes:  # before a copy of it is made
            return self._too_large(len(text))
        encoded = text.encode("utf-8", "surrogatepass")
        if len(encoded) > self._limits.document_bytes:
            return self._too_large(len(encoded))
        key = hashlib.sha256(encoded).digest()
        known = self.known(key)
        if known is not None:
            return known
        await admit(len(encoded))
        try:
            tokens = check_tokens(text, self._limits)
        except LimitExceeded as error:
            return Document(None, [error])
        is_short = tokens <= INLINE_TOKENS and len(encoded) <= INLINE_BYTES
        document = self._read(text) if is_short else await self._aside.run(key, self._read, text)
        if not document.errors:  # nobody sends a wrong one again and again, but who means harm
            self._keep(key, document, len(encoded))
        return document

    def known(self, sha256: bytes) -> Document | None:
        """A document that was read before, by the hash of its text."""
        found = self._documents.get(sha256)
        if found is None:
            return None
        self._documents.move_to_end(sha256)
        return found[0]

    def read_trusted(self, text: str) -> Document:
        """A document of the operator's own: of any shape, within its own bounds, and never let go of."""
        size = len(text.encode("utf-8", "surrogatepass"))
        try:
            hold(Code.DOCUMENT_SIZE, size, self._limits.trusted_bytes)
            check_tokens(text, self._limits, trusted=True)
        except LimitExceeded as error:
            return Document(None, [error])
        return self._read(text, trusted=True)

    def _too_large(self, size: int) -> Document:
        return Document(None, [LimitExceeded(Code.DOCUMENT_SIZE, size, self._limits.document_bytes)])

    def _keep(self, key: bytes, document: Document, size: int) -> None:
        if key in self._documents:
            return
        self._documents[key] = document, size
        self._room -= size
        while self._room < 0:
            _, (_, freed) = self._documents.popitem(last=False)
            self._room += freed

    def _read(self, text: str, *, trusted: bool = False) -> Document:
        try:
            node = parse(LinedSource(text))
            if not trusted:
                check_shape(node, self._limits)
        except GraphQLError as error:
            return Document(None, [hidden_syntax_error(error)])
        errors = self._validate(node, MAX_VALIDATION_ERRORS)
        if errors:
            hidden = hidden_document(self._schema, node)
            if hidden is not node:  # hidden values can be wrong, too, so that there are more of them
                errors = reworded(errors, self._validate(hidden, 4 * MAX_VALIDATION_ERRORS))
            return Document(node, errors)
        plain = whole(node, text)
        read = self._priced(plain, trusted=trusted)
        if plain is node or read.errors:
            return read
        return replace(read, incremental=replace(self._priced(node, trusted=trusted), is_incremental=True))

    def _priced(self, node: DocumentNode, *, trusted: bool) -> Document:
        operations = [each for each in node.definitions if isinstance(each, OperationDefinitionNode)]
        prices = {
            name_of(each): price_of(self._schema, node, each, self._limits, self._description) for each in operations
        }
        read = Document(node, (), prices)
        describing, mixed = _describing(read, operations)
        if mixed and not trusted:
            return Document(node, [GraphQLError(MIXED, extensions={"code": Code.INTROSPECTION_MIXED.value})])
        return replace(read, describing=describing)

    def _validate(self, node: DocumentNode, max_errors: int) -> Sequence[GraphQLError]:
        return validate(self._schema, node, self._rules, max_errors=max_errors, hide_suggestions=not self._hints)


def _describing(
    document: Document, operations: Sequence[OperationDefinitionNode]
) -> tuple[frozenset[str | None], bool]:
    """The operations that ask for the schema alone, by their names, and whether another asks for it and for data."""
    roots = {name_of(each): set(document.root_fields(each)) - {"__typename"} for each in operations}
    alone = {name for name, fields in roots.items() if fields and fields <= SCHEMA_FIELDS}
    mixed = any(fields & SCHEMA_FIELDS and not fields <= SCHEMA_FIELDS for fields in roots.values())
    return frozenset(alone), mixed


def name_of(operation: OperationDefinitionNode) -> str | None:
    return operation.name.value if operation.name else None


def is_mutation(operation: OperationDefinitionNode) -> bool:
    return operation.operation is OperationType.MUTATION


def is_subscription(operation: OperationDefinitionNode) -> bool:
    return operation.operation is OperationType.SUBSCRIPTION
