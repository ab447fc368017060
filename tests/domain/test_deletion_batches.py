"""Deletions that were interrupted, worked off a batch at a time: one that cannot be erased stops no other."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from domain.accounts.deletion import SIDE_BY_SIDE, AccountDeletion, Leaver
from domain.shared.ids import UserId, uuid7
from domain.shared.refusals import Unavailable
from domain.shared.viewer import Viewer
from tests.watch import Watch


class Broken:
    """Deletions that are due, and a store that cannot erase one of them."""

    def __init__(self, count: int) -> None:
        self.due_ones = [Leaver(UserId(uuid7()), None) for _ in range(count)]
        self.unlucky = self.due_ones[0].user_id
        self.finished: list[UserId] = []
        self.asked_since: datetime | None = None

    async def begin(self, viewer: Viewer) -> bool:
        raise NotImplementedError

    async def leaver(self, viewer: Viewer) -> Leaver:
        raise NotImplementedError

    async def finish(self, user_id: UserId) -> None:
        self.finished.append(user_id)

    async def due(self, since: datetime, limit: int) -> Sequence[Leaver]:
        self.asked_since = since
        return self.due_ones

    async def delete(self, subject: str) -> None:
        raise NotImplementedError

    async def erase(self, user_id: UserId) -> None:
        if user_id == self.unlucky:
            raise Unavailable("DynamoDB")


async def test_one_that_cannot_be_erased_stops_no_other_and_is_told_at_the_end() -> None:
    broken, watch = Broken(2 * SIDE_BY_SIDE + 1), Watch()
    deletion = AccountDeletion(broken, broken, {"cart": broken.erase}, watch)
    batches = deletion.batches(timedelta(0))
    counts = [await anext(batches) for _ in range(3)]
    with pytest.raises(Unavailable):
        await anext(batches)
    assert counts == [SIDE_BY_SIDE - 1, SIDE_BY_SIDE, 1]
    assert set(broken.finished) == {each.user_id for each in broken.due_ones} - {broken.unlucky}
    assert broken.asked_since == watch.now()
