"""What shoppers do with their carts, and what those have to hold then."""

from dataclasses import dataclass
from datetime import datetime

from hypothesis import strategies as st
from hypothesis.stateful import rule

from domain.carts.model import MAX_QUANTITY, CartOutcome, WarningCode
from domain.shared.ids import OrderId
from domain.shared.refusals import Refusal
from tests.orders.course import Course, wrapped
from tests.orders.street import Street

USER, OTHER, GUEST = range(3)
WHO = st.sampled_from((USER, USER, OTHER, GUEST))
PRODUCTS = 3
PRODUCT = st.integers(0, PRODUCTS - 1)


@dataclass(slots=True)
class Held:
    """What a line has to be."""

    quantity: int
    added_at: datetime


@dataclass(slots=True)
class Basket:
    """What a cart has to be. `era`: a guest's ends when it is taken over, and another begins."""

    lines: dict[int, Held]
    era: int = 0
    quote: str | None = None
    """The last that its owner was shown."""
    key: tuple[str, str, OrderId] | None = None
    """The last that an order was placed under, with which quote."""


class Carting(Course):
    baskets: list[Basket]

    @property
    def street(self) -> Street:
        assert isinstance(self.life, Street)
        return self.life

    def refusal_of(self, deed: object) -> str:
        try:
            self.runner.run(wrapped(deed))  # type: ignore[arg-type]
        except Refusal as refusal:
            return refusal.code
        return ""

    @rule(who=WHO, product=PRODUCT, quantity=st.integers(1, 4))
    def add(self, who: int, product: int, quantity: int) -> None:
        lines, ref = self.baskets[who].lines, self.street.ref(product)
        _, free = self.runner.run(self.street.free(who, product))
        said = self.refusal_of(self.street.carts.add(self.street.people[who], ref.product_id, None, quantity))
        assert said == ("" if free else "OUT_OF_STOCK")
        if free:
            held = lines.setdefault(product, Held(0, self.street.clock.now()))
            held.quantity = min(held.quantity + quantity, free, MAX_QUANTITY)

    @rule(who=WHO, product=PRODUCT, quantity=st.integers(0, 5))
    def update(self, who: int, product: int, quantity: int) -> None:
        lines = self.baskets[who].lines
        _, free = self.runner.run(self.street.free(who, product))
        said = self.refusal_of(self.street.carts.update(self.street.people[who], self.street.ref(product).id, quantity))
        if quantity and product in lines:
            assert said == ("" if free else "OUT_OF_STOCK")
            lines[product].quantity = min(quantity, free) if free else lines[product].quantity
        else:
            assert said == ("" if product in lines else "LINE_NOT_FOUND")
            lines.pop(product, None)

    @rule(who=WHO, product=PRODUCT)
    def remove(self, who: int, product: int) -> None:
        said = self.refusal_of(self.street.carts.remove(self.street.people[who], self.street.ref(product).id))
        assert said == ("" if self.baskets[who].lines.pop(product, None) else "LINE_NOT_FOUND")

    @rule()
    def merge(self) -> None:
        """The guest signs in; and once more, for an answer may be lost, which changes nothing."""
        user, left = self.baskets[USER], self.baskets[GUEST]
        dropped = set()
        for product, held in left.lines.items():
            free, _ = self.runner.run(self.street.free(USER, product))
            own = user.lines.get(product)
            if own is not None and own.quantity >= held.quantity:
                continue
            if not free:
                dropped.add(self.street.ref(product).id)
            elif own is None:
                user.lines[product] = Held(min(held.quantity, free), held.added_at)
            else:
                own.quantity = max(own.quantity, min(held.quantity, free))
        outcome = self.runner.run(self.merged())
        assert {each.target for each in outcome.warnings if each.code is WarningCode.LINE_DROPPED} == dropped
        left.lines, left.era = {}, left.era + 1
        again = self.runner.run(self.merged())
        assert (again.merged, again.cart.version) == ((), outcome.cart.version)

    async def merged(self) -> CartOutcome:
        guest = self.street.people[GUEST].guest_id
        assert guest is not None
        return await self.street.carts.merge(self.street.people[USER], guest)
