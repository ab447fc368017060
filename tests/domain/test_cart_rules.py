"""The rules of carts, without a store."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.carts.changes import Decision, Increase, PutLine, SetQuantity, decide_add, decide_remove, decide_update
from domain.carts.model import MAX_LINES, Cart, CartLine, CartOwner, CartWarning, LineRef, OwnerKind, WarningCode
from domain.carts.refusals import CartFull, LineNotFound
from domain.shared.ids import ProductId, UserId, VariationId, uuid7
from domain.shared.money import Money
from domain.shared.viewer import ANONYMOUS, Role, Viewer

NOW = datetime(2026, 4, 1, tzinfo=UTC)
PRICE = Money(1980, "JPY")
OWNER = CartOwner(OwnerKind.GUEST, UUID(int=1))
# fixed, for they name test cases, which must be the same in every worker
REF = LineRef(ProductId(UUID("0198f3a2-5d40-7abc-8def-0123456789ab")))


def cart_with(*quantities: int) -> Cart:
    refs = [REF, *(LineRef(ProductId(uuid7())) for _ in quantities[1:])][: len(quantities)]
    lines = [
        CartLine(ref.product_id, None, quantity, NOW, NOW, PRICE)
        for ref, quantity in zip(refs, quantities, strict=True)
    ]
    return Cart(OWNER, lines, uuid7(), 1, NOW)


def test_a_user_and_a_guest_of_the_same_id_own_different_carts() -> None:
    both = uuid7()
    user = CartOwner.of(Viewer(Role.USER, user_id=UserId(both)))
    guest = CartOwner.of(Viewer(guest_id=both))
    assert (user and user.key, guest and guest.key) == (f"user:{both}", f"guest:{both}")


def test_a_signed_in_viewer_owns_the_users_cart_even_with_a_guest_identity() -> None:
    owner = CartOwner.of(Viewer(Role.USER, user_id=UserId(uuid7()), guest_id=uuid7()))
    assert owner is not None
    assert owner.kind is OwnerKind.USER


def test_a_viewer_known_by_nothing_owns_no_cart() -> None:
    assert CartOwner.of(ANONYMOUS) is None


@pytest.mark.parametrize("variation", [None, VariationId(UUID(int=2))])
def test_a_line_id_names_its_product_and_variation(variation: VariationId | None) -> None:
    ref = LineRef(ProductId(uuid7()), variation)
    assert LineRef.parse(ref.id) == ref


@pytest.mark.parametrize("damaged", ["", "#", "#cart", "shoe", f"{REF.id}#", f"{REF.id.upper()}", f"{{{REF.id}}}"])
def test_anything_else_is_no_line_id(damaged: str) -> None:
    assert LineRef.parse(damaged) is None


def test_a_product_that_is_not_in_the_cart_becomes_a_line_at_the_present_price() -> None:
    decision = decide_add(cart_with(), REF, 2, stock=5, price=PRICE, now=NOW)
    assert decision == Decision((PutLine(CartLine(REF.product_id, None, 2, NOW, NOW, PRICE)),))


def test_more_of_a_line_is_added_on_top() -> None:
    assert decide_add(cart_with(3), REF, 2, stock=5, price=PRICE, now=NOW).changes == (Increase(REF, 2, 5, PRICE),)


def test_adding_beyond_the_stock_is_capped_with_a_warning() -> None:
    decision = decide_add(cart_with(3), REF, 4, stock=5, price=PRICE, now=NOW)
    assert decision.changes == (SetQuantity(REF, 5, was=3, price=PRICE),)
    assert decision.warnings == (CartWarning(WarningCode.QUANTITY_CAPPED, REF.id, requested=7, applied=5),)


def test_a_line_never_passes_99() -> None:
    [warning] = decide_add(cart_with(90), REF, 10, stock=500, price=PRICE, now=NOW).warnings
    assert (warning.requested, warning.applied) == (100, 99)


def test_a_fifty_first_line_is_refused_but_more_of_a_line_is_not() -> None:
    full = cart_with(*[1] * MAX_LINES)
    with pytest.raises(CartFull):
        decide_add(full, LineRef(ProductId(uuid7())), 1, stock=5, price=PRICE, now=NOW)
    assert decide_add(full, REF, 1, stock=5, price=PRICE, now=NOW).changes


def test_an_update_beyond_the_stock_is_capped_with_a_warning() -> None:
    decision = decide_update(cart_with(1).lines[0], 9, stock=4)
    assert decision.changes == (SetQuantity(REF, 4),)
    assert decision.warnings == (CartWarning(WarningCode.QUANTITY_CAPPED, REF.id, requested=9, applied=4),)


def test_an_update_to_the_same_quantity_changes_nothing() -> None:
    assert decide_update(cart_with(4).lines[0], 4, stock=9) == Decision()


def test_a_line_that_is_not_there_cannot_be_removed() -> None:
    with pytest.raises(LineNotFound):
        decide_remove(cart_with(), REF)


def test_total_quantity_is_the_sum_of_the_lines() -> None:
    assert cart_with(2, 3, 5).total_quantity == 10
