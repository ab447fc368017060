"""Sending events to their endpoints, signed, until each has said 2xx (docs.stripe.com/webhooks)."""

import asyncio
import hashlib
import hmac
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.sandbox.stripe.store import Store, public

if TYPE_CHECKING:
    import aiohttp

ANSWER_WITHIN_S = 10.0
FIRST_RETRY_S, LONGEST_RETRY_S, MAX_ATTEMPTS = 1.0, 15.0, 2_400
"""Stripe tries for three days in live mode, ever more rarely; here for ten hours and never rarely, for a gateway that restarts."""
BATCH = 100
IDLE_S = 3600.0

log = logging.getLogger("torii.sandbox.stripe")


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event on its way to an endpoint."""

    seq: int
    body: str
    url: str
    secret: str
    attempts: int


class Deliveries:
    """The one sender. Each endpoint gets its events one after the other; endpoints do not wait for each other."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._wake = asyncio.Event()
        self._paused = False

    def wake(self) -> None:
        """There may be something to send."""
        self._wake.set()

    def pause(self) -> None:
        self._paused = True

    async def release(self, *, backwards: bool, copies: int) -> int:
        """Send what waits now, in reverse order or several times if asked, and go on. How many requests it took."""
        waiting = self._due(float("inf"))
        ordered = waiting[::-1] if backwards else waiting
        repeated = [each for each in ordered for _ in range(copies)]
        await self._send_all(repeated)
        self._paused = False
        self.wake()
        return len(repeated)

    async def run(self) -> None:
        """Send for as long as the sandbox runs."""
        while True:
            self._wake.clear()
            due = [] if self._paused else self._due(self._store.clock())
            if due:
                await self._send_all(due)
            else:
                await self._sleep()

    async def _sleep(self) -> None:
        row = self._store.connection.execute("SELECT min(due) FROM deliveries").fetchone()
        pause = IDLE_S if self._paused or row[0] is None else max(0.0, row[0] - self._store.clock())
        try:
            async with asyncio.timeout(pause):
                await self._wake.wait()
        except TimeoutError:
            return

    def _due(self, now: float) -> list[Delivery]:
        rows = self._store.connection.execute(
            """SELECT d.seq, e.body, w.body, d.attempts FROM deliveries d
               JOIN objects e ON e.id = d.event JOIN objects w ON w.id = d.endpoint
               WHERE d.due <= ? ORDER BY d.seq LIMIT ?""",
            (now, BATCH),
        ).fetchall()
        return [_delivery(*row) for row in rows]

    async def _send_all(self, deliveries: Sequence[Delivery]) -> None:
        import aiohttp  # not at the start: it is slow to import, and nothing is sent yet

        by_endpoint: dict[str, list[Delivery]] = {}
        for each in deliveries:
            by_endpoint.setdefault(each.url, []).append(each)
        timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN_S)
        async with aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session:

            async def send_in_turn(queue: list[Delivery]) -> None:
                for each in queue:
                    self._note(each, await self._send(session, each))

            await asyncio.gather(*(send_in_turn(queue) for queue in by_endpoint.values()))

    async def _send(self, session: "aiohttp.ClientSession", delivery: Delivery) -> bool:
        import aiohttp

        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(delivery.body, delivery.secret, int(self._store.clock())),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        try:
            async with session.post(
                delivery.url, data=delivery.body.encode(), headers=headers, allow_redirects=False
            ) as answer:
                if 200 <= answer.status < 300:
                    return True
                log.warning("%s answered %s to an event", delivery.url, answer.status)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.warning("%s took no event: %s", delivery.url, error)
        return False

    def _note(self, delivery: Delivery, taken: bool) -> None:
        attempts = delivery.attempts + 1
        if taken or attempts >= MAX_ATTEMPTS:
            self._store.connection.execute("DELETE FROM deliveries WHERE seq = ?", (delivery.seq,))
            return
        due = self._store.clock() + min(FIRST_RETRY_S * 2**delivery.attempts, LONGEST_RETRY_S)
        update = "UPDATE deliveries SET attempts = ?, due = ? WHERE seq = ?"
        self._store.connection.execute(update, (attempts, due, delivery.seq))


def signature(body: str, secret: str, at: int) -> str:
    """The header `Stripe-Signature` (docs.stripe.com/webhooks/signature)."""
    mac = hmac.new(secret.encode(), f"{at}.{body}".encode(), hashlib.sha256)
    return f"t={at},v1={mac.hexdigest()}"


def _delivery(seq: int, event: str, endpoint: str, attempts: int) -> Delivery:
    to = json.loads(endpoint)
    return Delivery(seq, json.dumps(public(json.loads(event)), indent=2), to["url"], to["_secret"], attempts)
