"""How long a checkout waits for the payment provider once the order is written."""

import pytest

from domain.orders.checkout import patience_s


@pytest.mark.parametrize(
    ("gone_s", "waits_s"),
    [
        (0.0, 1.5),  # the answer comes after a second and a half
        (0.6, 0.9),
        (1.2, 0.5),  # the order took its time: the provider gets half a second all the same
        (6.0, 0.5),
        (8.8, 0.2),  # ten seconds are the bound of all
        (12.0, 0.0),
    ],
)
def test_it_is_answered_soon_and_never_late(gone_s: float, waits_s: float) -> None:
    assert patience_s(gone_s) == pytest.approx(waits_s)
