"""A cart and its lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self
from uuid import UUID

from domain.shared.ids import ProductId, VariationId
from domain.shared.money import Money
from domain.shared.viewer import Viewer

MAX_LINES = 50
MAX_QUANTITY = 99
"""Units of one line."""
LIFETIME = timedelta(days=30)
"""How long a cart is kept after its last change; reading it is no change."""
MAX_SETTLED = 20
"""Orders that a cart remembers: one is told of again within days at most."""


class OwnerKind(StrEnum):
    USER = "user"
    GUEST = "guest"


@dataclass(frozen=True, slots=True)
class CartOwner:
    """Whose cart it is. A guest's is never the cart of the user of the same id."""

    kind: OwnerKind
    id: UUID

    @classmethod
    def of(cls, viewer: Viewer) -> Self | None:
        """The owner that a viewer is; None for one known by nothing."""
        if viewer.user_id is not None:
            return cls(OwnerKind.USER, viewer.user_id)
        return None if viewer.guest_id is None else cls(OwnerKind.GUEST, viewer.guest_id)

    @classmethod
    def parse(cls, key: str) -> Self | None:
        """The owner of a `key`; None when it is none."""
        kind, _, named = key.partition(":")
        try:
            return cls(OwnerKind(kind), UUID(named))
        except ValueError:
            return None

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True, slots=True)
class LineRef:
    """Names a line within its cart: a product, or one variation of it, is at most one line."""

    product_id: ProductId
    variation_id: VariationId | None = None

    @property
    def id(self) -> str:
        """`product` or `product#variation`: what clients and the store call the line."""
        return str(self.product_id) if self.variation_id is None else f"{self.product_id}#{self.variation_id}"

    @classmethod
    def parse(cls, line_id: str) -> Self | None:
        """The line of an id; None when it is no such id."""
        product, separator, variation = line_id.partition("#")
        try:
            ref = cls(ProductId(UUID(product)), VariationId(UUID(variation)) if separator else None)
        except ValueError:
            return None
        return ref if ref.id == line_id else None  # UUID() also takes braces and capitals: an id has one spelling


@dataclass(frozen=True, slots=True)
class CartLine:
    """So many of a product. `price_snapshot` is the price of one, tax included, when it was last added."""

    product_id: ProductId
    variation_id: VariationId | None
    quantity: int
    added_at: datetime
    updated_at: datetime
    price_snapshot: Money

    @property
    def ref(self) -> LineRef:
        return LineRef(self.product_id, self.variation_id)

    @property
    def id(self) -> str:
        return self.ref.id


@dataclass(frozen=True, slots=True)
class Cart:
    """The lines of one owner, oldest first.

    `id` is new when a cart begins again after it expired, and `version` counts the changes since: the two together
    never name two states, so that at most one order comes of each. A cart that holds nothing yet has neither.
    """

    owner: CartOwner | None
    lines: tuple[CartLine, ...] = ()
    id: UUID | None = None
    version: int = 0
    expires_at: datetime | None = None
    settled: tuple[UUID, ...] = ()
    """The orders that were paid last and whose lines have left, oldest first: told of a second time they take nothing."""

    @property
    def itself(self) -> "Cart":
        """What a loader of something about carts takes."""
        return self

    @property
    def total_quantity(self) -> int:
        return sum(line.quantity for line in self.lines)

    def line(self, ref: LineRef) -> CartLine | None:
        return next((line for line in self.lines if line.ref == ref), None)


@dataclass(frozen=True, slots=True)
class Bought:
    """What an order took out of a cart: how many of each line, at the moment it was placed.

    `cart_id`: which cart of the owner; None where it was a guest's that was merged into the owner's since.
    """

    order_id: UUID
    owner: CartOwner
    cart_id: UUID | None
    placed_at: datetime
    quantities: Mapping[LineRef, int]


class WarningCode(StrEnum):
    QUANTITY_CAPPED = "quantity_capped"
    LINE_DROPPED = "line_dropped"
    """A guest's line that could not be taken over: no longer sold, or no room for it."""
    NOT_MERGED = "not_merged"
    """The guest's cart could not be taken over at the sign-in, which went on without: merge it later."""


@dataclass(frozen=True, slots=True)
class CartWarning:
    """Something was done, but not as asked. `target` is the line's id; quantities are those of the whole line."""

    code: WarningCode
    target: str
    requested: int
    applied: int


@dataclass(frozen=True, slots=True)
class CartOutcome:
    """A cart after a change. `merged`: ids of the lines that a guest's cart made or made more of."""

    cart: Cart
    warnings: Sequence[CartWarning] = ()
    merged: Sequence[str] = ()
