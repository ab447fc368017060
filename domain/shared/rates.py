"""How often somebody may do something: buckets that fill at a rate and hold so much at most."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from domain.shared.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_s` units come back each second, and at most `burst` are there at once.

    `fails_closed`: nothing is allowed while nobody can count for all processes together, as where passwords are guessed.
    """

    name: str
    per_s: float
    burst: int
    fails_closed: bool = False


def parse_rates(text: str, *, open_when_uncounted: Collection[str] = ()) -> dict[str, Rate]:
    """Rates by name from "name=10/60 other=5/3600": so many in so many seconds. Raises ValueError.

    They fail closed, but for those named in `open_when_uncounted`.
    """
    rates = {}
    for entry in text.split():
        name, _, rate = entry.partition("=")
        amount, _, seconds = rate.partition("/")
        if not (name and amount.isascii() and amount.isdigit() and seconds.isascii() and seconds.isdigit()):
            raise ValueError(f"{entry} is not of the form name=10/60, so many in so many seconds")
        if int(amount) == 0 or int(seconds) == 0:
            raise ValueError(f"{entry} allows nothing: both numbers are at least 1")
        rates[name] = Rate(name, int(amount) / int(seconds), int(amount), name not in open_when_uncounted)
    return rates


@dataclass(frozen=True, slots=True)
class Charge:
    """What something takes out of a bucket. More than the bucket holds takes the whole of it."""

    rate: Rate
    amount: int = 1


@dataclass(frozen=True, slots=True)
class Standing:
    """What a bucket has left, of how much, and when it is full again."""

    remaining: int
    capacity: int
    full_in_s: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether all charges could be taken: all of them are, or none is. `retry_after_s` is None when they were."""

    retry_after_s: float | None = None
    refused_by: str = ""
    standings: Mapping[str, Standing] = field(default_factory=dict)

    @property
    def allowed(self) -> bool:
        return self.retry_after_s is None


class Limiter(Protocol):
    """Counts what principals do, for all processes together."""

    async def take(self, principal: str, charges: Sequence[Charge]) -> Verdict:
        """Take all charges or none. Raises Unavailable where one fails closed and nobody can count."""
        ...


class RateLimited(Refusal):
    """Too often, for now. `retry_after_s` is when it may work again."""

    code = "RATE_LIMITED"

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(seconds=max(1, round(retry_after_s)), retryable=True)
        self.retry_after_s = retry_after_s
