"""Listens to what PostgreSQL says has changed of what the public is shown."""

import asyncio
import logging
import re
import time
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from typing import Protocol

from adapters.postgres.listening import LOST, Channel, Heard, listening

log = logging.getLogger("torii.changes")

PRODUCTS, OTHERS = CHANNELS = ("catalog_changed", "public_changed")
RETRY_S = 1.0
PROBE_S = 0.5
"""How often the connection is asked whether it still lives: a cut can be silent, and prices may be shown for 2 s."""
MAX_VERSION_DIGITS = 19
TAG = re.compile(r"[a-z_]{1,20}:[0-9a-f-]{36}")

Versions = Mapping[str, int]


class Audience(Protocol):
    """Who wants to know. Methods are awaited one after another, in the order of the changes."""

    async def joined(self) -> None: ...

    async def changed(self, versions: Versions | None) -> None: ...

    def left(self) -> None: ...


class Onlooker(Protocol):
    """Who wants to know of all that the public is shown, and how fresh that knowledge is."""

    def touched(self, tags: Iterable[str] | None) -> None:
        """Something beside products changed, such as `seller:0199…`; None when anything may have."""
        ...

    async def confirmed(self, at: float) -> None:
        """All changes that were committed before that moment of the monotonic clock have been told, of products too."""
        ...


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

    def __init__(self, url: str, audience: Audience, onlooker: Onlooker) -> None:
        self._url = url
        self._audience = audience
        self._onlooker = onlooker

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            try:
                await self._listen()
            except LOST as error:
                log.warning("lost the channel of changes: %s", error)
            except Exception:
                log.exception("lost the channel of changes")
            finally:
                self._audience.left()
            await asyncio.sleep(RETRY_S)

    async def _listen(self) -> None:
        async with listening(self._url, CHANNELS, "torii changes") as channel:
            await self._audience.joined()
            while True:
                await self._tell_for(PROBE_S, channel)
                asked = time.monotonic()
                # What was committed before this question is announced before its answer: PostgreSQL keeps that order.
                await channel.probe()
                for said in channel.heard():
                    await self._tell(said)
                await self._onlooker.confirmed(asked)

    async def _tell_for(self, seconds: float, channel: Channel) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            said = await channel.within(left)
            if said is not None:
                await self._tell(said)

    async def _tell(self, said: Heard) -> None:
        channel, payload = said
        if channel == PRODUCTS:
            await self._audience.changed(versions_of(payload))
        else:
            self._onlooker.touched(tags_of(payload))


def versions_of(payload: str) -> Versions | None:
    """Versions by product id from `id:version id:version`; None from `*`, and from what is neither: any role may NOTIFY."""
    pairs = [pair.partition(":") for pair in payload.split()]
    if not all(
        version.isascii() and version.isdigit() and len(version) < MAX_VERSION_DIGITS for _, _, version in pairs
    ):
        return None
    return {key: int(version) for key, _, version in pairs}


def tags_of(payload: str) -> list[str] | None:
    """Tags from `kind:id kind:id`; None from `*`, and from what is neither."""
    tags = payload.split()
    return tags if tags and all(map(TAG.fullmatch, tags)) else None
