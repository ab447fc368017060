"""Calls resolvers without Strawberry in between, which looks anew at each call at what their arguments are.

What a scalar or an enum is given is what graphql-core made of it; Strawberry makes inputs and lists out of the rest, as ever.
"""

from collections.abc import Callable
from typing import Any

import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLObjectType,
    GraphQLResolveInfo,
    get_nullable_type,
    is_leaf_type,
)
from strawberry.types.arguments import StrawberryArgument, convert_argument
from strawberry.types.field import StrawberryField

from engine.declared.kinds import Code, kind_of

DEFINITION = "strawberry-definition"

Convert = Callable[[Any, Any], Any] | None
"""Makes an argument's value out of graphql-core's and the resolver's `info`; None where that is the value."""


def call_directly(schema: strawberry.Schema) -> None:
    """Have the resolvers of a schema's own fields called with what they take and nothing else."""
    for type_ in schema._schema.type_map.values():
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__"):
            for field in type_.fields.values():
                if isinstance(kind_of(field), Code) and field.subscribe is None:
                    field.resolve = _direct(schema, field) or field.resolve


def _direct(schema: strawberry.Schema, field: GraphQLField) -> Callable[..., Any] | None:
    """The resolver; None where the field has more about it than a function and its arguments."""
    definition: StrawberryField = field.extensions[DEFINITION]
    resolver = definition.base_resolver
    if resolver is None or definition.extensions or definition.permission_classes:
        return None
    if resolver.self_parameter or resolver.parent_parameter or resolver.root_parameter:
        return None
    function: Any = resolver.wrapped_func
    info_class = schema.config.info_class
    info_name = resolver.info_parameter.name if resolver.info_parameter else None
    taken = {name: _argument(schema, name, each) for name, each in field.args.items()}

    def resolve(_value: Any, info: GraphQLResolveInfo[Any], **given: Any) -> Any:
        named: dict[str, Any] = {}
        told = info_class(_raw_info=info, _field=definition)
        for name, value in given.items():
            python_name, convert = taken[name]
            named[python_name] = value if convert is None or value is None else convert(value, told)
        if info_name is not None:
            named[info_name] = told
        return function(**named)

    return resolve


def _argument(schema: strawberry.Schema, name: str, argument: GraphQLArgument) -> tuple[str, Convert]:
    """What Python calls it, and what makes its value."""
    declared: StrawberryArgument = argument.extensions[DEFINITION]
    assert declared.python_name
    if is_leaf_type(get_nullable_type(argument.type)):
        return declared.python_name, None

    def convert(value: Any, info: Any) -> Any:
        scalars = schema.schema_converter.scalar_registry
        return convert_argument(value, declared.type, scalars, schema.config, info, path=(name,))

    return declared.python_name, convert
