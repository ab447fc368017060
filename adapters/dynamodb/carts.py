"""Carts in DynamoDB, after section 3.2 of the database document.

A cart is one Query page. A change is read, decide, one transaction, read: nothing is locked, and whoever was slower
decides again on the cart as it is by then.
"""

import asyncio
from collections.abc import Callable, Sequence
from uuid import UUID

from botocore.exceptions import ClientError

from adapters.aws.clients import DYNAMODB, Aws, error_code
from adapters.dynamodb.backoff import ATTEMPTS, back_off
from adapters.dynamodb.batch import batch_delete
from adapters.dynamodb.cart_items import MOVED, Item, Snapshot, snapshot
from adapters.dynamodb.cart_writes import CartTransaction
from adapters.dynamodb.tables import CARTS
from domain.carts.changes import Decision
from domain.carts.model import Cart, CartOutcome, CartOwner
from domain.carts.refusals import CartBusy
from domain.shared.clock import Clock
from domain.shared.ids import uuid7
from domain.shared.refusals import Unavailable

LOST = frozenset({"ConditionalCheckFailed", "TransactionConflict"})
"""Reasons for which a transaction is cancelled because somebody else was faster."""
THROTTLED = frozenset({"ProvisionedThroughputExceeded", "ThrottlingError"})


class DynamoCarts:
    """The port Carts on the table `{prefix}Carts`."""

    def __init__(self, aws: Aws, prefix: str, clock: Clock) -> None:
        self._aws = aws
        self._table = CARTS.named(prefix)
        self._clock = clock

    async def cart(self, owner: CartOwner) -> Cart:
        async with self._aws.calling(DYNAMODB):
            return (await self._read(owner)).cart

    async def change(self, owner: CartOwner, decide: Callable[[Cart], Decision]) -> CartOutcome:
        async with self._aws.calling(DYNAMODB):
            for attempt in range(ATTEMPTS):
                read = await self._read(owner)
                decision = decide(read.cart)
                if not decision.changes:
                    return CartOutcome(read.cart, decision.warnings)
                if await self._stored(owner, read, decision):
                    return CartOutcome((await self._read(owner)).cart, decision.warnings)
                await back_off(attempt)
        raise CartBusy

    async def merge(self, guest: CartOwner, owner: CartOwner, decide: Callable[[Cart, Cart], Decision]) -> CartOutcome:
        async with self._aws.calling(DYNAMODB):
            for attempt in range(ATTEMPTS):
                read, left = await asyncio.gather(self._read(owner), self._read(guest))
                if left.cart.id is None:
                    return CartOutcome(read.cart)
                decision = decide(read.cart, left.cart)
                if await self._merged(owner, read, decision, left.cart):
                    return CartOutcome((await self._read(owner)).cart, decision.warnings, decision.merged)
                await back_off(attempt)
        raise CartBusy

    async def forget(self, owner: CartOwner) -> None:
        async with self._aws.calling(DYNAMODB):
            found = await self._aws.dynamodb.query(
                TableName=self._table,
                KeyConditionExpression="user_id = :owner",
                ExpressionAttributeValues={":owner": {"S": owner.key}},
                ProjectionExpression="user_id, product_id",
                ConsistentRead=True,
            )
        await batch_delete(self._aws, self._table, found["Items"])

    async def _read(self, owner: CartOwner) -> Snapshot:
        # one page: a header and at most 50 lines, some 20 kB, far below the 1 MB of a page
        answer = await self._aws.dynamodb.query(
            TableName=self._table,
            KeyConditionExpression="user_id = :owner",
            ExpressionAttributeValues={":owner": {"S": owner.key}},
            ConsistentRead=True,  # a shopper must see what they just did
        )
        return snapshot(owner, answer["Items"], self._clock.now())

    async def _stored(self, owner: CartOwner, read: Snapshot, decision: Decision) -> bool:
        """Whether the decision was stored; False when somebody else was faster."""
        now = self._clock.now()
        transaction = CartTransaction(self._table, owner, now)
        begins = read.cart.id is None
        return await self._won(
            transaction.begin(read, decision.changes, uuid7(now))
            if begins
            else transaction.go_on(read, decision.changes, decision.settled)
        )

    async def _merged(self, owner: CartOwner, read: Snapshot, decision: Decision, left: Cart) -> bool:
        """Whether a decision was stored and the guest's cart ended with it; False when somebody else was faster."""
        assert left.owner is not None
        now = self._clock.now()
        transaction = CartTransaction(self._table, owner, now)
        moved = CartTransaction(self._table, left.owner, now).move(left, owner)
        if not decision.changes and (decision.settled is None or read.cart.id is None):
            return await self._won(moved)
        if read.cart.id is None and read.stale:
            # What is left of an expired cart goes first: with fifty lines more there would be no room in one transaction.
            await self._won(transaction.begin(read, (), uuid7(now)))
            return False  # it is there now: read it again
        if read.cart.id is None:
            return await self._won([*transaction.begin(read, decision.changes, uuid7(now), decision.settled), *moved])
        return await self._won([*transaction.go_on(read, decision.changes, decision.settled), *moved])

    async def moved_to(self, guest: CartOwner, cart_id: UUID) -> CartOwner | None:
        async with self._aws.calling(DYNAMODB):
            answer = await self._aws.dynamodb.get_item(
                TableName=self._table,
                Key={"user_id": {"S": guest.key}, "product_id": {"S": f"{MOVED}{cart_id}"}},
                ConsistentRead=True,
            )
        found = answer.get("Item")
        return None if found is None else CartOwner.parse(found["moved_to"]["S"])

    async def _won(self, items: Sequence[Item]) -> bool:
        """Whether a transaction was stored; False when somebody else was faster."""
        try:
            # botocore adds a ClientRequestToken: its retry of an answer that was lost stores nothing twice
            await self._aws.dynamodb.transact_write_items(TransactItems=items)
        except ClientError as error:
            if error_code(error) != "TransactionCanceledException":
                raise
            reasons = {reason["Code"] for reason in error.response.get("CancellationReasons", ())} - {"None"}
            if reasons & THROTTLED:
                raise Unavailable(DYNAMODB) from error
            if not reasons or reasons - LOST:
                raise  # a transaction that can never work: ours to repair
            return False
        return True
