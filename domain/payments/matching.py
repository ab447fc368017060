"""Which refund of ours is what people gave back by hand at the provider, if any: values in and values out."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from domain.orders.states import RefundState
from domain.payments.model import Refund, RefundId


@dataclass(frozen=True, slots=True)
class Own:
    """A refund of the books. `lost_ids`: the provider's keys of its tries that came to nothing."""

    id: RefundId
    amount: int
    state: RefundState
    provider_id: str | None = None
    lost_ids: Sequence[str] = ()

    @property
    def is_unasked(self) -> bool:
        """Nothing at the provider is known to be it."""
        return self.state is RefundState.PENDING and self.provider_id is None


class Whose(StrEnum):
    """What a refund that the provider has carried out is to the books."""

    BOOKED = "booked"
    """It is in them, or never is to be."""
    COMING = "coming"
    """Of one that whoever carries it out will write."""
    AFTER_ALL = "after all"
    """Of one that was given up."""
    BY_HAND = "by hand"


def whose(made: Refund, own: Sequence[Own], never: RefundId) -> Whose:
    """`never`: the key of what was paid amiss, and given back without standing in the books."""
    for each in own:
        if made.provider_id == each.provider_id or made.provider_id in each.lost_ids:
            return Whose.BOOKED
    named = next((each for each in own if each.id == made.refund_id), None)
    if named is None:
        return Whose.BOOKED if made.refund_id == never else Whose.BY_HAND
    if named.state is RefundState.SUCCEEDED:
        return Whose.BY_HAND  # asked for, thought lost, and carried out beside what took its place
    return Whose.COMING if named.state is RefundState.PENDING else Whose.AFTER_ALL


def twin(amount: int, own: Sequence[Own], taker: RefundId | None) -> RefundId | None:
    """The refund that this much by hand is: one that failed, or the `taker`, which is not to be asked for then."""
    return next((each.id for each in own if each.amount == amount and _is_open(each, taker)), None)


def must_wait(amount: int, own: Sequence[Own]) -> bool:
    """Whether it may be one that somebody is about to ask for, or just did: when that has ended it is known."""
    return any(each.amount == amount and each.is_unasked for each in own)


def paid_by_rest(rest: int, own: Sequence[Own], taker: RefundId | None) -> Sequence[RefundId]:
    """What else went back with so much that there is no other place for: the oldest first, as far as it goes."""
    found = []
    for each in own:
        if each.amount <= rest and _is_open(each, taker):
            rest -= each.amount
            found.append(each.id)
    return found


def _is_open(own: Own, taker: RefundId | None) -> bool:
    return own.state is RefundState.FAILED or (own.id == taker and own.is_unasked)
