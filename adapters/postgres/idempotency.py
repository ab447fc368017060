"""Idempotency keys in PostgreSQL: stored in the transaction of the effect, so that there is neither without the other.

A refusal or an outage rolls both back, and the same key may be tried again. Keys are kept for `KEPT`; `forget_old_keys`
of a worker deletes them.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres.database import Database
from adapters.postgres.retention import forget
from adapters.postgres.tables import idempotency_keys as keys
from domain.shared.idempotency import IdempotencyInProgress, IdempotencyKeyReused, IdempotentCall

KEPT = timedelta(hours=48)
"""Twice what clients are promised."""


async def once(connection: AsyncConnection, call: IdempotentCall, effect: Callable[[], Awaitable[UUID]]) -> UUID:
    """The key of the object that `effect` makes; of the one it made before when the call came already.

    `connection` is in the transaction of a signed-in viewer. Raises IdempotencyKeyReused, IdempotencyInProgress,
    and whatever `effect` does.
    """
    principal = await connection.scalar(select(func.idempotency.principal()))
    name = func.concat_ws("\n", "idempotency", principal, call.mutation, call.key)
    # The lock ends with the transaction, hence after its key can be seen. Two keys of one hash only ask to try again.
    free = await connection.scalar(
        select(func.pg_try_advisory_xact_lock(func.hashtextextended(name, 0, type_=BigInteger)))
    )
    if not free:
        raise IdempotencyInProgress
    its_key = {"principal": principal, "mutation": call.mutation, "key": call.key}
    found: Any = (await connection.execute(select(keys.c.fingerprint, keys.c.result).filter_by(**its_key))).first()
    if found is None:
        result = await effect()
        await connection.execute(insert(keys).values(**its_key, fingerprint=call.fingerprint, result=result))
        return result
    if bytes(found.fingerprint) != call.fingerprint:
        raise IdempotencyKeyReused
    return UUID(str(found.result))


def forget_old_keys(database: Database, now: datetime) -> AsyncGenerator[int, None]:
    """Delete keys that have had their time; how many, a batch at a time. `database` is a worker's. Raises Unavailable."""
    return forget(database, keys.c.created_at, now - KEPT)  # idx_keys_created_at
