"""Directives that clients may put on an operation."""

from enum import Enum
from typing import Annotated

import strawberry
from strawberry.directive import DirectiveLocation

from domain.shared.languages import Language

strawberry.enum(Language, name="LanguageCode", description="ISO 639-1: a language in which people are spoken to.")


@strawberry.enum(description="ISO 3166-1: a country to which goods are delivered.")
class CountryCode(Enum):
    JP = "JP"


@strawberry.directive(
    locations=[DirectiveLocation.QUERY, DirectiveLocation.MUTATION, DirectiveLocation.SUBSCRIPTION],
    name="inContext",
    description="For whom the operation is. Wins over the header `Accept-Language`; without either the language is JA.",
)
def in_context(
    language: Annotated[Language | None, strawberry.argument(description="The language of messages.")] = None,
    country: Annotated[CountryCode | None, strawberry.argument(description="Where the shopper is.")] = None,
) -> None:
    """Read by resolvers/context.py before the operation runs; nothing is done field by field."""
