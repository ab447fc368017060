"""Who wants what: what a shopper is into, and which products go into one basket."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from random import Random

from infra.demo.accounts import User
from infra.demo.dice import Weighted, dice
from infra.demo.listings import Listing
from infra.demo.words import Affinity, affinities

TRIES = 12
"""How often to look for another product when one is not on offer yet."""
LIKE_THE_FIRST = 0.5
"""Share of what goes along that is as sought-after as what it goes with; so each has companions of its own."""

Shelf = Sequence[Listing]
"""Products of one leaf, the most wanted first."""


class Tastes:
    """Baskets from the products that are or were on offer."""

    def __init__(self, seed: int, listings: Iterable[Listing]) -> None:
        self._seed = seed
        shelves: dict[str, list[Listing]] = {}
        for listing in listings:
            if listing.published_at is not None:
                shelves.setdefault(listing.leaf.slug, []).append(listing)
        for shelf in shelves.values():
            shelf.sort(key=lambda listing: listing.rank)
        self._groups = {group.name: _stocked(group, shelves) for group in affinities()}
        stocked = [(name, group) for name, group in self._groups.items() if group]
        weights = {group.name: group.weight for group in affinities()}
        self._by_weight = Weighted((name, weights[name]) for name, _ in stocked) if stocked else None

    @property
    def is_empty(self) -> bool:
        return self._by_weight is None

    def of(self, user: User) -> Sequence[str]:
        """The two groups that a user mostly buys from."""
        random = dice(self._seed, "taste", user.email)
        return [self._group(random), self._group(random)]

    def basket(self, random: Random, groups: Sequence[str], at: datetime, size: int) -> Sequence[Listing]:
        """Up to `size` different products of one group that were on offer then; can be empty when few were."""
        shelves = self._groups[random.choice(groups) if random.random() < 0.85 else self._group(random)]
        first = _first(random, shelves, at)
        if first is None:
            return ()
        chosen, place = {first[0].index: first[0]}, first[1]
        for shelf in random.sample(shelves, len(shelves)):
            if len(chosen) == size:
                break
            found = _along(random, shelf, place, at)
            if found is not None:
                chosen[found.index] = found
        return list(chosen.values())

    def _group(self, random: Random) -> str:
        assert self._by_weight is not None
        return self._by_weight.pick(random)


def _stocked(group: Affinity, shelves: dict[str, list[Listing]]) -> Sequence[Shelf]:
    return [shelves[slug] for slug in group.leaves if slug in shelves]


def _first(random: Random, shelves: Sequence[Shelf], at: datetime) -> tuple[Listing, float] | None:
    """What the shopper came for, and its place on its shelf from 0 to 1."""
    for _ in range(TRIES):
        shelf = random.choice(shelves)
        share = random.random()
        place = share * share * share
        listing = shelf[int(len(shelf) * place)]
        if listing.was_on_offer(at):
            return listing, place
    return None


def _along(random: Random, shelf: Shelf, place: float, at: datetime) -> Listing | None:
    """What goes along from one shelf: what everybody takes, or what is at the same place as the first."""
    for _ in range(TRIES):
        share = random.random()
        near = place + (share - 0.5) / 10
        wanted = min(max(near, 0.0), 0.9999) if random.random() < LIKE_THE_FIRST else share * share * share
        listing = shelf[int(len(shelf) * wanted)]
        if listing.was_on_offer(at):
            return listing
    return None
