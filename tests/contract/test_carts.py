"""The port Carts, on DynamoDB."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest

from adapters.aws.clients import Aws
from adapters.dynamodb.carts import DynamoCarts
from adapters.dynamodb.tables import CARTS
from domain.carts.changes import Decision, PutLine, Remove, SetQuantity, decide_add, decide_clear, decide_merge
from domain.carts.model import LIFETIME, MAX_LINES, MAX_SETTLED, Bought, Cart, CartLine, CartOwner, LineRef, OwnerKind
from domain.carts.offers import Offer
from domain.carts.refusals import CartBusy, CartFull, LineNotFound
from domain.carts.service import settle
from domain.shared.ids import ProductId, VariationId, uuid7
from domain.shared.money import Money
from domain.shared.refusals import VersionConflict
from settings import Settings
from tests.watch import Watch

NOW = Watch().now()
PRICE = Money(1980, "JPY")


@pytest.fixture
def owner() -> CartOwner:
    return CartOwner(OwnerKind.USER, uuid7())


@pytest.fixture
def items(aws: Aws, settings: Settings) -> Callable[[CartOwner], Any]:
    """What lies in the table for an owner, by sort key."""

    async def read(owner: CartOwner) -> dict[str, Any]:
        answer = await aws.dynamodb.query(
            TableName=CARTS.named(settings.dynamodb_table_prefix),
            KeyConditionExpression="user_id = :owner",
            ExpressionAttributeValues={":owner": {"S": owner.key}},
            ConsistentRead=True,
        )
        return {item["product_id"]["S"]: item for item in answer["Items"]}

    return read


def some_line() -> LineRef:
    return LineRef(ProductId(uuid7()))


def adding(ref: LineRef, quantity: int = 1, stock: int = 99) -> Callable[[Cart], Decision]:
    return lambda cart: decide_add(cart, ref, quantity, stock, PRICE, NOW)


class TestCarts:
    async def test_a_line_reads_back_as_it_was_put(self, carts: DynamoCarts, owner: CartOwner) -> None:
        line = CartLine(ProductId(uuid7()), VariationId(uuid7()), 3, NOW, NOW, Money(1999, "GBP"))
        stored = (await carts.change(owner, lambda _: Decision((PutLine(line),)))).cart
        assert stored == await carts.cart(owner)
        assert (list(stored.lines), stored.version, stored.owner) == ([line], 1, owner)
        assert stored.expires_at == (NOW + LIFETIME).replace(microsecond=0)

    async def test_items_are_named_as_in_the_database_document(
        self, carts: DynamoCarts, owner: CartOwner, items: Any
    ) -> None:
        variation = VariationId(uuid7())
        ref = LineRef(ProductId(uuid7()), variation)
        await carts.change(owner, adding(ref, 2))
        item = (await items(owner))[ref.id]
        assert item.pop("metadata") == {"M": {"currency": {"S": "JPY"}}}
        assert {name: next(iter(value)) for name, value in item.items()} == {
            "user_id": "S",
            "product_id": "S",
            "product_variation_id": "S",
            "quantity": "N",
            "added_at": "N",
            "updated_at": "N",
            "expires_at": "N",
            "price_snapshot": "N",
        }
        assert (item["price_snapshot"]["N"], item["product_variation_id"]["S"]) == ("1980", str(variation))

    async def test_the_version_grows_by_one_with_each_change(self, carts: DynamoCarts, owner: CartOwner) -> None:
        ref = some_line()
        changes: list[Callable[[Cart], Decision]] = [
            adding(ref),
            adding(ref),
            lambda _: Decision((SetQuantity(ref, 5),)),
            adding(some_line()),
            lambda _: Decision((Remove(ref),)),
        ]
        versions = [(await carts.change(owner, change)).cart.version for change in changes]
        assert versions == [1, 2, 3, 4, 5]

    async def test_a_decision_without_changes_stores_nothing(self, carts: DynamoCarts, owner: CartOwner) -> None:
        before = (await carts.change(owner, adding(some_line()))).cart
        assert (await carts.change(owner, lambda _: Decision())).cart == before == await carts.cart(owner)

    async def test_a_guests_cart_is_apart_from_the_users_of_the_same_id(
        self, carts: DynamoCarts, owner: CartOwner
    ) -> None:
        guest = CartOwner(OwnerKind.GUEST, owner.id)
        await carts.change(guest, adding(some_line()))
        assert not (await carts.cart(owner)).lines

    async def test_adding_again_renews_the_price_but_keeps_the_lines_place(
        self, carts: DynamoCarts, owner: CartOwner, watch: Watch
    ) -> None:
        first, second = some_line(), some_line()
        await carts.change(owner, adding(first))
        later = NOW + timedelta(minutes=1)
        await carts.change(owner, lambda cart: decide_add(cart, second, 1, 9, PRICE, later))
        watch.wind(timedelta(hours=1))
        dearer = Money(2500, "JPY")
        cart = (await carts.change(owner, lambda cart: decide_add(cart, first, 1, 9, dearer, later))).cart
        assert [(line.ref, line.price_snapshot) for line in cart.lines] == [(first, dearer), (second, PRICE)]
        assert (cart.lines[0].added_at, cart.lines[0].updated_at) == (NOW, watch.time)

    async def test_a_late_decision_is_made_again_on_the_cart_as_it_is(
        self, carts: DynamoCarts, owner: CartOwner
    ) -> None:
        ref = some_line()
        empty = await carts.cart(owner)
        await carts.change(owner, adding(ref, 2))
        seen: list[int] = []

        def decided_too_early(cart: Cart) -> Decision:
            seen.append(cart.total_quantity)
            return adding(ref, 3)(empty if len(seen) == 1 else cart)

        assert (await carts.change(owner, decided_too_early)).cart.total_quantity == 5
        assert seen == [2, 2]

    async def test_a_capped_quantity_is_set_only_over_the_quantity_it_was_capped_for(
        self, carts: DynamoCarts, owner: CartOwner
    ) -> None:
        ref = some_line()
        await carts.change(owner, adding(ref, 2))
        asked: list[int] = []

        def from_stale_quantity(cart: Cart) -> Decision:
            asked.append(cart.total_quantity)
            return Decision((SetQuantity(ref, 9, was=1 if len(asked) == 1 else 2),))

        assert (await carts.change(owner, from_stale_quantity)).cart.total_quantity == 9
        assert len(asked) == 2

    async def test_always_losing_the_race_ends_in_a_retryable_refusal(
        self, carts: DynamoCarts, owner: CartOwner
    ) -> None:
        await carts.change(owner, adding(some_line()))
        with pytest.raises(CartBusy) as refused:
            await carts.change(owner, lambda _: Decision((Remove(some_line()),)))
        assert refused.value.retryable
        assert (await carts.cart(owner)).version == 1


class TestRaces:
    async def test_adds_of_one_line_at_once_are_all_counted(self, carts: DynamoCarts, owner: CartOwner) -> None:
        ref = some_line()
        await asyncio.gather(carts.change(owner, adding(ref, 2)), carts.change(owner, adding(ref, 3)))
        cart = await carts.cart(owner)
        assert ([line.quantity for line in cart.lines], cart.version) == ([5], 2)

    async def test_adds_at_once_never_pass_the_stock(self, carts: DynamoCarts, owner: CartOwner) -> None:
        ref = some_line()
        outcomes = await asyncio.gather(*(carts.change(owner, adding(ref, 2, stock=5)) for _ in range(4)))
        assert (await carts.cart(owner)).total_quantity == 5
        assert sum(len(outcome.warnings) for outcome in outcomes) == 2

    async def test_sixty_products_at_once_fill_exactly_fifty_lines(
        self, carts: DynamoCarts, owner: CartOwner, items: Any
    ) -> None:
        outcomes = await asyncio.gather(
            *(carts.change(owner, adding(some_line())) for _ in range(60)), return_exceptions=True
        )
        refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        assert {type(each) for each in refused} == {CartFull}
        cart = await carts.cart(owner)
        assert (len(cart.lines), len(refused), cart.version) == (MAX_LINES, 10, MAX_LINES)
        assert (await items(owner))["#cart"]["line_count"] == {"N": "50"}

    async def test_update_and_remove_at_once_leave_no_line_and_no_trace(
        self, carts: DynamoCarts, owner: CartOwner, items: Any
    ) -> None:
        ref = some_line()

        def updating(cart: Cart) -> Decision:
            if cart.line(ref) is None:
                raise LineNotFound
            return Decision((SetQuantity(ref, 7),))

        async def update() -> None:
            with suppress(LineNotFound):
                await carts.change(owner, updating)

        for _ in range(5):
            await carts.change(owner, adding(ref))
            await asyncio.gather(update(), carts.change(owner, lambda _: Decision((Remove(ref),))))
            assert not (await carts.cart(owner)).lines
            assert (await items(owner))["#cart"]["line_count"] == {"N": "0"}


class TestExpiry:
    async def test_an_expired_cart_reads_empty_and_the_next_one_is_another(
        self, carts: DynamoCarts, owner: CartOwner, watch: Watch, items: Any
    ) -> None:
        old = (await carts.change(owner, adding(some_line()))).cart
        watch.wind(LIFETIME)
        assert await carts.cart(owner) == Cart(owner)
        ref = some_line()
        new = (await carts.change(owner, adding(ref))).cart
        assert ([line.ref for line in new.lines], new.version) == ([ref], 1)
        assert new.id != old.id
        assert set(await items(owner)) == {"#cart", ref.id}

    async def test_a_product_of_an_expired_cart_can_be_added_again(
        self, carts: DynamoCarts, owner: CartOwner, watch: Watch
    ) -> None:
        ref = some_line()
        await carts.change(owner, adding(ref, 4))
        watch.wind(LIFETIME)
        assert (await carts.change(owner, adding(ref))).cart.total_quantity == 1

    async def test_two_who_begin_a_cart_at_once_share_it(self, carts: DynamoCarts, owner: CartOwner) -> None:
        await asyncio.gather(*(carts.change(owner, adding(some_line())) for _ in range(5)))
        cart = await carts.cart(owner)
        assert (len(cart.lines), cart.version) == (5, 5)

    async def test_a_change_keeps_every_line_as_long_as_the_cart(
        self, carts: DynamoCarts, owner: CartOwner, watch: Watch, items: Any
    ) -> None:
        await carts.change(owner, adding(some_line()))
        watch.wind(timedelta(days=20))
        await carts.change(owner, adding(some_line()))
        watch.wind(timedelta(days=20))
        assert len((await carts.cart(owner)).lines) == 2
        stored = await items(owner)
        header = stored.pop("#cart")
        assert all(int(item["expires_at"]["N"]) >= int(header["expires_at"]["N"]) for item in stored.values())


class TestMerging:
    @pytest.fixture
    def guest(self) -> CartOwner:
        return CartOwner(OwnerKind.GUEST, uuid7())

    @staticmethod
    def merging(stock: int = 99) -> Callable[[Cart, Cart], Decision]:
        def decide(cart: Cart, guest: Cart) -> Decision:
            return decide_merge(cart, guest, {line.ref: Offer(stock, PRICE) for line in guest.lines}, NOW)

        return decide

    async def test_the_larger_quantity_of_each_line_holds_and_a_second_time_changes_nothing(
        self, carts: DynamoCarts, owner: CartOwner, guest: CartOwner
    ) -> None:
        more, less, new = some_line(), some_line(), some_line()
        for ref, quantity in ((more, 2), (less, 5)):
            await carts.change(owner, adding(ref, quantity))
        for ref, quantity in ((more, 3), (less, 1), (new, 4)):
            await carts.change(guest, adding(ref, quantity))
        outcome = await carts.merge(guest, owner, self.merging())
        assert {line.ref: line.quantity for line in outcome.cart.lines} == {more: 3, less: 5, new: 4}
        assert set(outcome.merged) == {more.id, new.id}
        assert outcome.cart.version == 3
        assert (await carts.cart(guest)).lines == ()
        again = await carts.merge(guest, owner, self.merging())
        assert (again.cart, again.merged, again.warnings) == (outcome.cart, (), ())

    async def test_two_merges_at_once_store_one(self, carts: DynamoCarts, owner: CartOwner, guest: CartOwner) -> None:
        ref = some_line()
        await carts.change(guest, adding(ref, 3))
        outcomes = await asyncio.gather(*(carts.merge(guest, owner, self.merging()) for _ in range(3)))
        assert sorted(len(outcome.merged) for outcome in outcomes) == [0, 0, 1]
        assert [(line.quantity) for line in (await carts.cart(owner)).lines] == [3]
        assert (await carts.cart(owner)).version == 1

    async def test_two_full_carts_fit_one_transaction(
        self, carts: DynamoCarts, owner: CartOwner, guest: CartOwner
    ) -> None:
        lines = [CartLine(ProductId(uuid7()), None, 1, NOW, NOW, PRICE) for _ in range(2 * MAX_LINES)]
        for whose, part in ((owner, lines[:MAX_LINES]), (guest, lines[MAX_LINES:])):
            await carts.change(whose, lambda _, part=part: Decision(tuple(map(PutLine, part))))  # type: ignore[misc]
        full = await carts.merge(guest, owner, self.merging())
        assert len(full.cart.lines) == MAX_LINES
        assert len(full.warnings) == MAX_LINES, "each is told as dropped"

    async def test_a_cart_that_expired_does_not_come_back_with_a_full_merge(
        self, carts: DynamoCarts, owner: CartOwner, guest: CartOwner, watch: Watch
    ) -> None:
        old = [CartLine(ProductId(uuid7()), None, 1, NOW, NOW, PRICE) for _ in range(MAX_LINES)]
        await carts.change(owner, lambda _: Decision(tuple(map(PutLine, old))))
        watch.wind(LIFETIME + timedelta(seconds=1))
        new = [CartLine(ProductId(uuid7()), None, 1, NOW, NOW, PRICE) for _ in range(MAX_LINES)]
        await carts.change(guest, lambda _: Decision(tuple(map(PutLine, new))))
        outcome = await carts.merge(guest, owner, self.merging())
        assert {line.ref for line in outcome.cart.lines} == {line.ref for line in new}

    async def test_a_guest_without_a_cart_changes_nothing(
        self, carts: DynamoCarts, owner: CartOwner, guest: CartOwner
    ) -> None:
        before = (await carts.change(owner, adding(some_line()))).cart
        assert (await carts.merge(guest, owner, self.merging())).cart == before

    async def test_all_lines_are_cleared_at_once(self, carts: DynamoCarts, owner: CartOwner) -> None:
        for _ in range(3):
            await carts.change(owner, adding(some_line()))
        with pytest.raises(VersionConflict):
            await carts.change(owner, lambda cart: decide_clear(cart, 2))
        cleared = (await carts.change(owner, lambda cart: decide_clear(cart, 3))).cart
        assert (cleared.lines, cleared.version) == ((), 4)
        again = (await carts.change(owner, lambda cart: decide_clear(cart, 4))).cart
        assert again.version == 4, "nothing to clear is no change"


class TestWhatWasBought:
    """It leaves the cart that it was bought from, once, and nothing else does."""

    @staticmethod
    def bought(cart: Cart, at: datetime, **quantities: int) -> Bought:
        assert cart.owner is not None
        assert cart.id is not None
        taken = {line.ref: quantities.get(f"line{number}", line.quantity) for number, line in enumerate(cart.lines)}
        return Bought(uuid7(), cart.owner, cart.id, at, taken)

    async def test_all_of_it_leaves(self, carts: DynamoCarts, owner: CartOwner) -> None:
        cart = await filled(carts, owner, 2)
        await settle(carts, self.bought(cart, NOW))
        assert (await carts.cart(owner)).lines == ()

    async def test_what_was_added_since_stays_however_often_it_is_told(
        self, carts: DynamoCarts, owner: CartOwner, watch: Watch
    ) -> None:
        cart = await filled(carts, owner, 2)
        bought = self.bought(cart, watch.now())
        watch.wind(timedelta(minutes=1))
        more, other = cart.lines[0].ref, some_line()
        await carts.change(owner, adding(more, 3))
        await carts.change(owner, lambda now: decide_add(now, other, 1, 99, PRICE, watch.now()))
        for _ in range(3):
            await settle(carts, bought)
            left = {line.ref: line.quantity for line in (await carts.cart(owner)).lines}
            assert left == {more: 3, other: 1}

    async def test_what_was_put_in_anew_stays(self, carts: DynamoCarts, owner: CartOwner, watch: Watch) -> None:
        cart = await filled(carts, owner, 1)
        bought = self.bought(cart, watch.now())
        watch.wind(timedelta(minutes=1))
        [line] = cart.lines
        await carts.change(owner, lambda _: Decision((Remove(line.ref),)))
        await carts.change(owner, lambda now: decide_add(now, line.ref, 1, 99, PRICE, watch.now()))
        await settle(carts, bought)
        assert [each.ref for each in (await carts.cart(owner)).lines] == [line.ref]

    async def test_a_cart_that_began_anew_is_another(self, carts: DynamoCarts, owner: CartOwner, watch: Watch) -> None:
        bought = self.bought(await filled(carts, owner, 1), watch.now())
        watch.wind(LIFETIME + timedelta(days=1))
        await carts.change(owner, adding(next(iter(bought.quantities))))
        await settle(carts, bought)
        assert len((await carts.cart(owner)).lines) == 1

    async def test_told_ten_times_at_once_it_is_taken_once(self, carts: DynamoCarts, owner: CartOwner) -> None:
        cart = await filled(carts, owner, 1, quantity=9)
        bought = self.bought(cart, NOW, line0=2)
        for told in await asyncio.gather(*(settle(carts, bought) for _ in range(10)), return_exceptions=True):
            assert told is None or isinstance(told, CartBusy)
        await settle(carts, bought)
        assert [line.quantity for line in (await carts.cart(owner)).lines] == [7]

    async def test_it_remembers_the_last_orders_and_no_more(self, carts: DynamoCarts, owner: CartOwner) -> None:
        cart = await filled(carts, owner, 1, quantity=99)
        orders = [self.bought(cart, NOW, line0=1) for _ in range(MAX_SETTLED + 2)]
        for bought in orders:
            await settle(carts, bought)
        now = await carts.cart(owner)
        assert now.settled == tuple(each.order_id for each in orders[-MAX_SETTLED:])
        assert [line.quantity for line in now.lines] == [99 - len(orders)]

    @pytest.fixture
    def guest(self) -> CartOwner:
        return CartOwner(OwnerKind.GUEST, uuid7())

    async def test_what_a_guest_bought_leaves_the_cart_that_the_guests_was_merged_into(
        self, carts: DynamoCarts, owner: CartOwner, guest: CartOwner, watch: Watch
    ) -> None:
        own, other = (await filled(carts, owner, 1)).lines[0].ref, some_line()
        left = await filled(carts, guest, 2, quantity=3)
        bought = self.bought(left, watch.now(), line1=2)
        watch.wind(timedelta(minutes=1))
        await carts.merge(guest, owner, TestMerging.merging())
        assert (await carts.cart(guest)).lines == ()
        await carts.change(owner, lambda now: decide_add(now, other, 1, 99, PRICE, watch.now()))
        for _ in range(3):
            await settle(carts, bought)
            found = {line.ref: line.quantity for line in (await carts.cart(owner)).lines}
            assert found == {own: 1, other: 1, left.lines[1].ref: 1}

    @pytest.mark.parametrize("has_cart", [True, False])
    async def test_what_had_left_before_the_merge_leaves_no_second_time(
        self, carts: DynamoCarts, owner: CartOwner, guest: CartOwner, watch: Watch, has_cart: bool
    ) -> None:
        if has_cart:
            await filled(carts, owner, 1)
        cart = await filled(carts, guest, 1, quantity=9)
        bought = self.bought(cart, watch.now(), line0=2)
        await settle(carts, bought)
        await carts.merge(guest, owner, TestMerging.merging())
        for _ in range(2):
            await settle(carts, bought)
        line = (await carts.cart(owner)).line(cart.lines[0].ref)
        assert line is not None
        assert line.quantity == 7
        assert (await carts.cart(owner)).settled == (bought.order_id,)

    async def test_a_guests_next_cart_is_not_the_one_that_was_merged(
        self, carts: DynamoCarts, owner: CartOwner, guest: CartOwner, watch: Watch
    ) -> None:
        bought = self.bought(await filled(carts, guest, 1), watch.now())
        await carts.merge(guest, owner, TestMerging.merging())
        await carts.change(owner, lambda _: Decision((Remove(next(iter(bought.quantities))),)))
        watch.wind(timedelta(minutes=1))
        again = await filled(carts, guest, 1)
        await settle(carts, bought)
        assert (await carts.cart(guest)).lines == again.lines
        assert (await carts.cart(owner)).lines == ()


async def filled(carts: DynamoCarts, owner: CartOwner, lines: int, quantity: int = 1) -> Cart:
    for _ in range(lines):
        await carts.change(owner, adding(some_line(), quantity))
    return await carts.cart(owner)
