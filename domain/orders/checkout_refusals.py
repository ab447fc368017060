"""What a checkout says no to. Nothing was written then."""

from collections.abc import Sequence
from typing import Any

from domain.carts.quotes import CartProblem, PricedCart, ProblemCode
from domain.shared.money import Money
from domain.shared.refusals import Refusal, Refusals


class CartEmpty(Refusal):
    """There is nothing to buy."""

    code = "CART_EMPTY"


class AddressIncomplete(Refusal):
    """A parcel needs a name and a place."""

    code = "ADDRESS_INCOMPLETE"


class AmountTooSmall(Refusal):
    """Less than can be charged to a card."""

    code = "AMOUNT_TOO_SMALL"

    def __init__(self, least: Money) -> None:
        super().__init__(least=least.amount, currency=least.currency)


class TooManyUnits(Refusal):
    """More than may be set aside for an order that nobody has paid."""

    code = "TOO_MANY_UNITS"

    def __init__(self, most: int) -> None:
        super().__init__(most=most)


class TooMuchUnpaid(Refusal):
    """Guests of this address have set aside as much as may be: what is paid, or given up, makes room."""

    code = "TOO_MUCH_UNPAID"

    def __init__(self) -> None:
        super().__init__(retryable=True)


class LineRefused(Refusal):
    """What is wrong with a line. `problem` says the same for programs."""

    def __init__(self, problem: CartProblem, key: str, **arguments: Any) -> None:
        place = ("cart", "lines", problem.line_id) if problem.line_id else ("cart", "lines")
        super().__init__(key=key, field=place, **arguments)


class LineUnavailable(LineRefused):
    code = "LINE_UNAVAILABLE"


class LineSoldOut(LineRefused):
    code = "OUT_OF_STOCK"


class LineShort(LineRefused):
    code = "INSUFFICIENT_STOCK"


class PriceChanged(LineRefused):
    code = "PRICE_CHANGED"


class MixedCurrencies(LineRefused):
    code = "MIXED_CURRENCIES"


class QuoteOutdated(Refusal):
    """What the cart comes to is no longer what the buyer agreed to."""

    code = "QUOTE_CHANGED"

    def __init__(self) -> None:
        super().__init__(field=("quoteHash",))


class QuoteChanged(Refusals):
    """Each thing that is not as it was agreed, and what the cart comes to now."""

    def __init__(self, priced: PricedCart) -> None:
        self.priced = priced
        super().__init__(_parts(priced))


def _parts(priced: PricedCart) -> Sequence[Refusal]:
    found = [_of(problem) for problem in priced.problems]
    return found if any(problem.is_blocking for problem in priced.problems) else [QuoteOutdated(), *found]


def _of(problem: CartProblem) -> Refusal:
    match problem.code:
        case ProblemCode.UNAVAILABLE:
            return LineUnavailable(problem, "line_unavailable")
        case ProblemCode.OUT_OF_STOCK:
            return LineSoldOut(problem, "OUT_OF_STOCK")
        case ProblemCode.INSUFFICIENT_STOCK:
            return LineShort(problem, "INSUFFICIENT_STOCK", requested=problem.requested, available=problem.available)
        case ProblemCode.PRICE_CHANGED:
            assert problem.was is not None
            assert problem.now is not None
            return PriceChanged(
                problem, "PRICE_CHANGED", was=problem.was.amount, now=problem.now.amount, currency=problem.now.currency
            )
        case ProblemCode.MIXED_CURRENCIES:
            return MixedCurrencies(problem, "MIXED_CURRENCIES")
