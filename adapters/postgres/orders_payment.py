"""What is written of payments: how one stands, and all that follows from what the provider says, in one transaction."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, select, update
from sqlalchemy.dialects.postgresql import insert as insert_new
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres import orders_stock
from adapters.postgres.again import retried
from adapters.postgres.database import Database
from adapters.postgres.events import put_out
from adapters.postgres.orders_changes import OVER, write_moves
from adapters.postgres.payments_ledger import post
from adapters.postgres.tables import order_items, order_payments, order_sellers, orders, refunds
from domain.orders.changes import PROGRAM, Changes, ItemChange
from domain.orders.ledger import of_sale
from domain.orders.model import OrderStatus, PaymentStatus
from domain.orders.open_order import OpenPart
from domain.orders.refunds import BorneBy, RefundReason
from domain.orders.states import Actor
from domain.payments import events
from domain.payments.events import SellersPart
from domain.payments.model import IntentId, PaymentIntent, PaymentMethod, refund_id_of
from domain.payments.standing import Decision, OrderStep, Standing
from domain.payments.troubles import OpenProblem
from domain.shared.ids import OrderId, OrderItemId, SellerId
from domain.shared.money import Money
from domain.shared.refusals import NotFound
from domain.shared.viewer import ANONYMOUS

Judge = Callable[[Standing], Decision]
NOTES = {OrderStatus.PROCESSING: "paid", OrderStatus.CANCELLED: "not paid in time"}


TROUBLED = order_payments.c.problem_at.is_not(None)  # idx_order_payments_problem_at


def _standing() -> Select[Any]:
    """Of an order in its own partition, with idx order_payments_order_id_key."""
    return select(
        orders.c.id.label("order_id"),
        orders.c.status.label("order_status"),
        orders.c.created_at,
        orders.c.expires_at,
        order_payments.c.id,
        order_payments.c.status,
        order_payments.c.amount,
        order_payments.c.currency,
        order_payments.c.stripe_payment_intent_id,
        order_payments.c.intent_attempt,
        order_payments.c.check_at,
        order_payments.c.problem,
    ).join_from(orders, order_payments, order_payments.c.order_id == orders.c.id)


class PostgresPaymentBook:
    """The ports `PaymentBook`, `OpenPayments` and `Troubled`, as the till."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def standing(self, order_id: OrderId) -> Standing | None:
        async with self._database.till(ANONYMOUS) as connection:
            row = (await connection.execute(_standing().where(orders.c.id == order_id))).first()
        return None if row is None else standing_of(row)

    @retried
    async def begin(self, order_id: OrderId, check_at: datetime) -> Standing | None:
        async with self._database.till(ANONYMOUS) as connection:
            row = (await connection.execute(_standing().where(orders.c.id == order_id))).first()
            if row is None or (found := standing_of(row)).is_settled:
                return None if row is None else standing_of(row)
            # committed before the provider is asked: whoever is killed then is missed. One that was settled meanwhile stays so.
            asked = update(order_payments).where(order_payments.c.id == found.payment_id, _is_open())
            await connection.execute(asked.values(check_at=check_at))
        return found

    @retried
    async def settle(
        self, order_id: OrderId, intent: PaymentIntent | None, judge: Judge, now: datetime
    ) -> tuple[Standing, Decision]:
        async with self._database.till(ANONYMOUS) as connection:
            locked = _standing().where(orders.c.id == order_id).with_for_update(key_share=True)
            row = (await connection.execute(locked)).first()
            if row is None:
                raise NotFound("there is no such order, or nothing to pay for it")
            standing = standing_of(row)
            decision = judge(standing)
            await _Settling(connection, standing, decision, now).write(intent)
        return standing, decision

    @retried
    async def spend_key(self, order_id: OrderId, attempt: int) -> None:
        spent = (order_payments.c.order_id == order_id) & (order_payments.c.intent_attempt == attempt)
        async with self._database.till(ANONYMOUS) as connection:
            await connection.execute(update(order_payments).where(spent).values(intent_attempt=attempt + 1))

    async def unchecked(self, now: datetime, after: OrderId | None, limit: int) -> Sequence[OrderId]:
        due = order_payments.c.check_at <= now  # idx_order_payments_check_at
        return await self._keys(select(order_payments.c.order_id.label("id")).where(due), after, limit)

    async def expired(self, now: datetime, after: OrderId | None, limit: int) -> Sequence[OrderId]:
        over = (orders.c.status == OrderStatus.PENDING) & (orders.c.expires_at <= now)  # idx_orders_unpaid
        return await self._keys(select(orders.c.id).where(over), after, limit)

    async def _keys(self, found: Select[Any], after: OrderId | None, limit: int) -> Sequence[OrderId]:
        key = found.selected_columns[0]
        page = found.order_by(key).limit(limit)
        async with self._database.till(ANONYMOUS) as connection:
            return [
                OrderId(row[0]) for row in await connection.execute(page if after is None else page.where(key > after))
            ]

    async def troubles(self, limit: int) -> Sequence[OpenProblem]:
        read = order_payments.c
        oldest = select(read.order_id, read.problem_at, read.problem, read.check_at).where(TROUBLED)
        async with self._database.till(ANONYMOUS) as connection:
            rows = await connection.execute(oldest.order_by(read.problem_at).limit(limit))
        return [OpenProblem(row.order_id, "payment", row.problem_at, row.problem, row.check_at) for row in rows]

    @retried
    async def try_again(self, at: datetime) -> int:
        async with self._database.till(ANONYMOUS) as connection:
            return (await connection.execute(update(order_payments).where(TROUBLED).values(check_at=at))).rowcount

    async def order_of(self, intent_id: IntentId) -> OrderId | None:
        return await order_of_intent(self._database, intent_id)


