"""Who may see a field: the rules, whose a value is, and the guard that the two make.

Every field names its rules; a schema with a field that names none does not build. Rules add up: `OWNER | SELLER` admits both.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Flag, auto
from typing import Any

from domain.shared.ids import SellerId, UserId
from domain.shared.refusals import Forbidden, Refusal, Unauthenticated
from domain.shared.viewer import Role, Viewer
from engine.declared.access import Guard


class Access(Flag):
    PUBLIC = auto()
    SIGNED_IN = auto()
    OWNER = auto()
    """Whoever the value belongs to: the buyer of an order, the user or guest of a cart."""
    SELLER = auto()
    """Whoever works for the seller that the value belongs to."""
    ADMIN = auto()


PUBLIC = Access.PUBLIC
SIGNED_IN = Access.SIGNED_IN
OWNER = Access.OWNER
SELLER = Access.SELLER
ADMIN = Access.ADMIN
NOBODY = Access(0)
"""No rule admits anybody, so none of them admits nobody at all: no admin either."""

ADMITS_ADMINS = PUBLIC | SIGNED_IN | OWNER | SELLER | ADMIN
"""The rules that admit an admin whosever the value is: each of them."""

BelongsTo = Callable[[Any, Viewer], bool]


@dataclass(frozen=True, slots=True)
class Ownership:
    """Whose the values of a type are. A type with a field for OWNER or SELLER says it in its attribute `ownership`.

    `owner` tells whether a value is the viewer's own, `seller` gives the seller it is of. Where `is_askers` the values exist for
    whoever asks alone, and the build sees to it that nobody else is led to one.
    """

    owner: BelongsTo | None = None
    seller: Callable[[Any], SellerId | None] | None = None
    is_askers: bool = False

    def names(self, rules: Access) -> bool:
        """Whether it says all that the rules ask."""
        return (OWNER not in rules or self.owner is not None) and (SELLER not in rules or self.seller is not None)


def of_user(user_id: Callable[[Any], UserId | None]) -> BelongsTo:
    """It is the user's whose id the function gives; where that is None it is nobody's."""
    return lambda value, viewer: viewer.is_user(user_id(value))


ASKERS_OWN = Ownership(owner=lambda _value, _viewer: True, is_askers=True)
"""Of a mutation's payload, and of the parts of a value that is shown to its owner alone."""


def guard(rules: Access, ownership: Ownership) -> Guard | None:
    """What enforces the rules; None where there is nothing to enforce."""
    return None if PUBLIC in rules else Guard(rules, _predicate(rules, ownership), refusal)


def _predicate(rules: Access, ownership: Ownership) -> Callable[[Any, Viewer], bool]:
    admits_admins, admits_users = bool(rules & ADMITS_ADMINS), SIGNED_IN in rules
    owner = ownership.owner if OWNER in rules else None
    seller = ownership.seller if SELLER in rules else None

    def admits(value: Any, viewer: Viewer) -> bool:
        if (admits_admins and viewer.role is Role.ADMIN) or (admits_users and viewer.user_id is not None):
            return True
        if owner is not None and owner(value, viewer):
            return True
        return seller is not None and viewer.works_for(seller(value))

    return admits


def refusal(viewer: Viewer) -> Refusal:
    """Why a field is not shown."""
    return Unauthenticated() if viewer.user_id is None else Forbidden()
