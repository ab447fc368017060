"""Orders of the demo: who bought what, when, and how far it got."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from domain.orders.model import OrderStatus
from domain.shared.ids import OrderId, OrderItemId
from infra.demo.accounts import Accounts, Address, User
from infra.demo.dice import Weighted, dice, key
from infra.demo.fulfilment import OUTCOMES, Course, Outcome, course_of
from infra.demo.listings import Kind, Listing
from infra.demo.naming import base32
from infra.demo.products import shipping_fee
from infra.demo.tastes import Tastes
from infra.demo.times import ORDER_DAYS, waking_hour

MOST_ORDERS = 20_000
SIZES = Weighted([(1, 30), (2, 28), (3, 20), (4, 12), (5, 6), (6, 4)])
QUANTITIES = Weighted([(1, 80), (2, 15), (3, 5)])
NUMBER_BITS = 40
TAX_PERCENT = 10
ON_THEIR_WAY = 0.04

BUYERS_ORDERS: Sequence[tuple[float, Outcome]] = (
    (0.0, Outcome.NEVER_PAID), (0.0, Outcome.DELIVERED), (1, Outcome.DELIVERED), (3, Outcome.DELIVERED),
    (4, Outcome.DELIVERED), (9, Outcome.CANCELLED), (20, Outcome.DELIVERED), (38, Outcome.REFUNDED),
    (61, Outcome.DELIVERED), (97, Outcome.DELIVERED), (150, Outcome.NEVER_PAID), (204, Outcome.DELIVERED),
    (288, Outcome.DELIVERED), (340, Outcome.DELIVERED),
)  # fmt: skip
"""The demo buyer's: days before the reference, and how each ends. The newest are still on their way."""


@dataclass(frozen=True, slots=True)
class Item:
    """One line of an order; `unit_price` in yen, tax included."""

    id: OrderItemId
    listing: Listing
    kind: Kind | None
    quantity: int
    unit_price: int
    status: OrderStatus

    @property
    def total(self) -> int:
        return self.unit_price * self.quantity


@dataclass(frozen=True, slots=True)
class Order:
    """An order as it stands at the reference."""

    id: OrderId
    number: str
    user: User
    address: Address
    placed_at: datetime
    items: Sequence[Item]
    course: Course

    @property
    def subtotal(self) -> int:
        return sum(item.total for item in self.items)

    @property
    def shipping_fee(self) -> int:
        """Each seller asks once, and nothing from what it ships free of charge."""
        by_shop: dict[str, list[Item]] = {}
        for item in self.items:
            by_shop.setdefault(item.listing.shop.about.key, []).append(item)
        return sum(_fee(items) for items in by_shop.values())

    @property
    def total(self) -> int:
        return self.subtotal + self.shipping_fee

    @property
    def tax(self) -> int:
        """The tax inside the total, rounded down."""
        return self.total * TAX_PERCENT // (100 + TAX_PERCENT)


class Orders:
    """The orders of a marketplace, the demo buyer's first.

    Their keys depend on how many products there are: a bigger marketplace loaded over a smaller one has other orders,
    not the same ones with other items.
    """

    def __init__(self, seed: int, products: int, accounts: Accounts, tastes: Tastes) -> None:
        self._name = (seed, "order", products)
        self._accounts = accounts
        self._tastes = tastes
        self._count = 0 if tastes.is_empty else min(products * 7 // 10, MOST_ORDERS)
        self._made: list[Order] | None = None

    def __iter__(self) -> Iterator[Order]:
        if self._made is None:
            self._made = list(self._make_all())
        return iter(self._made)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _make_all(self) -> Iterator[Order]:
        numbers: set[str] = set()
        for index in range(self._count):
            random = dice(*self._name, index)
            if index < len(BUYERS_ORDERS):
                days, outcome = BUYERS_ORDERS[index]
                user, placed_at = self._accounts.buyer, waking_hour(random, int(days))
            else:
                user, outcome = random.choice(self._accounts.crowd), OUTCOMES.pick(random)
                placed_at = waking_hour(random, _days_ago(random))
            order = self._make(random, index, user, placed_at, outcome, numbers)
            if order is not None:
                yield order

    def _make(
        self, random: Random, index: int, user: User, placed_at: datetime, outcome: Outcome, numbers: set[str]
    ) -> Order | None:
        """None when nothing was on offer yet."""
        listings = self._tastes.basket(random, self._tastes.of(user), placed_at, SIZES.pick(random))
        if not listings:
            return None
        course = course_of(random, placed_at, outcome)
        return Order(
            OrderId(key(placed_at, *self._name, index)),
            _number(random, numbers),
            user,
            random.choice(self._accounts.addresses_of(user)),
            placed_at,
            [self._item(random, index, place, each, placed_at, course) for place, each in enumerate(listings)],
            course,
        )

    def _item(
        self, random: Random, index: int, place: int, listing: Listing, placed_at: datetime, course: Course
    ) -> Item:
        kind = random.choice(listing.kinds) if listing.kinds else None
        status = course.status
        if status is OrderStatus.PROCESSING and random.random() < 0.25:
            status = OrderStatus.SHIPPED  # one seller was faster than the others
        return Item(
            OrderItemId(key(placed_at + timedelta(milliseconds=place), *self._name, index, "item", place)),
            listing,
            kind,
            QUANTITIES.pick(random),
            listing.price + (kind.extra if kind else 0),
            status,
        )


def _days_ago(random: Random) -> int:
    """More of late than a year ago, and some that are still on their way."""
    if random.random() < ON_THEIR_WAY:
        return random.randrange(4)
    return min(random.randrange(ORDER_DAYS), random.randrange(ORDER_DAYS))


def _fee(items: Sequence[Item]) -> int:
    free = sum(item.total for item in items) >= items[0].listing.shop.free_over
    return 0 if free else max(shipping_fee(item.listing) for item in items)


def _number(random: Random, taken: set[str]) -> str:
    """Such as T-7K3M-9QXD."""
    while True:
        drawn = base32(random.getrandbits(NUMBER_BITS), NUMBER_BITS // 5)
        number = f"T-{drawn[:4]}-{drawn[4:]}"
        if number not in taken:
            taken.add(number)
            return number
