"""Scalars that take less than Python does."""

import re
from dataclasses import replace
from decimal import Decimal

from strawberry.exceptions import StrawberryInputCoercionError
from strawberry.schema.types.base_scalars import DecimalDefinition
from strawberry.types.scalar import ScalarDefinition

MAX_LENGTH = 40
"""Characters: more than any amount has."""
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")


def decimal(value: object) -> Decimal:
    """A number as JSON writes it, in a string or bare: Decimal itself also takes 1_000, １０００ and NaN.

    Raises StrawberryInputCoercionError.
    """
    text = value if isinstance(value, str) else str(value)  # a float says its shortest digits
    if len(text) > MAX_LENGTH or not _NUMBER.fullmatch(text):
        raise StrawberryInputCoercionError('A Decimal is a number in ASCII digits, such as "1980" or "19.80".')
    return Decimal(text)


SCALARS: dict[object, ScalarDefinition] = {
    Decimal: replace(
        DecimalDefinition,
        parse_value=decimal,
        description='A number without rounding: a string of ASCII digits such as "19.80". Plain numbers are taken too.',
    )
}
