"""From carts to refunds, in any order: what shoppers, sellers, jobs and a provider can do, and what must hold after each step.

`STREET_COURSES` says how many courses, of twice as many steps as in the suite (`make torture`).
"""

import os
from collections.abc import Iterator
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test

import settings as program
from domain.orders.checkout import CheckedOut
from domain.orders.ports import SettlementKind
from domain.shared.ids import uuid7
from domain.shared.refusals import Refusal
from tests.orders.carting import OTHER, PRODUCT, PRODUCTS, USER, WHO, Basket, Carting
from tests.orders.street import Street
from tests.orders.street_ports import Sold
from tests.sandbox.running import Sandbox, running

COURSES = int(os.environ.get("STREET_COURSES", "0"))
MOST_ORDERS = 8
ALL_THE_WAY = 4
CARDS = st.sampled_from(("pm_card_visa", "pm_card_visa", "pm_card_visa", "pm_card_chargeDeclined"))


class Shopping(Carting):
    program: ClassVar[program.Settings]
    stripe_url: ClassVar[str]
    came_to: ClassVar[set[str]] = set()
    """States of orders, returns and refunds that any course has seen at its end."""

    def teardown(self) -> None:
        try:
            if self.life is not None and self.street.orders:
                self.runner.run(self.street.finish())
                self.came_to.update(self.runner.run(self.street.states()))
        finally:
            super().teardown()

    @initialize(
        stocks=st.lists(st.integers(0, 6), min_size=PRODUCTS, max_size=PRODUCTS),
        who=WHO,
        far=st.sampled_from((0, 1, 2, 3, 4, 4)),
    )
    def open(self, stocks: list[int], who: int, far: int) -> None:
        """With an order, which most courses would take long to come to: placed, paid, shipped, delivered or to come back."""
        street = Street(self.program, self.stripe_url, [stock + 1 for stock in stocks])
        self.runner.run(street.open_shop())
        self.life = street
        self.baskets = [Basket({}) for _ in street.people]
        self.add(who, 0, 1)
        self.check_out(who, is_fresh=True, is_away=False)
        if far:
            self.pay("pm_card_visa", is_told=True)
        for deed in (self.ship, self.deliver)[: max(far - 1, 0)]:
            deed(0)
        if far == ALL_THE_WAY:
            self.ask_for_return(0, 1)

    @precondition(lambda self: self.life is not None)
    @invariant()
    def all_is_right(self) -> None:
        self.runner.run(self.street.check())
        for who, basket in enumerate(self.baskets):
            cart = self.runner.run(self.street.cart(who))
            found = {self.street.products.index(line.product_id): line.quantity for line in cart.lines}
            assert found == {product: held.quantity for product, held in basket.lines.items()}
        self.street.clock.move(seconds=1)  # no two steps are at the same moment

    @rule(product=PRODUCT, price=st.integers(100, 3_000))
    def reprice(self, product: int, price: int) -> None:
        self.runner.run(self.street.change("base_price", product, price))

    @rule(product=PRODUCT, more=st.integers(1, 5))
    def get_more_in(self, product: int, more: int) -> None:
        self.street.counted[self.street.products[product]] += more
        self.runner.run(self.street.get_more_in(product, more))

    # checkout

    @rule(who=WHO)
    def ask(self, who: int) -> None:
        quote = self.runner.run(self.street.priced(who)).quote
        if quote is not None:
            self.baskets[who].quote = quote.quote_hash

    @precondition(lambda self: len(self.street.orders) < MOST_ORDERS)
    @rule(who=WHO, is_fresh=st.sampled_from((True, True, False)), is_away=st.sampled_from((False, False, True)))
    def check_out(self, who: int, is_fresh: bool, is_away: bool) -> None:
        """With the quote of now, or the last one that was shown; the provider may be away."""
        if is_fresh:
            self.ask(who)
        basket = self.baskets[who]
        if basket.quote is None:
            return
        quote = self.runner.run(self.street.priced(who)).quote
        cart = self.runner.run(self.street.cart(who))
        same = self.living(who, basket.era, cart.version)
        key, before = f"k-{uuid7()}", len(self.street.orders)
        self.street.settling.is_away = is_away
        done, code = self.placed(who, key, basket.quote)
        self.street.settling.is_away = False
        if same is not None:  # another tab was faster
            assert done is not None, code
            assert done.order_id == same.id
        elif quote is not None and quote.quote_hash == basket.quote:
            assert done is not None, code
            basket.key = key, basket.quote, done.order_id
            quantities = {product: held.quantity for product, held in basket.lines.items()}
            placed_at = self.street.clock.now()
            self.street.orders.append(Sold(done.order_id, who, basket.era, cart.version, quantities, placed_at))
            self.street.turn_to(self.street.orders[-1])
        else:
            assert done is None
            assert code in {
                "QUOTE_CHANGED",
                "CART_EMPTY",
                "LINE_UNAVAILABLE",
                "OUT_OF_STOCK",
                "INSUFFICIENT_STOCK",
                "PRICE_CHANGED",
            }
            assert len(self.street.orders) == before

    @rule(who=WHO, is_other=st.booleans())
    def send_again(self, who: int, is_other: bool) -> None:
        """The same key once more is the same order, whatever became of it; with something else it is refused."""
        if (last := self.baskets[who].key) is None:
            return
        key, quote, order = last
        done, code = self.placed(who, key, "0" * 64 if is_other else quote)
        if is_other:
            assert (done, code) == (None, "IDEMPOTENCY_KEY_REUSED")
        else:
            assert done is not None
            assert done.order_id == order

    def placed(self, who: int, key: str, quote: str) -> tuple[CheckedOut | None, str]:
        street = self.street
        try:
            return self.runner.run(street.checkout.place(street.people[who], street.request(who, key, quote))), ""
        except Refusal as refusal:
            return None, refusal.code

    def living(self, who: int, era: int, version: int) -> Sold | None:
        """The order that was made of this version of a cart, and is not cancelled."""
        made = [each for each in self.street.orders if (each.who, each.era, each.version) == (who, era, version)]
        alive = [each for each in made if self.runner.run(self.street.status(each.id)) != "cancelled"]
        assert len(alive) <= 1
        return alive[0] if alive else None

    # payment

    @precondition(lambda self: self.has_order)
    @rule(card=CARDS, is_told=st.sampled_from((True, True, False)))
    def pay(self, card: str, is_told: bool) -> None:
        """The buyer of the order in hand; the provider may tell of it at once, or never."""
        self.runner.run(self.street.confirm(self.street.order, card))
        if is_told:
            self.hear()

    @precondition(lambda self: self.has_order)
    @rule()
    def hear(self) -> None:
        intent = self.runner.run(self.street.intent_of(self.street.order))
        if intent is not None:
            self.runner.run(self.street.finaliser.hear(intent, self.street.order))

    @precondition(lambda self: self.has_order)
    @rule()
    def look(self) -> None:
        """The buyer asks how far it is; nobody else is told."""
        street = self.street
        found = self.runner.run(street.checkout.state(street.buyer, street.order))
        assert found is not None
        paid = self.runner.run(street.status(street.order)) not in ("pending", "cancelled")
        assert (found.settlement.kind is SettlementKind.SUCCEEDED) is paid
        other = street.people[OTHER if street.buyer is not street.people[OTHER] else USER]
        assert self.runner.run(street.checkout.state(other, street.order)) is None

    @precondition(lambda self: self.has_order)
    @rule()
    def end_what_gave_way(self) -> None:
        begun, self.street.settling.begun = self.street.settling.begun, []
        for order in begun:
            self.runner.run(self.street.finaliser.settle(order))

    @precondition(lambda self: self.has_order)
    @rule(minutes=st.sampled_from((6, 6, 31)))
    def sweep(self, minutes: int) -> None:
        self.runner.run(self.street.sweep(minutes))

    @precondition(lambda self: self.has_order)
    @rule()
    def carry_out_refunds(self) -> None:
        self.runner.run(self.street.carry_out_refunds())

    @precondition(lambda self: self.has_order)
    @rule()
    def leave_carts(self) -> None:
        """The worker hears of paid orders, each of them a second time."""
        for sold in self.street.orders:
            if self.runner.run(self.street.was_paid(sold.id)):
                self.runner.run(self.street.leave_cart(sold.id))
                self.take_out(sold)

    def take_out(self, sold: Sold) -> None:
        if sold.is_heard:
            return
        basket = self.baskets[sold.who]
        if basket.era != sold.era:
            basket = self.baskets[USER]
        for product, quantity in sold.quantities.items():
            held = basket.lines.get(product)
            if held is None or held.added_at > sold.at:
                continue
            sold.is_heard = True
            held.quantity -= quantity
            if held.quantity <= 0:
                del basket.lines[product]

    @precondition(lambda self: self.has_order and len(self.street.orders) > 1)
    @rule(number=st.integers(0, MOST_ORDERS - 1))
    def turn_to_another(self, number: int) -> None:
        self.street.turn_to(self.street.orders[number % len(self.street.orders)])


SEEN = {"order cancelled", "order delivered", "refund succeeded"}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("stripe") / "data") as started:
        yield started


def test_any_course_from_carts_to_refunds(settings: program.Settings, sandbox: Sandbox) -> None:
    Shopping.program, Shopping.stripe_url = settings, sandbox.url
    run_state_machine_as_test(Shopping, settings=OFTEN)  # type: ignore[no-untyped-call]
    assert Shopping.came_to >= SEEN, "the courses are too much alike to prove anything"


OFTEN = settings(
    max_examples=COURSES or 8,
    stateful_step_count=50 if COURSES else 15,
    deadline=None,
    derandomize=not COURSES,
    database=None,
    phases=[Phase.generate],  # each step is dozens of statements: to shrink a course takes minutes
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
