"""Mutations that happen once however often they are sent: the client names each by a key of its own."""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Self

from domain.shared.refusals import InvalidInput, Refusal

MAX_KEY = 255
KEY = re.compile(r"[\x21-\x7e]{1,255}")


class IdempotencyKeyReused(Refusal):
    """The same key came with other input: one of the two requests is a mistake."""

    code = "IDEMPOTENCY_KEY_REUSED"

    def __init__(self) -> None:
        super().__init__(field=("idempotencyKey",))


class IdempotencyInProgress(Refusal):
    """The first request with this key is still running."""

    code = "IDEMPOTENCY_IN_PROGRESS"

    def __init__(self) -> None:
        super().__init__(field=("idempotencyKey",), retryable=True)


@dataclass(frozen=True, slots=True)
class IdempotentCall:
    """One intention of a client: the mutation, the client's key, and a fingerprint of the checked input."""

    mutation: str
    key: str
    fingerprint: bytes

    @classmethod
    def of(cls, mutation: str, key: str, checked: object) -> Self:
        """`checked` is the input as it will be stored: its `repr` must say all of it. Raises InvalidInput."""
        if KEY.fullmatch(key) is None:
            raise InvalidInput(key="idempotency_key", most=MAX_KEY, field=("idempotencyKey",))
        return cls(mutation, key, hashlib.sha256(json.dumps([mutation, repr(checked)]).encode()).digest())
