"""Clients take turns at what there is not enough of."""

import asyncio
from collections.abc import Hashable
from contextvars import copy_context

from engine.fairness.shares import WHO, Gate, InTurn


def test_clients_are_served_in_turn_and_each_in_its_order() -> None:
    queue: InTurn[str] = InTurn()
    for who, item in (("a", "a1"), ("a", "a2"), ("a", "a3"), ("b", "b1"), ("c", "c1"), ("b", "b2")):
        queue.add(who, item)
    assert queue.of("a") == 3
    assert queue.of("nobody") == 0
    assert [queue.pop() for _ in range(len(queue))] == ["a1", "b1", "c1", "a2", "b2", "a3"]
    assert len(queue) == 0


class Room:
    """A gate, and who was let in."""

    def __init__(self, places: int) -> None:
        self.gate = Gate(places)
        self.entered: list[Hashable] = []
        self.leave: list[asyncio.Event] = []

    async def use(self) -> None:
        async with self.gate.place():
            self.entered.append(WHO.get())
            gone = asyncio.Event()
            self.leave.append(gone)
            await gone.wait()

    def come(self, who: str) -> asyncio.Task[None]:
        context = copy_context()
        context.run(WHO.set, who)
        return asyncio.get_running_loop().create_task(self.use(), context=context)

    async def one_leaves(self) -> None:
        self.leave.pop(0).set()
        await settled()


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_asks_for_much_waits_behind_who_asks_for_little() -> None:
    room = Room(2)
    tasks = [room.come("greedy") for _ in range(10)]
    await settled()
    tasks.append(room.come("polite"))
    await settled()
    assert room.entered == ["greedy"] * 2
    await room.one_leaves()
    await room.one_leaves()
    assert room.entered == ["greedy"] * 3 + ["polite"]
    while room.leave:
        await room.one_leaves()
    await asyncio.gather(*tasks)
    assert len(room.entered) == 11


async def test_who_gives_up_takes_no_place() -> None:
    room = Room(1)
    inside, waiting, given = (room.come(name) for name in "abc")
    await settled()
    waiting.cancel()
    await settled()
    given_late = room.come("d")
    room.leave.pop(0).set()
    await asyncio.sleep(0)  # the place is c's from now on, who has not noticed yet
    given.cancel()
    await settled()
    assert room.entered[-1] == "d"
    await room.one_leaves()
    await asyncio.gather(inside, given_late)
    again = room.come("e")
    await settled()
    assert room.entered[-1] == "e"
    await room.one_leaves()
    await again
