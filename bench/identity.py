"""`python -m bench.identity`: what it costs a request to know who asks, in microseconds, without any back end.

The token's signature, then session and standing from the process's memory; a look at Redis and PostgreSQL comes on top, once
every half second for each user, and is measured by the queries of `make bench`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric import rsa
from jose import jwk, jws

from adapters.cognito.keys import KeySet
from adapters.cognito.tokens import CognitoTokens
from domain.accounts.model import SessionState, UserStanding
from domain.accounts.service import Accounts
from domain.accounts.sessions import Sessions
from domain.shared.clock import SystemClock
from domain.shared.ids import SessionId, UserId, uuid7

ROUNDS = 2_000
ISSUER, CLIENT, KID = "https://issuer.example", "client", "key"


class Keys(KeySet):
    """A key set that was fetched already."""

    def hold(self, key: object) -> None:
        self._keys = {KID: key}


class Known:
    """Sessions and users that are known, without any way to them."""

    async def states(self, ids: Sequence[SessionId]) -> list[SessionState]:
        return [SessionState(datetime.now(UTC)) for _ in ids]

    async def standings(self, subjects: Sequence[str]) -> list[UserStanding]:
        return [UserStanding(UserId(uuid7()), False, ()) for _ in subjects]


async def measured(name: str, once: Callable[[], Awaitable[object]]) -> None:
    await once()
    began = time.perf_counter()
    for _ in range(ROUNDS):
        await once()
    print(f"{name:<52}{(time.perf_counter() - began) / ROUNDS * 1e6:8.1f} µs")


async def main() -> None:
    clock, known = SystemClock(), Known()
    private = jwk.construct(rsa.generate_private_key(65537, 2048), "RS256")
    now = datetime.now(UTC)
    claims = {
        "iss": ISSUER, "client_id": CLIENT, "token_use": "access", "sub": str(uuid4()), "username": "hanako",
        "origin_jti": str(uuid4()), "auth_time": int(now.timestamp()), "iat": int(now.timestamp()),
        "exp": int((now + timedelta(hours=1)).timestamp()),
    }  # fmt: skip
    token = str(jws.sign(claims, private, {"kid": KID}, "RS256"))
    keys = Keys("http://127.0.0.1:1/", clock)
    keys.hold(private.public_key())

    def accounts(memory_s: float) -> Accounts:
        tokens = CognitoTokens(keys, ISSUER, CLIENT, clock)
        return Accounts(tokens, known, known, Sessions(known, clock, memory_s=memory_s), clock)  # type: ignore[arg-type]

    await measured("signature checked", lambda: CognitoTokens(keys, ISSUER, CLIENT, clock).verify(token))
    tokens = CognitoTokens(keys, ISSUER, CLIENT, clock)
    await measured("signature remembered", lambda: tokens.verify(token))
    warm = accounts(0.5)
    await measured("signature, session and standing remembered", lambda: warm.viewer(token, None))
    cold = accounts(0)
    await measured("session looked up anew, from nowhere", lambda: cold.viewer(token, None))


if __name__ == "__main__":
    asyncio.run(main())
