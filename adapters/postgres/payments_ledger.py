"""The ledger in PostgreSQL: added to in the transaction of what it tells, and never changed."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres.batches import among_ids, many_each
from adapters.postgres.database import Database
from adapters.postgres.tables import ledger_entries, ledger_transactions
from domain.orders.ledger import OWED, Balance, LedgerKind, Posting
from domain.payments.model import RefundId
from domain.shared.ids import OrderId, SellerId, uuid7
from domain.shared.money import Money
from domain.shared.viewer import Viewer


async def post(connection: AsyncConnection, postings: Sequence[Posting]) -> int:
    """Add to the ledger what is not in it yet, by the key of each. How many there were to add."""
    if not postings:
        return 0
    rows = [
        {
            "id": uuid7(),
            "kind": posting.kind.value,
            "key": posting.key,
            "order_id": posting.order_id,
            "seller_id": posting.seller_id,
            "refund_id": posting.refund_id,
            "dispute_id": posting.dispute_id,
            "currency": posting.currency,
        }
        for posting in postings
    ]
    added = insert(ledger_transactions).values(rows).on_conflict_do_nothing(index_elements=["key"])
    found = await connection.execute(added.returning(ledger_transactions.c.id, ledger_transactions.c.key))
    ids = {row.key: row.id for row in found}
    entries = [
        {"transaction_id": ids[posting.key], "account": account, "amount": amount}
        for posting in postings
        if posting.key in ids
        for account, amount in posting.entries
    ]
    if entries:
        await connection.execute(insert(ledger_entries).values(entries))
    return len(ids)


async def sellers_in_ledger(connection: AsyncConnection, order_id: OrderId) -> set[SellerId]:
    """Whose part of an order was entered as sold."""
    # of goods that cost nothing there is only the carriage
    sold = select(ledger_transactions.c.seller_id).where(
        ledger_transactions.c.order_id == order_id,  # idx_ledger_transactions_order_id
        ledger_transactions.c.kind.in_([LedgerKind.SALE.value, LedgerKind.SHIPPING.value]),
    )
    return set((await connection.execute(sold)).scalars())


async def owed_of(connection: AsyncConnection, refund_id: RefundId) -> int | None:
    """What of a refund came back and is owed to the buyer, in minor units; None for one that is in no ledger."""
    owed = func.sum(case((ledger_entries.c.account == OWED, ledger_entries.c.amount), else_=0))
    its = select(owed).join_from(
        ledger_transactions, ledger_entries, ledger_entries.c.transaction_id == ledger_transactions.c.id
    )
    # idx_ledger_transactions_refund_id
    found = await connection.scalar(its.where(ledger_transactions.c.refund_id == refund_id))
    return None if found is None else int(found)


async def standing_of_dispute(connection: AsyncConnection, dispute_id: UUID) -> dict[SellerId, dict[str, int]]:
    """What a dispute has in each account by now, by seller."""
    amount = func.sum(ledger_entries.c.amount)
    its = (
        select(ledger_transactions.c.seller_id, ledger_entries.c.account, amount.label("amount"))
        .join(ledger_entries, ledger_entries.c.transaction_id == ledger_transactions.c.id)
        .where(ledger_transactions.c.dispute_id == dispute_id)  # idx_ledger_transactions_dispute_id
        .group_by(ledger_transactions.c.seller_id, ledger_entries.c.account)
        .having(amount != 0)
    )
    found: dict[SellerId, dict[str, int]] = {}
    for row in await connection.execute(its):
        found.setdefault(SellerId(row.seller_id), {})[row.account] = int(row.amount)
    return found


def _of(*kinds: LedgerKind) -> Any:
    """What entries of these kinds come to in the seller's account."""
    names = [kind.value for kind in kinds]
    return func.coalesce(func.sum(case((ledger_transactions.c.kind.in_(names), ledger_entries.c.amount), else_=0)), 0)


BALANCES = (
    select(
        ledger_transactions.c.seller_id,
        ledger_transactions.c.currency,
        func.sum(ledger_entries.c.amount).label("payable"),
        _of(LedgerKind.SALE).label("sales"),
        _of(LedgerKind.SHIPPING).label("shipping"),
        _of(LedgerKind.COMMISSION).label("commission"),
        _of(LedgerKind.CLAWBACK, LedgerKind.DISPUTE).label("clawed_back"),
    )
    .join(ledger_entries, ledger_entries.c.transaction_id == ledger_transactions.c.id)
    .where(
        among_ids(ledger_transactions.c.seller_id),  # idx_ledger_transactions_seller_id
        ledger_entries.c.account == func.concat("seller:", ledger_transactions.c.seller_id, ":payable"),
    )
    .group_by(ledger_transactions.c.seller_id, ledger_transactions.c.currency)
    .order_by(ledger_transactions.c.seller_id, ledger_transactions.c.currency)
)


class PostgresLedger:
    """The port `Ledger`. The policies of the database show a seller no other's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def balances_of(self, viewer: Viewer, ids: Sequence[SellerId]) -> Sequence[Sequence[Balance]]:
        rows = await self._database.seen_by(viewer, BALANCES, {"ids": ids})
        return many_each(ids, list(map(balance_of, rows)), lambda balance: balance.seller_id)


def balance_of(row: Any) -> Balance:
    currency = row.currency
    return Balance(
        SellerId(row.seller_id),
        currency,
        payable=Money(int(row.payable), currency),
        sales=Money(int(row.sales), currency),
        shipping=Money(int(row.shipping), currency),
        commission=Money(-int(row.commission), currency),
        clawed_back=Money(-int(row.clawed_back), currency),
    )
