"""Money in the schema."""

from decimal import Decimal

import strawberry

from engine.declared.fields import attribute
from schema.access import PUBLIC


@strawberry.type(description="An amount of money. Prices include tax.")
class Money:
    amount: Decimal = attribute(
        access=PUBLIC,
        description='In major units, as a string with the digits of its currency: "1980" yen, "19.80" pounds.',
    )
    currency: str = attribute(name="currencyCode", access=PUBLIC, description="ISO 4217.")
