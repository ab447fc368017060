"""Orders as they are placed: one transaction, all of it or nothing.

It begins as the gateway and the buyer's (whose idempotency key and account those are), and goes on as `torii_till`. Locks, in
this order: the key, which is not waited for; the buyer; for a guest the address; the buyer's unpaid orders; variations; products;
streams of events.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Numeric, Text, Uuid, and_, bindparam, column, func, literal_column, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres.accounts_own import lock_own
from adapters.postgres.again import FOREIGN_KEY, UNIQUE, again_where_it_helps, state_of
from adapters.postgres.database import Database, take_on_till
from adapters.postgres.events import put_out
from adapters.postgres.idempotency import once
from adapters.postgres.orders_changes import write_changes
from adapters.postgres.orders_open import open_order
from adapters.postgres.orders_placed import placed_event, rows_of
from adapters.postgres.orders_shelf import (
    held_by_guests,
    lock_variations,
    lock_with_held,
    locked_products,
    set_aside,
    variations_of_locked,
)
from adapters.postgres.sellers import terms_of
from adapters.postgres.tables import checkouts, order_addresses, order_items, order_numbers, orders, reservations
from domain.accounts.addresses import AddressNotFound
from domain.carts.model import Bought, Cart, CartOwner, LineRef
from domain.orders.buying import Holding, NewOrder, SellingTerms, Shelf
from domain.orders.checkout_ports import Attempt, GuestOrder, PlacedOrder
from domain.orders.decisions import give_way
from domain.orders.model import OrderStatus
from domain.shared.events import Event
from domain.shared.idempotency import IdempotentCall
from domain.shared.ids import OrderId, SellerId
from domain.shared.refusals import Unauthenticated
from domain.shared.viewer import ANONYMOUS, Viewer

NUMBERS = "order_numbers_pkey"
ADDRESS = "shipping_address_id"

TERMS = select(
    func.sellers.selling_terms(bindparam("ids", type_=ARRAY(Uuid)))
    .table_valued(
        column("id", Uuid),
        column("name", Text),
        column("registration_number", Text),
        column("commission_rate", Numeric(5, 4)),
        column("shipping_policies", JSONB),
        name="terms",
    )
    .render_derived()
)
BOUGHT = (
    select(
        checkouts.c.cart_owner,
        checkouts.c.cart_id,
        orders.c.ordered_at,
        order_items.c.product_id,
        order_items.c.product_variation_id,
        order_items.c.quantity,
    )
    .join_from(checkouts, orders, orders.c.id == checkouts.c.order_id)
    .join(order_items, order_items.c.order_id == orders.c.id)
    .where(checkouts.c.order_id == bindparam("order_id"), orders.c.id == bindparam("order_id"))
)
BY_NUMBER = (
    select(order_numbers.c.order_id, order_addresses.c.email)
    .join(orders, orders.c.id == order_numbers.c.order_id)
    .join(order_addresses, order_addresses.c.order_id == order_numbers.c.order_id)
    .where(order_numbers.c.order_number == bindparam("number"), orders.c.user_id.is_(None))
)


UNPAID = and_(orders.c.status == literal_column("'pending'"), orders.c.expires_at.is_not(None))
"""Word for word what idx_orders_unpaid_of_cart is of."""
OWN_UNPAID = (
    select(orders.c.id)
    .where(orders.c.cart_owner == bindparam("owner"), UNPAID)
    .order_by(orders.c.id)
    .with_for_update(key_share=True)
)
OWN_HOLDS = (
    select(
        reservations.c.product_id,
        reservations.c.product_variation_id,
        func.sum(reservations.c.quantity).label("units"),
    )
    .join(orders, orders.c.id == reservations.c.order_id)
    .where(orders.c.cart_owner == bindparam("owner"), UNPAID, reservations.c.state == "held")
    .group_by(reservations.c.product_id, reservations.c.product_variation_id)
)


class PostgresOrderBook:
    """The port `OrderBook`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def place(
        self,
        viewer: Viewer,
        call: IdempotentCall,
        attempt: Attempt,
        decide: Callable[[Shelf], NewOrder],
        within_s: float,
    ) -> PlacedOrder:
        async def try_it() -> PlacedOrder:
            gave_way: list[OrderId] = []
            async with self._database.transaction(viewer, within_s) as connection:

                async def effect() -> UUID:
                    await _lock_buyer(connection, viewer)
                    await _lock_address(connection, attempt)
                    await take_on_till(connection)
                    before = await _placed_before(connection, attempt.cart)
                    if before is not None:
                        return before
                    gave_way.extend(await _own_unpaid(connection, attempt.cart))
                    return await _placed(connection, attempt, gave_way, decide)

                order_id = OrderId(await once(connection, call, effect))
            return PlacedOrder(order_id, tuple(gave_way))

        try:
            # a number that was taken already is drawn anew
            return await again_where_it_helps(try_it, _is_taken_number)
        except DBAPIError as error:
            if state_of(error) == FOREIGN_KEY and ADDRESS in str(error.orig):
                raise AddressNotFound from error
            raise

    async def own_holds(self, owner: CartOwner) -> Mapping[LineRef, int]:
        async with self._database.till(ANONYMOUS) as connection:
            rows = (await connection.execute(OWN_HOLDS, {"owner": owner.key})).all()
        return {LineRef(row.product_id, row.product_variation_id): int(row.units) for row in rows}

    async def bought(self, order_id: OrderId) -> Bought | None:
        async with self._database.till(ANONYMOUS) as connection:
            rows = (await connection.execute(BOUGHT, {"order_id": order_id})).all()
        owner = CartOwner.parse(rows[0].cart_owner) if rows else None
        if owner is None:
            return None
        quantities = {LineRef(row.product_id, row.product_variation_id): row.quantity for row in rows}
        return Bought(order_id, owner, rows[0].cart_id, rows[0].ordered_at, quantities)

    async def guest_order(self, order_number: str) -> GuestOrder | None:
        async with self._database.till(ANONYMOUS) as connection:
            row = (await connection.execute(BY_NUMBER, {"number": order_number})).first()
        return None if row is None else GuestOrder(OrderId(row.order_id), row.email)


