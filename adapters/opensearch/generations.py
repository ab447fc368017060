"""Whole indexes side by side, and the alias that names the one that counts.

NAME-vFORMAT             alias of the index that is searched and written
NAME-vFORMAT-building    alias of the one that is being built: what is put meanwhile goes there, too
NAME-vFORMAT-previous    alias of the one that was searched before: the way back
NAME-vFORMAT-<time>      an index; one that was replaced a moment ago stays for who pages through it
"""

import time
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from opensearchpy.exceptions import NotFoundError, RequestError

from adapters.language.lexicon import Words
from adapters.opensearch.client import Client
from adapters.opensearch.mapping import FORMAT, index_body
from adapters.opensearch.refusals import IndexBusy, IndexMissing
from domain.search.refusals import NothingBefore

NS_PER_MS = 1_000_000


class Generations:
    """`kept_s`: how long an index that was replaced is kept in any case, since cursors lead into it."""

    def __init__(
        self, client: Client, name: str, words: Words, *, refresh_s: float, write_timeout_s: float, kept_s: float
    ) -> None:
        self.alias = f"{name}-v{FORMAT}"
        self.building = f"{self.alias}-building"
        self._previous = f"{self.alias}-previous"
        self._family = f"{name}-v*-*"
        self._client = client
        self._words = words
        self._refresh_s = refresh_s
        self._timeout_s = write_timeout_s
        self._kept_s = kept_s

    async def current(self) -> str | None:
        """The index that is searched; None before the first, and when it is of another format."""
        async with self._client.working(self._timeout_s) as api:
            return next(iter(await self._named(api, self.alias)), None)

    async def targets(self) -> tuple[str, ...]:
        """The aliases that a write goes to, the one that is searched first where there is one. Raises IndexMissing."""
        async with self._client.working(self._timeout_s) as api:
            # the one that is being built last: one that takes its place in between is seen under either name
            found = [alias for alias in (self.building, self.alias) if await self._named(api, alias)]
        if not found:
            raise IndexMissing(self.alias)
        return tuple(reversed(found))

    async def show_unless_still(self, targets: tuple[str, ...]) -> None:
        """What was written while one of these aliases took another's place may not be shown yet by the index that counts now."""
        if await self.targets() != targets:
            async with self._client.working(self._timeout_s) as api:
                await api.indices.refresh(index=self.alias, params={"ignore_unavailable": "true"})

    async def begin(self) -> str:
        """An empty index, and the building alias on it alone. Takes the place of a build that was killed, or goes on.

        Raises IndexBusy when another build begins at the same moment.
        """
        index = f"{self.alias}-{time.time_ns() // NS_PER_MS}"
        async with self._client.working(self._timeout_s) as api:
            await self._clear_away(api)
            aliases = {self.building: {"is_write_index": True}, own_alias(index): {}}
            try:
                await api.indices.create(
                    index=index,
                    body={**index_body(self._words.current().dictionary), "aliases": aliases},
                )
            except RequestError as error:  # it exists, or has the alias
                raise IndexBusy(self.alias) from error
        return index

    async def begin_previous(self) -> str:
        """The index before the present one, with the building alias, to be brought in step. Raises NothingBefore."""
        async with self._client.working(self._timeout_s) as api:
            await self._clear_away(api)
            found = await self._named(api, self._previous)
            if not found:
                raise NothingBefore
            aliases = (self.building, own_alias(found[0]))
            actions = [{"add": {"index": found[0], "alias": alias}} for alias in aliases]
            await api.indices.update_aliases(body={"actions": actions})
        return found[0]

    async def switch(self, index: str) -> None:
        """Make it the one that counts, at once for everybody, and drop those from before its predecessor.

        Raises IndexBusy when a build that began later has taken its place.
        """
        async with self._client.working(self._timeout_s) as api:
            params = {"ignore_unavailable": "true"}
            interval = {"index": {"refresh_interval": f"{int(self._refresh_s * 1000)}ms"}}
            await api.indices.put_settings(index=index, body=interval, params=params)
            await api.indices.refresh(index=index, params=params)
            before = await self._named(api, self.alias)
            earlier = await self._named(api, self._previous)
            actions = [
                {"remove": {"index": index, "alias": self.building, "must_exist": True}},
                {"remove": {"index": index, "alias": own_alias(index), "must_exist": True}},
                *({"remove": {"index": each, "alias": self.alias}} for each in before),
                *({"remove": {"index": each, "alias": self._previous}} for each in earlier),
                *({"add": {"index": each, "alias": self._previous}} for each in before),
                {"add": {"index": index, "alias": self.alias}},
            ]
            try:
                await api.indices.update_aliases(body={"actions": actions})
            except NotFoundError as error:
                raise IndexBusy(self.alias) from error
            await api.indices.refresh(index=index, params=params)  # who wrote in between waited for nothing
            await self._drop_old(api, index)

    async def abandon(self, index: str) -> None:
        """Leave the present index and the one before it as they were before `begin`."""
        async with self._client.working(self._timeout_s) as api:
            if index in await self._named(api, self.building):
                await self._clear_away(api)

    async def _clear_away(self, api: Any) -> None:
        """End a build that was killed, or goes on: what it made goes, but not the way back."""
        left, kept = await self._named(api, self.building), await self._named(api, self._previous)
        actions = [{"remove": {"index": each, "alias": self.building}} for each in left if each in kept]
        actions += [{"remove": {"index": each, "alias": own_alias(each)}} for each in left if each in kept]
        if actions:
            await api.indices.update_aliases(body={"actions": actions})
        if made := [each for each in left if each not in kept]:
            await api.indices.delete(index=",".join(made), params={"ignore_unavailable": "true"})

    async def _drop_old(self, api: Any, current: str) -> None:
        """All but the present one, the one before it, those replaced a moment ago, and one that is being built."""
        found = await api.indices.get(index=self._family, params={"expand_wildcards": "all"})
        made = {
            name: int(each["settings"]["index"]["creation_date"])
            for name, each in found.items()
            if name == current or not any(alias.endswith("-building") for alias in each["aliases"])
        }
        old = sorted((name for name in made if made[name] < made[current]), key=made.__getitem__)
        oldest_kept = time.time_ns() // NS_PER_MS - self._kept_s * 1000
        # an index was replaced when the next one was made, or later
        replaced = [name for name, successor in pairwise(old) if made[successor] < oldest_kept]
        drop = [name for name in replaced if self._previous not in found[name]["aliases"]]
        if drop:
            await api.indices.delete(index=",".join(drop), params={"ignore_unavailable": "true"})

    @staticmethod
    async def _named(api: Any, alias: str) -> list[str]:
        """The indexes with that alias."""
        # a pattern, since the client logs a warning where a name is not found
        found: Mapping[str, Mapping[str, Any]] = await api.indices.get_alias(name=f"{alias}*")
        return [index for index, each in found.items() if alias in each["aliases"]]


def own_alias(index: str) -> str:
    """By which the builder writes: OpenSearch makes an index that it does not know, but no alias."""
    return f"{index}-own"
