"""Input values that no message may repeat: those of fields and arguments declared `sensitive`, whatever they look like.

graphql-core quotes what it was given when a value does not fit. So it is given, to find its words, the same document and the
same variables with those values hidden, and only once something was wrong.
"""

import re
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from typing import Any

from graphql import (
    ArgumentNode,
    DocumentNode,
    EnumValueNode,
    FloatValueNode,
    GraphQLArgument,
    GraphQLError,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLSchema,
    GraphQLSyntaxError,
    GraphQLType,
    IntValueNode,
    Node,
    ObjectFieldNode,
    OperationDefinitionNode,
    StringValueNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    get_named_type,
    is_enum_type,
    is_input_object_type,
    type_from_ast,
    visit,
)

SENSITIVE = {"sensitive": True}
"""Metadata of an input field or argument whose values belong to a person or open a door."""
HIDDEN = "[hidden]"

Errors = Sequence[GraphQLError]

_TOKEN = re.compile(r"\b(Name|String|BlockString|Int|Float|escape sequence:)( ['\"].*)", re.DOTALL)
_VAGUE = "This value does not fit."


class _Silent:
    """A value that says nothing of itself, whichever way it is asked."""

    __slots__ = ()

    def __repr__(self) -> str:
        return HIDDEN

    __str__ = __repr__

    def __format__(self, _spec: str) -> str:
        return HIDDEN


class HiddenText(_Silent, str):
    """A text that is one, and does not show it."""

    __slots__ = ()


class HiddenInt(_Silent, int):
    """The same for a whole number."""

    __slots__ = ()


class HiddenFloat(_Silent, float):
    """The same for another number."""

    __slots__ = ()


class Hidden(_Silent):
    """An object, which fits no scalar and is shown as little."""

    __slots__ = ()

    def __inspect__(self) -> str:
        return HIDDEN


def is_sensitive(defined: GraphQLInputField | GraphQLArgument | None) -> bool:
    definition: Any = (defined.extensions or {}).get("strawberry-definition") if defined else None
    return bool(definition and definition.metadata.get("sensitive"))


