"""Disputes as they are written, with what they take from sellers in the ledger, and who has to look at them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres.again import retried
from adapters.postgres.database import Database
from adapters.postgres.orders_open import open_order
from adapters.postgres.orders_payment import order_of_intent
from adapters.postgres.payments_ledger import post, standing_of_dispute
from adapters.postgres.tables import disputes, orders, refunds
from domain.orders.disputed import given_back, taken
from domain.orders.states import RefundState
from domain.payments.model import Dispute, DisputeStatus, IntentId, age
from domain.payments.refusals import PaymentReason
from domain.payments.troubles import OpenProblem
from domain.shared.ids import OrderId, uuid7
from domain.shared.viewer import ANONYMOUS


class PostgresDisputeBook:
    """The ports `DisputeBook` and `Troubled`, as the till."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def order_of(self, intent_id: IntentId) -> OrderId | None:
        return await order_of_intent(self._database, intent_id)

    @retried
    async def write(self, order_id: OrderId, found: Sequence[Dispute]) -> None:
        async with self._database.till(ANONYMOUS) as connection:
            await connection.execute(select(orders.c.id).where(orders.c.id == order_id).with_for_update(key_share=True))
            for each in sorted(found, key=lambda dispute: dispute.opened_at):
                await _write(connection, order_id, each)

    async def troubles(self, limit: int) -> Sequence[OpenProblem]:
        oldest = select(disputes).where(disputes.c.closed_at.is_(None))  # idx_disputes_open
        async with self._database.till(ANONYMOUS) as connection:
            rows = await connection.execute(oldest.order_by(disputes.c.opened_at).limit(limit))
        return [OpenProblem(row.order_id, "dispute", row.opened_at, _words(row), None) for row in rows]

    async def try_again(self, at: datetime) -> int:  # noqa: ARG002  (there is no time for it)
        """There is nothing to try: people answer it at the provider."""
        return 0


def _words(row: Row[Any]) -> str:
    until = "" if row.due_by is None else f", to be answered by {row.due_by:%Y-%m-%d}"
    gone = "taken" if row.is_withdrawn else "not taken"
    return f"{row.provider_id}: {row.amount} {row.currency} (minor units), {gone}, {row.reason}, {row.status}{until}"


async def _write(connection: AsyncConnection, order_id: OrderId, dispute: Dispute) -> None:
    """Under the order's lock."""
    this = select(disputes).where(disputes.c.provider_id == dispute.provider_id)
    known = (await connection.execute(this)).first()
    if known is not None and age(known.moves, DisputeStatus(known.status)) > dispute.age:
        return
    values: dict[str, Any] = {
        "status": dispute.status,
        "is_withdrawn": dispute.is_withdrawn,
        "moves": dispute.moves,
        "due_by": dispute.due_by,
        "closed_at": None if dispute.is_open else func.coalesce(disputes.c.closed_at, func.now()),
    }
    if known is None:
        known_as = await _added(connection, order_id, dispute)
        was_withdrawn = False
    else:
        known_as, was_withdrawn = known.id, known.is_withdrawn
    await connection.execute(update(disputes).where(disputes.c.id == known_as).values(values))
    if dispute.is_withdrawn != was_withdrawn:
        await _enter(connection, order_id, known_as, dispute)
    if dispute.status is DisputeStatus.WON:
        await _let_refunds_go(connection, order_id)


async def _added(connection: AsyncConnection, order_id: OrderId, dispute: Dispute) -> Any:
    row = {
        "id": uuid7(),
        "provider_id": dispute.provider_id,
        "order_id": order_id,
        "amount": dispute.amount.minor,
        "currency": dispute.amount.currency,
        "reason": dispute.reason,
        "status": dispute.status,
        "is_withdrawn": False,
        "moves": dispute.moves,
        "opened_at": dispute.opened_at,
    }
    await connection.execute(insert(disputes).values(row))
    return row["id"]


async def _enter(connection: AsyncConnection, order_id: OrderId, dispute_id: Any, dispute: Dispute) -> None:
    order = await open_order(connection, order_id)
    assert order is not None
    if dispute.is_withdrawn:
        postings = taken(order, dispute_id, dispute.amount.minor, dispute.moves)
    else:
        postings = given_back(order, dispute_id, await standing_of_dispute(connection, dispute_id), dispute.moves)
    await post(connection, postings)


async def _let_refunds_go(connection: AsyncConnection, order_id: OrderId) -> None:
    """What the provider refused for the dispute is tried again: the money is back."""
    refused = update(refunds).where(
        refunds.c.order_id == order_id,  # idx_refunds_order_id
        refunds.c.status == RefundState.FAILED,
        refunds.c.problem == PaymentReason.DISPUTED.value,
    )
    await connection.execute(refused.values(status=RefundState.PENDING, try_at=None, settled_at=None))
