"""Idempotency keys (docs.stripe.com/api/idempotent_requests): the first answer again, whatever it was."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from infra.sandbox.stripe.errors import ApiError, Json, key_in_use, key_reused
from infra.sandbox.stripe.store import Store

LONGEST_KEY = 255


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer that was given before, and the id of the request that got it first."""

    status: int
    body: str
    request: str


class IdempotencyKeys:
    """Finished answers are in the store; which keys are at work now is known to this process alone."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._running: set[str] = set()

    @contextmanager
    def held(self, key: str) -> Iterator[None]:
        """For as long as a request with this key runs. Raises ApiError (409) where one does already."""
        if len(key) > LONGEST_KEY:
            raise ApiError(400, f"Idempotency keys can be at most {LONGEST_KEY} characters long.")
        if key in self._running:
            raise key_in_use(key)
        self._running.add(key)
        try:
            yield
        finally:
            self._running.discard(key)

    def find(self, key: str, endpoint: str, params: Json) -> Kept | None:
        """Raises ApiError (400) where the key came with other parameters or to another address."""
        query = "SELECT endpoint, fingerprint, status, body, request FROM idempotency WHERE key = ?"
        row = self._store.connection.execute(query, (key,)).fetchone()
        if row is None:
            return None
        if row[0] != endpoint:
            raise key_reused(
                "Keys for idempotent requests can only be used for the same endpoint they were first used for "
                f"('{row[0]}' vs '{endpoint}'). Try using a key other than '{key}' if you meant another request."
            )
        if row[1] != fingerprint(params):
            raise key_reused(
                "Keys for idempotent requests can only be used with the same parameters they were first used with. "
                f"Try using a key other than '{key}' if you meant to execute a different request."
            )
        return Kept(row[2], row[3], row[4])

    def keep(self, key: str, endpoint: str, params: Json, answer: Kept) -> None:
        """In the transaction that is open, so that effect and answer are kept together or not at all."""
        values = (key, endpoint, fingerprint(params), answer.request, answer.status, answer.body)
        self._store.connection.execute(
            "INSERT INTO idempotency (key, endpoint, fingerprint, request, status, body, created) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*values, int(self._store.clock())),
        )


def fingerprint(params: Json) -> str:
    return hashlib.sha256(json.dumps(params, sort_keys=True).encode()).hexdigest()
