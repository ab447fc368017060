"""Listens to what PostgreSQL says has changed in the catalogue."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Protocol

from adapters.postgres.listening import LOST, listening

log = logging.getLogger("torii.changes")

CHANNEL = "catalog_changed"
RETRY_S = 1.0
MAX_VERSION_DIGITS = 19

Versions = Mapping[str, int]


class Audience(Protocol):
    """Who wants to know. Methods are awaited one after another, in the order of the changes."""

    async def joined(self) -> None: ...

    async def changed(self, versions: Versions | None) -> None: ...

    def left(self) -> None: ...


class Audiences:
    """Several audiences as one: each is told after the one before it, whether that failed or not. Raises what the last to fail did."""

    def __init__(self, *audiences: Audience) -> None:
        self._backwards = audiences[::-1]

    async def joined(self) -> None:
        async with AsyncExitStack() as telling:
            for each in self._backwards:
                telling.push_async_callback(each.joined)

    async def changed(self, versions: Versions | None) -> None:
        async with AsyncExitStack() as telling:
            for each in self._backwards:
                telling.push_async_callback(each.changed, versions)

    def left(self) -> None:
        for each in self._backwards:
            each.left()


class CatalogChanges:
    """A connection of its own that is opened again whenever it is lost."""

    def __init__(self, url: str, audience: Audience, audience_failure: type[Exception]) -> None:
        self._url = url
        self._audience = audience
        self._failures = (*LOST, audience_failure)

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
        async with listening(self._url, CHANNEL, "torii changes") as channel:
            await self._audience.joined()
            while True:
                await self._audience.changed(versions_of(await channel.next()))


def versions_of(payload: str) -> Versions | None:
    """Versions by product id from `id:version id:version`; None from `*`, and from what is neither: any role may NOTIFY."""
    pairs = [pair.partition(":") for pair in payload.split()]
    if not all(
        version.isascii() and version.isdigit() and len(version) < MAX_VERSION_DIGITS for _, _, version in pairs
    ):
        return None
    return {key: int(version) for key, _, version in pairs}
