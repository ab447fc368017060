"""What users and guests looked at last. Written beside the request, and no loss if it is lost."""

import asyncio
from collections.abc import Sequence

from domain.accounts.looks import MAX_VIEWED, Look, Onlooker, ViewStore
from domain.accounts.preferences import PreferenceDesk
from domain.shared.clock import Clock
from domain.shared.ids import ProductId, UserId
from domain.shared.refusals import InvalidInput, Unavailable
from domain.shared.viewer import Viewer

DEFAULT_SHOWN = 20
WAITING = 1_000
"""Looks that wait to be written; further ones are not remembered."""
AT_ONCE = 100
GATHERED_S = 0.1
"""How long looks are gathered, so that many cost what one does: whether a user wants it is asked of another back end."""


class ViewHistory:
    """Recently viewed products. A user's own setting turns it off."""

    def __init__(self, store: ViewStore, preferences: PreferenceDesk, clock: Clock) -> None:
        self._store = store
        self._preferences = preferences
        self._clock = clock
        self._waiting: asyncio.Queue[Look] = asyncio.Queue(WAITING)

    def saw(self, viewer: Viewer, product_id: ProductId) -> None:
        """Remember it soon, if there is room; never waits."""
        onlooker = Onlooker.of(viewer)
        if onlooker is not None and not self._waiting.full():
            self._waiting.put_nowait(Look(onlooker, product_id, self._clock.now()))

    async def run(self) -> None:
        """Write what waits, many at once, for as long as the gateway runs."""
        while True:
            looks = [await self._waiting.get()]
            await asyncio.sleep(GATHERED_S)
            while len(looks) < AT_ONCE and not self._waiting.empty():
                looks.append(self._waiting.get_nowait())
            try:
                await self._write(looks)
            except Unavailable:
                continue  # not worth another try: what is not known to be wanted is not kept either

    async def _write(self, looks: Sequence[Look]) -> None:
        users = list({look.onlooker.user_id for look in looks if look.onlooker.user_id is not None})
        willing = await self._preferences.who_keep_history(users) if users else frozenset[UserId]()
        wanted = [look for look in looks if look.onlooker.user_id is None or look.onlooker.user_id in willing]
        if wanted:
            await self._store.note(wanted)

    async def recent(self, viewer: Viewer, first: int | None) -> Sequence[ProductId]:
        """Last looked at first. Raises InvalidInput, Unavailable."""
        size = DEFAULT_SHOWN if first is None else first
        if not 0 <= size <= MAX_VIEWED:
            raise InvalidInput(key="page_size", name="first", most=MAX_VIEWED, size=size, field=("first",))
        onlooker = Onlooker.of(viewer)
        if onlooker is None or size == 0:
            return []
        if viewer.user_id is not None and not await self._preferences.who_keep_history([viewer.user_id]):
            return []
        return await self._store.latest(onlooker, size)

    async def forget(self, viewer: Viewer) -> None:
        """Raises Unavailable."""
        onlooker = Onlooker.of(viewer)
        if onlooker is not None:
            await self._store.forget(onlooker)