def hidden_variables(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> dict[str, Any]:
    """The variables with their sensitive values hidden, wherever in the document a variable stands for one."""
    whole = _whole_variables(schema, document)
    types = {
        each.variable.name.value: type_from_ast(schema, each.type) for each in operation.variable_definitions or ()
    }
    return {
        name: _hide(value) if name in whole else _hidden_within(value, types.get(name))
        for name, value in variables.items()
    }


def hidden_document(schema: GraphQLSchema, document: DocumentNode) -> DocumentNode:
    """The document with the literals of sensitive fields and arguments replaced by others of their kind."""
    types = TypeInfo(schema)
    visitor = _HideLiterals(types, _whole_variables(schema, document))
    hidden: DocumentNode = visit(document, TypeInfoVisitor(types, visitor))
    return hidden


def hidden_syntax_error(error: GraphQLError) -> GraphQLError:
    """A syntax error that names the kind of a token and not its text: nobody knows yet what it was for.

    A name may be a literal, too, whose quotes were forgotten.
    """
    if isinstance(error, GraphQLSyntaxError) and error.source and error.positions:
        description = _TOKEN.sub(lambda found: found[1].rstrip(":") + ".", error.description)
        return GraphQLSyntaxError(error.source, next(iter(error.positions)), description)
    return error


def reworded(errors: Errors, others: Errors) -> Errors:
    """The errors with the words of others, which were found where sensitive values are hidden.

    A hidden value may be wrong where the real one is not, or the other way round: so the others give their words only. They
    belong together by where they are, and in their order there.
    """
    words: dict[Any, deque[str]] = defaultdict(deque)
    for other in others:
        words[_place(other)].append(other.message)
    return [
        GraphQLError(
            found.popleft() if (found := words[_place(error)]) else _VAGUE,
            error.nodes,
            original_error=error.original_error,
        )
        for error in errors
    ]


def _place(error: GraphQLError) -> Any:
    return tuple(error.locations or ())


def _hidden_within(value: Any, type_: GraphQLType | None) -> Any:
    if isinstance(value, list):
        return [_hidden_within(each, type_) for each in value]
    named = get_named_type(type_)
    if not is_input_object_type(named):
        return _hide(value) if isinstance(value, dict) else value
    if not isinstance(value, dict):  # meant for one of its fields, perhaps
        return _hide(value)
    return {
        name: _hidden_within(each, named.fields[name].type) if _may_be_shown(named, name) else _hide(each)
        for name, each in value.items()
    }


def _may_be_shown(type_: GraphQLInputObjectType, name: str) -> bool:
    """A field that is not there may be a misspelt one that is: what was meant for it is not shown."""
    return name in type_.fields and not is_sensitive(type_.fields[name])


def _hide(value: Any) -> Any:
    if isinstance(value, str):
        return HiddenText(value)
    if isinstance(value, list):
        return [_hide(each) for each in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return HiddenInt(value)
    return HiddenFloat(value) if isinstance(value, float) else Hidden()


class _BelowSensitive(Visitor):
    """Knows, on its way through a document, whether it is below a sensitive field or argument."""

    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self.below = 0
        self._types = types

    def enter_argument(self, _node: ArgumentNode, *_: Any) -> None:
        self.below += self._takes_one()

    def leave_argument(self, _node: ArgumentNode, *_: Any) -> None:
        self.below -= self._takes_one()

    def enter_object_field(self, node: ObjectFieldNode, *_: Any) -> None:
        self.below += self._is_sensitive(node)

    def leave_object_field(self, node: ObjectFieldNode, *_: Any) -> None:
        self.below -= self._is_sensitive(node)

    def _takes_one(self) -> bool:
        """An argument that is not there may be a misspelt one that is."""
        argument = self._types.get_argument()
        return argument is None or is_sensitive(argument)

    def _is_sensitive(self, node: ObjectFieldNode) -> bool:
        parent = get_named_type(self._types.get_parent_input_type())
        return not is_input_object_type(parent) or not _may_be_shown(parent, node.name.value)


class _Variables(_BelowSensitive):
    """Collects the variables, and which of them stand below one."""

    def __init__(self, types: TypeInfo) -> None:
        super().__init__(types)
        self.defined: set[str] = set()
        self.used: set[str] = set()
        self.sensitive: set[str] = set()
        self._defining = False

    def enter_variable_definition(self, node: VariableDefinitionNode, *_: Any) -> None:
        self.defined.add(node.variable.name.value)
        self._defining = True

    def leave_variable_definition(self, _node: VariableDefinitionNode, *_: Any) -> None:
        self._defining = False

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        if not self._defining:
            self.used.add(node.name.value)
        if self.below:
            self.sensitive.add(node.name.value)


class _HideLiterals(_BelowSensitive):
    """Replaces the literals below one, and the defaults of the variables that stand below one."""

    def __init__(self, types: TypeInfo, variables: set[str]) -> None:
        super().__init__(types)
        self._variables = variables

    def enter_variable_definition(self, node: VariableDefinitionNode, *_: Any) -> None:
        self.below += node.variable.name.value in self._variables

    def leave_variable_definition(self, node: VariableDefinitionNode, *_: Any) -> None:
        self.below -= node.variable.name.value in self._variables

    def enter_string_value(self, node: StringValueNode, *_: Any) -> Node | None:
        return StringValueNode(value=HIDDEN, block=False, loc=node.loc) if self._hides() else None

    def enter_int_value(self, node: IntValueNode, *_: Any) -> Node | None:
        return IntValueNode(value="0", loc=node.loc) if self._hides() else None

    def enter_float_value(self, node: FloatValueNode, *_: Any) -> Node | None:
        return FloatValueNode(value="0.0", loc=node.loc) if self._hides() else None

    def enter_enum_value(self, node: EnumValueNode, *_: Any) -> Node | None:
        type_ = get_named_type(self._types.get_input_type())
        if not self._hides() or (is_enum_type(type_) and node.value in type_.values):
            return None
        return EnumValueNode(value=HIDDEN, loc=node.loc)  # a text whose quotes were forgotten

    def _hides(self) -> bool:
        type_ = get_named_type(self._types.get_input_type())  # None for an item where no list belongs
        return self.below > 0 or type_ is None or is_input_object_type(type_)


def _whole_variables(schema: GraphQLSchema, document: DocumentNode) -> set[str]:
    """Variables that stand for a sensitive value, or for nothing: such a one may have been meant for anything."""
    types = TypeInfo(schema)
    variables = _Variables(types)
    visit(document, TypeInfoVisitor(types, variables))
    return variables.defined - (variables.used - variables.sensitive)
