"""What a shopper does with a cart: the desk, on carts in DynamoDB and a catalogue in memory."""

import asyncio

import pytest

from adapters.dynamodb.carts import DynamoCarts
from domain.carts.model import Cart, CartOwner, WarningCode
from domain.carts.refusals import LineNotFound, NoCartOwner, OutOfStock, ProductNotFound, VariationRequired
from domain.carts.service import CartDesk
from domain.catalog.model import ProductStatus
from domain.catalog.service import Catalog
from domain.shared.ids import ProductId, UserId, VariationId, uuid7
from domain.shared.money import Money
from domain.shared.refusals import InvalidInput, Unavailable
from domain.shared.viewer import ANONYMOUS, Role, Viewer
from tests.shelf import NOW, PRICE, Held, Shelf
from tests.watch import Watch


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def desk(carts: DynamoCarts, shelf: Shelf, watch: Watch) -> CartDesk:
    return CartDesk(carts, Catalog(shelf, None, None), watch, Held())  # type: ignore[arg-type]


@pytest.fixture
def viewer() -> Viewer:
    return Viewer(Role.USER, user_id=UserId(uuid7()))


class Away:
    """Carts that do not answer, or not now."""

    def __init__(self, problem: Exception | None = None) -> None:
        self._problem = problem

    async def cart(self, _owner: CartOwner) -> Cart:
        if self._problem:
            raise self._problem
        return await asyncio.Event().wait()  # type: ignore[return-value]


@pytest.mark.parametrize("carts_are", [Away(), Away(Unavailable("DynamoDB")), Away(KeyError("quantity"))])
async def test_a_sign_in_waits_for_no_cart_that_does_not_come(
    carts_are: Away, shelf: Shelf, watch: Watch, viewer: Viewer
) -> None:
    desk = CartDesk(carts_are, Catalog(shelf, None, None), watch, Held(), take_over_s=0.01)  # type: ignore[arg-type]
    async with asyncio.timeout(60):
        assert await desk.take_over(viewer, uuid7()) is None


class TestDesk:
    async def test_add_update_and_remove_a_line(self, desk: CartDesk, shelf: Shelf, viewer: Viewer) -> None:
        product = shelf.product()
        [line] = (await desk.add(viewer, product, None, 2)).cart.lines
        assert (line.quantity, line.price_snapshot, line.added_at) == (2, PRICE, NOW)
        assert (await desk.update(viewer, line.id, 5)).cart.total_quantity == 5
        assert not (await desk.remove(viewer, line.id)).cart.lines

    async def test_update_to_nothing_removes_the_line(self, desk: CartDesk, shelf: Shelf, viewer: Viewer) -> None:
        [line] = (await desk.add(viewer, shelf.product(), None, 2)).cart.lines
        assert not (await desk.update(viewer, line.id, 0)).cart.lines

    async def test_variations_are_lines_of_their_own_at_their_own_price(
        self, desk: CartDesk, shelf: Shelf, viewer: Viewer
    ) -> None:
        product = shelf.product()
        for variation in (shelf.variation(product), shelf.variation(product)):
            await desk.add(viewer, product, variation, 1)
        lines = (await desk.cart(viewer)).lines
        assert len({line.id for line in lines}) == 2
        assert {line.price_snapshot for line in lines} == {Money(2200, "JPY")}

    async def test_more_than_is_left_is_capped_with_a_warning(
        self, desk: CartDesk, shelf: Shelf, viewer: Viewer
    ) -> None:
        outcome = await desk.add(viewer, shelf.product(stock=3), None, 5)
        [line], [warning] = outcome.cart.lines, outcome.warnings
        assert line.quantity == 3
        assert (warning.code, warning.target) == (WarningCode.QUANTITY_CAPPED, line.id)
        assert (warning.requested, warning.applied) == (5, 3)

    async def test_what_is_not_on_sale_is_refused(self, desk: CartDesk, shelf: Shelf, viewer: Viewer) -> None:
        product = shelf.product()
        retired = shelf.variation(product, is_active=False)
        for (product_id, variation_id), field in (
            ((ProductId(uuid7()), None), "productId"),
            ((shelf.product(status=ProductStatus.DISCONTINUED), None), "productId"),
            ((product, retired), "variationId"),
            ((product, VariationId(uuid7())), "variationId"),
        ):
            with pytest.raises(ProductNotFound) as refusal:
                await desk.add(viewer, product_id, variation_id, 1)
            assert refusal.value.field == (field,)

    async def test_a_product_in_variations_needs_one(self, desk: CartDesk, shelf: Shelf, viewer: Viewer) -> None:
        product = shelf.product()
        shelf.variation(product)
        with pytest.raises(VariationRequired):
            await desk.add(viewer, product, None, 1)

    async def test_what_is_out_of_stock_is_refused(self, desk: CartDesk, shelf: Shelf, viewer: Viewer) -> None:
        with pytest.raises(OutOfStock):
            await desk.add(viewer, shelf.product(stock=0), None, 1)

    @pytest.mark.parametrize("quantity", [-1, 0, 100])
    async def test_a_quantity_outside_1_to_99_is_refused(
        self, desk: CartDesk, shelf: Shelf, viewer: Viewer, quantity: int
    ) -> None:
        with pytest.raises(InvalidInput) as refused:
            await desk.add(viewer, shelf.product(), None, quantity)
        assert (refused.value.code, refused.value.field) == ("BAD_USER_INPUT", ("quantity",))

    async def test_a_line_that_is_not_in_the_cart_is_named_so_whatever_its_product(
        self, desk: CartDesk, shelf: Shelf, viewer: Viewer
    ) -> None:
        for line_id in (str(shelf.product()), str(uuid7()), "no line"):
            with pytest.raises(LineNotFound):
                await desk.update(viewer, line_id, 1)
            with pytest.raises(LineNotFound):
                await desk.remove(viewer, line_id)

    async def test_a_line_whose_product_went_away_can_only_be_removed(
        self, desk: CartDesk, shelf: Shelf, viewer: Viewer
    ) -> None:
        [line] = (await desk.add(viewer, shelf.product(), None, 2)).cart.lines
        shelf.products.clear()
        with pytest.raises(ProductNotFound):
            await desk.update(viewer, line.id, 1)
        assert not (await desk.remove(viewer, line.id)).cart.lines

    async def test_a_viewer_known_by_nothing_sees_an_empty_cart_and_may_not_write(
        self, desk: CartDesk, shelf: Shelf
    ) -> None:
        assert await desk.cart(ANONYMOUS) == Cart(None)
        with pytest.raises(NoCartOwner):
            await desk.add(ANONYMOUS, shelf.product(), None, 1)