async def _lock_buyer(connection: AsyncConnection, viewer: Viewer) -> None:
    """One checkout of a buyer at a time: two tabs with one cart make one order. A user is not deleted meanwhile either."""
    if viewer.user_id is not None:
        if not await lock_own(connection):
            raise Unauthenticated
        return
    name = func.hashtextextended(f"checkout\n{viewer.guest_id}", 0, type_=BigInteger)
    await connection.execute(select(func.pg_advisory_xact_lock(name)))


async def _lock_address(connection: AsyncConnection, attempt: Attempt) -> None:
    """One checkout at a time of the guests of one address, so that none is counted by the next before it is there.

    After the buyer's lock, whose holder alone waits for this, and before any row: whoever waits here keeps nobody from buying.
    """
    if attempt.placed_from is not None:
        name = func.hashtextextended(f"checkouts from\n{attempt.placed_from}", 0, type_=BigInteger)
        await connection.execute(select(func.pg_advisory_xact_lock(name)))


async def _placed_before(connection: AsyncConnection, cart: Cart) -> OrderId | None:
    """The order that this version of the cart made, unless that came to nothing."""
    if cart.owner is None or cart.id is None:
        return None
    statement = (
        select(checkouts.c.order_id)
        .join(orders, orders.c.id == checkouts.c.order_id)
        .where(
            checkouts.c.cart_owner == cart.owner.key,
            checkouts.c.cart_id == cart.id,
            checkouts.c.cart_version == cart.version,
            orders.c.status != OrderStatus.CANCELLED,
        )
    )
    found = await connection.scalar(statement)
    return None if found is None else OrderId(found)


async def _own_unpaid(connection: AsyncConnection, cart: Cart) -> list[OrderId]:
    """What the cart's owner, who has one cart, has ordered and not paid: locked, before any stock is.

    The buyer's lock is held: nobody else adds to these.
    """
    if cart.owner is None:
        return []
    return list((await connection.execute(OWN_UNPAID, {"owner": cart.owner.key})).scalars())


async def _placed(
    connection: AsyncConnection, attempt: Attempt, unpaid: Sequence[OrderId], decide: Callable[[Shelf], NewOrder]
) -> OrderId:
    ended = await _end(connection, attempt, unpaid)
    order = decide(await _shelf(connection, attempt))
    for table, rows in rows_of(order):
        await connection.execute(insert(table), rows)
    await _claim(connection, order)
    await set_aside(connection, order)
    await put_out(connection, [*ended, placed_event(order)])
    return order.id


async def _end(connection: AsyncConnection, attempt: Attempt, unpaid: Sequence[OrderId]) -> list[Event]:
    """Unpaid orders of the cart's owner give way, with what they set aside: one as a rule, if any. What is to be told of it."""
    events: list[Event] = []
    if unpaid:
        await lock_with_held(connection, (line.ref for line in attempt.cart.lines), unpaid)
    for order_id in unpaid:
        order = await open_order(connection, order_id)
        assert order is not None
        changes = give_way(order)
        await write_changes(connection, order, changes, attempt.at)
        events += changes.events
    return events


async def _shelf(connection: AsyncConnection, attempt: Attempt) -> Shelf:
    cart = attempt.cart
    await lock_variations(connection, sorted({line.variation_id for line in cart.lines if line.variation_id}))
    ids = sorted({line.product_id for line in cart.lines})
    found = await locked_products(connection, ids)
    variations = await variations_of_locked(connection, ids)
    sellers = sorted({product.seller_id for product, _ in found.values()})
    rows = (await connection.execute(TERMS, {"ids": sellers})).all()
    held = Holding() if attempt.placed_from is None else await held_by_guests(connection, attempt.placed_from)
    return Shelf(found, variations, {SellerId(row.id): _terms(row) for row in rows}, held)


def _terms(row: Any) -> SellingTerms:
    return SellingTerms(
        seller_id=SellerId(row.id),
        name=row.name,
        registration_number=row.registration_number,
        commission_bp=int(row.commission_rate * 10_000),
        shipping=terms_of(row.shipping_policies),
    )


async def _claim(connection: AsyncConnection, order: NewOrder) -> None:
    """The cart's version is this order's: it was nobody's, or that of an order that was cancelled."""
    assert order.cart.owner is not None
    claim = insert(checkouts).values(
        cart_owner=order.cart.owner.key, cart_id=order.cart.id, cart_version=order.cart.version, order_id=order.id
    )
    keys: Sequence[Any] = (checkouts.c.cart_owner, checkouts.c.cart_id, checkouts.c.cart_version)
    await connection.execute(
        claim.on_conflict_do_update(index_elements=keys, set_={"order_id": claim.excluded.order_id})
    )


def _is_taken_number(error: DBAPIError) -> bool:
    return state_of(error) == UNIQUE and NUMBERS in str(error.orig)