async def order_of_intent(database: Database, intent_id: IntentId) -> OrderId | None:
    found = select(order_payments.c.order_id).where(order_payments.c.stripe_payment_intent_id == intent_id)
    async with database.till(ANONYMOUS) as connection:
        order_id = await connection.scalar(found)
    return None if order_id is None else OrderId(order_id)


def _is_open() -> ColumnElement[bool]:
    return order_payments.c.status.not_in(OVER) | order_payments.c.check_at.is_not(None)


class _Settling:
    """One decision as rows. All statements under the order's lock, its events last."""

    def __init__(self, connection: AsyncConnection, standing: Standing, decision: Decision, now: datetime) -> None:
        self._connection = connection
        self._standing = standing
        self._decision = decision
        self._after = decision.after(standing)
        self._now = now
        self._totals: dict[SellerId, int] = {}
        self._read: Sequence[Any] | None = None

    async def write(self, intent: PaymentIntent | None) -> None:
        await self._write_payment(intent)
        if self._decision.order is OrderStep.PAID:
            await orders_stock.consume(self._connection, self._standing.order_id, self._now)
            await self._move_items(OrderStatus.PROCESSING)
            await self._enter_sale()
        elif self._decision.order is OrderStep.RELEASED:
            await orders_stock.release(self._connection, self._standing.order_id, self._now)
            await self._move_items(OrderStatus.CANCELLED)
        if self._decision.refund is not None and intent is not None:
            await self._give_back(self._decision.refund, intent.id)
        await self._tell()

    async def _write_payment(self, intent: PaymentIntent | None) -> None:
        this = order_payments.c.id == self._standing.payment_id
        for step in self._decision.steps:  # one after the other: the database knows the moves, too
            await self._connection.execute(update(order_payments).where(this).values(status=step))
        values: dict[str, Any] = {}
        if self._after.intent_id != self._standing.intent_id:
            values["stripe_payment_intent_id"] = self._after.intent_id
        if self._decision.is_settled:
            values["check_at"] = None
        if self._after.problem != self._standing.problem:
            at = None if self._after.problem is None else self._now
            values |= {"problem": self._after.problem, "problem_at": at}
        is_paid = self._after.status is PaymentStatus.SUCCEEDED
        if intent is not None and intent.is_paid and is_paid and not self._standing.is_settled:
            values |= {"paid_at": self._now, "payment_method_details": _details(intent.method)}
        if values:
            await self._connection.execute(update(order_payments).where(this).values(values))

    async def _move_items(self, target: OrderStatus) -> None:
        """What waited for the payment, and the order with it; why is in the history of both."""
        waiting = [item for item in await self._items() if item.fulfillment_status == OrderStatus.PENDING]
        note = NOTES[target]
        moves = [ItemChange(OrderItemId(item.id), OrderStatus.PENDING, target, note) for item in waiting]
        order_id, status = self._standing.order_id, self._after.order_status
        await write_moves(self._connection, Changes(order_id, PROGRAM, note, status, moves))

    async def _items(self) -> Sequence[Any]:
        """As they were before they moved: read once, for nobody else changes them meanwhile."""
        if self._read is not None:
            return self._read
        mine = order_items.c.order_id == self._standing.order_id  # idx_order_items_order_id
        found = select(
            order_items.c.id, order_items.c.seller_id, order_items.c.fulfillment_status, order_items.c.total_price
        ).where(mine)
        self._read = (await self._connection.execute(found)).all()
        return self._read

    async def _enter_sale(self) -> None:
        """What each seller is owed, and the marketplace, by what was agreed."""
        mine = order_sellers.c.order_id == self._standing.order_id
        agreed = await self._connection.execute(select(order_sellers).where(mine).order_by(order_sellers.c.seller_id))
        parts = [OpenPart(SellerId(row.seller_id), row.subtotal, row.shipping_fee, row.commission) for row in agreed]
        self._totals = {part.seller_id: part.subtotal + part.shipping_fee for part in parts}
        order_id, currency = self._standing.order_id, self._standing.amount.currency
        await post(self._connection, [posting for part in parts for posting in of_sale(order_id, currency, part)])

    async def _give_back(self, amount: Money, intent_id: IntentId) -> None:
        """Decided here, carried out by whoever carries out refunds; of an intent once."""
        row = {
            "id": refund_id_of(self._standing.order_id, intent_id),
            "order_id": self._standing.order_id,
            "payment_id": self._standing.payment_id,
            "amount": amount.minor,
            "currency": amount.currency,
            "reason": RefundReason.LATE_PAYMENT,
            "borne_by": BorneBy.MARKETPLACE,
            "requested_as": Actor.SYSTEM,
        }
        await self._connection.execute(insert_new(refunds).values(row).on_conflict_do_nothing(index_elements=["id"]))

    async def _tell(self) -> None:
        if not (self._decision.steps or self._decision.order is not OrderStep.NONE):
            return
        items: dict[SellerId, list[Any]] = {}
        for row in await self._items():
            items.setdefault(SellerId(row.seller_id), []).append(row)
        parts = {
            seller: SellersPart(
                [OrderItemId(row.id) for row in rows], self._totals.get(seller, sum(row.total_price for row in rows))
            )
            for seller, rows in items.items()
        }
        await put_out(self._connection, events.events_of(self._standing, self._decision, parts))


def standing_of(row: Row[Any]) -> Standing:
    status = PaymentStatus(row.status)
    intent_id = row.stripe_payment_intent_id
    return Standing(
        order_id=OrderId(row.order_id),
        order_status=OrderStatus(row.order_status),
        created_at=row.created_at,
        expires_at=row.expires_at,
        payment_id=row.id,
        status=status,
        amount=Money(row.amount, row.currency),
        intent_id=None if intent_id is None else IntentId(intent_id),
        attempt=row.intent_attempt,
        # what was not bought here (an import, a demo) has no time by which it must be paid
        is_settled=row.expires_at is None or (status in OVER and row.check_at is None),
        problem=row.problem,
    )


def _details(method: PaymentMethod | None) -> dict[str, str]:
    if method is None:
        return {}
    told = {"type": method.kind, "brand": method.brand, "last4": method.last4, "wallet": method.wallet}
    return {name: value for name, value in told.items() if value is not None}
