"""The state machines of orders: what is said of them, move by move."""

from itertools import combinations_with_replacement, product

import pytest

from domain.orders.model import OrderStatus as S
from domain.orders.model import PaymentStatus as P
from domain.orders.states import (
    ADVANCE,
    ITEM_MOVES,
    MACHINES,
    PAYMENT_MOVES,
    Actor,
    IllegalMove,
    checked_move,
    derived_status,
    may_move,
)

EVERYBODY = frozenset(Actor)


def test_items_move_as_promised_and_no_other_way() -> None:
    allowed = {
        (S.PENDING, S.PROCESSING),
        (S.PENDING, S.CANCELLED),
        (S.PROCESSING, S.SHIPPED),
        (S.PROCESSING, S.CANCELLED),
        (S.SHIPPED, S.DELIVERED),
        (S.SHIPPED, S.REFUNDED),
        (S.DELIVERED, S.REFUNDED),
    }
    found = {pair for pair in product(S, S) if may_move(ITEM_MOVES, *pair, EVERYBODY)}
    assert found == allowed
    for source, target in set(product(S, S)) - allowed:
        with pytest.raises(IllegalMove) as refused:
            checked_move(ITEM_MOVES, source, target, EVERYBODY)
        assert source.value in refused.value.message
        assert target.value in refused.value.message


def test_a_payment_is_paid_through_processing_only() -> None:
    into = {source for source in P if may_move(PAYMENT_MOVES, source, P.SUCCEEDED, EVERYBODY)}
    assert into == {P.PROCESSING, P.REFUNDED}  # the second: paid it was, and some of what went back has come back
    assert {target for target in P if may_move(PAYMENT_MOVES, P.SUCCEEDED, target, EVERYBODY)} == {P.REFUNDED}
    assert may_move(PAYMENT_MOVES, P.FAILED, P.PROCESSING, {Actor.SYSTEM})


@pytest.mark.parametrize(
    ("source", "target", "who"),
    [
        (S.PENDING, S.CANCELLED, {Actor.BUYER, Actor.ADMIN, Actor.SYSTEM}),
        (S.PROCESSING, S.SHIPPED, {Actor.SELLER, Actor.ADMIN}),
        (S.SHIPPED, S.REFUNDED, {Actor.ADMIN}),
        (S.DELIVERED, S.REFUNDED, {Actor.SELLER, Actor.ADMIN}),
    ],
)
def test_each_move_is_somebodys(source: S, target: S, who: set[Actor]) -> None:
    assert {actor for actor in Actor if may_move(ITEM_MOVES, source, target, {actor})} == who


def test_nothing_moves_out_of_an_end_or_to_itself() -> None:
    for states, moves in MACHINES.values():
        assert len(set(moves)) == len(moves)
        assert all(source is not target and {source, target} <= set(states) for source, target in moves)
    sources = {move.source for move in ITEM_MOVES}
    assert set(S) - sources == {S.CANCELLED, S.REFUNDED}


def test_an_order_stands_where_its_least_advanced_living_item_does() -> None:
    for items in combinations_with_replacement(S, 3):
        alive = [item for item in items if item in ADVANCE]
        if alive:
            assert derived_status(items) is min(alive, key=ADVANCE.index)
        else:
            assert derived_status(items) is (S.REFUNDED if S.REFUNDED in items else S.CANCELLED)
    with pytest.raises(ValueError, match="items"):
        derived_status([])
