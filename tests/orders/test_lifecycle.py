"""Any course that an order can take, on a real database: what is offered happens, what is not is refused, the books balance."""

from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test

import settings as program
from tests.orders.course import Course
from tests.orders.life import Line, begun

LINES = st.lists(st.builds(Line, st.integers(0, 1), st.integers(1, 3), st.integers(1, 2_000)), min_size=1, max_size=3)


class OneOrder(Course):
    urls: ClassVar[tuple[str, str]]

    @initialize(
        lines=LINES,
        fees=st.tuples(*[st.integers(0, 800)] * 2),
        currency=st.sampled_from(["JPY", "USD"]),
        far=st.lists(st.sampled_from((0, 1, 2, 2, 2)), min_size=3, max_size=3),
        is_paid=st.sampled_from((True, True, True, True, False)),
    )
    def place(self, lines: list[Line], fees: tuple[int, int], currency: str, far: list[int], is_paid: bool) -> None:
        """Somewhere on its way: most courses would end long before."""
        self.life = begun(self.runner, self.urls, lines, list(fees), currency)
        if is_paid:
            self.pay()
            for place, steps in enumerate(far[: len(lines)]):
                for step in (self.ship, self.deliver)[:steps]:
                    step(place)

    @precondition(lambda self: self.life is not None)
    @invariant()
    def books_balance(self) -> None:
        self.runner.run(self.here.check())

    @rule()
    def pay(self) -> None:
        self.runner.run(self.here.pay())

    @rule(succeeded=st.booleans())
    def hear_of_a_refund(self, succeeded: bool) -> None:
        self.runner.run(self.here.settle_refund(succeeded=succeeded))

    @rule(amount=st.integers(1, 3_000), is_whole=st.booleans())
    def give_back_by_hand(self, amount: int, is_whole: bool) -> None:
        self.runner.run(self.here.refund_by_hand(self.here.total if is_whole else amount))

    @rule()
    def come_back(self) -> None:
        self.runner.run(self.here.refund_comes_back())


def test_any_course_of_an_order(settings: program.Settings) -> None:
    OneOrder.urls = (settings.database_url.get_secret_value(), settings.database_worker_url.get_secret_value())
    run_state_machine_as_test(OneOrder, settings=OFTEN)  # type: ignore[no-untyped-call]


OFTEN = settings(
    max_examples=8,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # each step is a dozen statements: to shrink a course takes minutes
    suppress_health_check=list(HealthCheck),
)
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
