"""What a cart comes to: problems and quote."""

import strawberry

from domain.carts import quotes
from engine.declared.fields import attribute, edge
from schema.access import ASKERS_OWN, OWNER
from schema.money import Money
from schema.sellers import Seller

strawberry.enum(quotes.ProblemCode, name="CartProblemCode", description="What changed since a line was put in.")


@strawberry.type(
    description="Something that changed since a line was put in, or that keeps the cart from being bought."
)
class CartProblem:
    ownership = ASKERS_OWN

    code: quotes.ProblemCode = attribute(access=OWNER, description="What.")
    is_blocking: bool = attribute(
        access=OWNER, description="Whether it has to be settled before the cart can be bought."
    )
    line_id: strawberry.ID | None = attribute(
        access=OWNER, description="The line; null for what concerns the whole cart."
    )
    was: Money | None = attribute(access=OWNER, description="Of a changed price: what one cost when it was added.")
    now: Money | None = attribute(access=OWNER, description="Of a changed price: what one costs now.")
    requested: int | None = attribute(access=OWNER, description="Of stock that is short: how many the line wants.")
    available: int | None = attribute(access=OWNER, description="Of stock that is short: how many there are.")


@strawberry.type(description="A line as it would be bought now. Prices include tax.")
class QuotedLine:
    ownership = ASKERS_OWN

    line_id: strawberry.ID = attribute(access=OWNER, description="The line of the cart.")
    quantity: int = attribute(access=OWNER, description="How many.")
    unit_price: Money = attribute(access=OWNER, description="What one costs.")
    total: Money = attribute(access=OWNER, description="What all of them cost.")
    tax_percent: int = attribute(access=OWNER, description="The rate of the tax inside: 10, or 8 for food and drink.")


@strawberry.type(description="The tax inside a seller's amounts of one rate: rounded down, once.")
class QuotedTax:
    ownership = ASKERS_OWN

    percent: int = attribute(access=OWNER, description="The rate.")
    taxable: Money = attribute(access=OWNER, description="What it is in, tax included.")
    tax: Money = attribute(access=OWNER, description="How much of that is tax.")


@strawberry.type(description="What one seller sells and carries.")
class SellerQuote:
    ownership = ASKERS_OWN

    seller: Seller | None = edge("sellers", key="seller_id", access=OWNER, description="Who sells it.")
    lines: list[QuotedLine] = attribute(access=OWNER, description="What.", size=10)
    subtotal: Money = attribute(access=OWNER, description="The lines together.")
    shipping_fee: Money = attribute(access=OWNER, description="What the seller takes for carriage, tax included.")
    taxes: list[QuotedTax] = attribute(access=OWNER, description="The tax inside, by rate.", size=2)
    total: Money = attribute(access=OWNER, description="Lines and carriage.")


@strawberry.type(description="What the whole cart costs at this moment, by seller. Tax is inside all amounts.")
class CartQuote:
    ownership = ASKERS_OWN

    sellers: list[SellerQuote] = attribute(access=OWNER, description="Each seller's part.", size=5)
    subtotal: Money = attribute(access=OWNER, description="All lines together.")
    shipping_fee: Money = attribute(access=OWNER, description="All carriage together.")
    tax: Money = attribute(access=OWNER, description="The tax inside the total.")
    total: Money = attribute(access=OWNER, description="What is to be paid.")
    quote_hash: str = attribute(
        access=OWNER, description="Changes with any price, quantity or term above: what the buyer agreed to."
    )
