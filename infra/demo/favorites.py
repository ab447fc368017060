"""What shoppers keep for later."""

from collections.abc import Iterator

from infra.demo.accounts import Accounts, User
from infra.demo.dice import dice, key
from infra.demo.rows import Row
from infra.demo.tastes import Tastes
from infra.demo.times import REFERENCE, waking_hour

COLUMNS = ("id", "user_id", "product_id", "created_at")
BASKETS, BUYERS_BASKETS = 3, 6
"""At most so many looks into the shop; each leaves one to four products."""


class Favorites:
    """Favourites of every user, from the groups that they also buy from."""

    def __init__(self, seed: int, accounts: Accounts, tastes: Tastes) -> None:
        self._seed = seed
        self._accounts = accounts
        self._tastes = tastes
        self._made: list[Row] | None = None

    def rows(self) -> list[Row]:
        if self._made is None:
            users = () if self._tastes.is_empty else (self._accounts.buyer, *self._accounts.crowd)
            self._made = [row for user in users for row in self._of(user)]
        return self._made

    def __len__(self) -> int:
        return len(self.rows())

    def _of(self, user: User) -> Iterator[Row]:
        random = dice(self._seed, "favorites", user.email)
        looks = BUYERS_BASKETS if user is self._accounts.buyer else random.randrange(BASKETS)
        groups = self._tastes.of(user)
        found = [self._tastes.basket(random, groups, REFERENCE, random.randrange(1, 5)) for _ in range(looks)]
        for listing in {listing.index: listing for basket in found for listing in basket}.values():
            assert listing.published_at is not None
            at = max(waking_hour(random, random.randrange(300)), listing.published_at)
            yield (key(at, self._seed, "favorite", user.email, listing.index), user.id, listing.id, at)
