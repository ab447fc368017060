"""Listens to what PostgreSQL says has changed in the catalogue."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Protocol

import asyncpg

log = logging.getLogger("torii.changes")

CHANNEL = "catalog_changed"
EVERYTHING = "*"
RETRY_S = 1.0
PROBE_S = 5.0
"""How often a quiet connection is asked whether it still lives: a cut can be silent."""
MAX_VERSION_DIGITS = 19
QUEUE = 10_000
"""Changes that may wait; when more do, they become one change of everything."""

Versions = Mapping[str, int]


class Audience(Protocol):
    """Who wants to know. Methods are awaited one after another, in the order of the changes."""

    async def joined(self) -> None: ...

    async def changed(self, versions: Versions | None) -> None: ...

    def left(self) -> None: ...


class CatalogChanges:
    """A connection of its own that is opened again whenever it is lost."""

    def __init__(self, url: str, audience: Audience, audience_failure: type[Exception]) -> None:
        self._url = url
        self._audience = audience
        self._failures = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, audience_failure)

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            try:
                await self._listen()
            except self._failures as error:
                log.warning("lost the channel %s: %s", CHANNEL, error)
            except Exception:
                log.exception("lost the channel %s", CHANNEL)
            finally:
                self._audience.left()
            await asyncio.sleep(RETRY_S)

    async def _listen(self) -> None:
        connection = await asyncpg.connect(
            self._url, timeout=5, command_timeout=5, server_settings={"application_name": "torii changes"}
        )
        heard: asyncio.Queue[str | None] = asyncio.Queue(QUEUE)

        def put(payload: str | None) -> None:
            if heard.full():
                while not heard.empty():
                    heard.get_nowait()
                payload = payload and EVERYTHING
            heard.put_nowait(payload)

        def hear(_connection: Any, _pid: int, _channel: str, payload: str) -> None:
            put(payload)

        try:
            connection.add_termination_listener(lambda _: put(None))
            await connection.add_listener(CHANNEL, hear)
            await self._audience.joined()
            while True:
                try:
                    async with asyncio.timeout(PROBE_S):
                        payload = await heard.get()
                except TimeoutError:
                    await connection.execute("SELECT 1")
                    continue
                if payload is None:
                    raise ConnectionError("PostgreSQL closed the connection")
                await self._audience.changed(versions_of(payload))
        finally:
            connection.terminate()  # a polite close could fail, and hide from `run` that it was cancelled


def versions_of(payload: str) -> Versions | None:
    """Versions by product id from `id:version id:version`; None from `*`, and from what is neither: any role may NOTIFY."""
    pairs = [pair.partition(":") for pair in payload.split()]
    if not all(
        version.isascii() and version.isdigit() and len(version) < MAX_VERSION_DIGITS for _, _, version in pairs
    ):
        return None
    return {key: int(version) for key, _, version in pairs}
