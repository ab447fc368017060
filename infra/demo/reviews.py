"""What shoppers say of products and sellers, and what they keep for later."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random

from domain.orders.model import OrderStatus
from domain.shared.ids import OrderItemId
from infra.demo.accounts import Accounts, User
from infra.demo.dice import Weighted, dice, key
from infra.demo.listings import Listing, Listings
from infra.demo.orders import Orders
from infra.demo.rows import Row
from infra.demo.times import REFERENCE, between
from infra.demo.words import review_phrases

REVIEWS_COLUMNS = (
    "id", "user_id", "product_id", "order_item_id", "rating", "title", "comment",
    "helpful_count", "is_verified_purchase", "created_at", "updated_at",
)  # fmt: skip
SELLER_REVIEWS_COLUMNS = ("id", "user_id", "seller_id", "order_id", "rating", "comment", "created_at", "updated_at")

MOST_REVIEWS = 60
PLENTY, FEW = 1.0, 0.5
"""A product of rank r has about 1 / r reviews: a power law, cut at the most; a third have none."""
REVIEWED_PURCHASES, REVIEWED_SELLERS, STARS_ALONE = 0.4, 0.25, 0.1
UNTIL_REVIEWED = timedelta(hours=60)
"""Nobody has used a product sooner after it was listed."""
STARS = [
    Weighted(zip(range(1, 6), weights, strict=True))
    for weights in ((18, 20, 28, 22, 12), (8, 12, 24, 32, 24), (3, 6, 16, 38, 37), (2, 3, 9, 33, 53), (1, 1, 5, 22, 71))
]
"""Ratings by the quality of a product."""

Purchase = tuple[User, OrderItemId | None, datetime]
"""Who reviews, which order item it was if we know, and from when on they can."""


class Reviews:
    """Reviews of the products of a marketplace: first by those whose order we have, then by the crowd."""

    def __init__(self, seed: int, accounts: Accounts, listings: Listings, orders: Orders) -> None:
        self._seed = seed
        self._accounts = accounts
        self._listings = listings
        self._orders = orders
        self._purchases: dict[int, list[Purchase]] | None = None

    def __len__(self) -> int:
        return sum(self._count(listing) for listing in self._listings)

    def rows(self) -> Iterator[Row]:
        for listing in self._listings:
            count = self._count(listing)
            if count:
                random = dice(self._seed, "reviews", listing.index)
                for purchase in self._reviewers(random, listing, count):
                    yield self._row(random, listing, purchase)

    def seller_rows(self) -> Iterator[Row]:
        for order in self._orders:
            random = dice(self._seed, "seller review", order.id)
            if order.course.status is not OrderStatus.DELIVERED or random.random() >= REVIEWED_SELLERS:
                continue
            shop = order.items[0].listing.shop
            rating = STARS[3].pick(random)
            at = between(random, order.course.changed_at, REFERENCE)
            comment = random.choice(review_phrases().sellers[rating - 1])
            yield (key(at, order.id, "seller review"), order.user.id, shop.id, order.id, rating, comment, at, at)

    def _count(self, listing: Listing) -> int:
        known = len(self._bought().get(listing.index, ()))
        if listing.published_at is None or listing.published_at + UNTIL_REVIEWED > REFERENCE:
            return known
        return max(min(int(PLENTY / listing.rank - FEW), MOST_REVIEWS), known)

    def _bought(self) -> dict[int, list[Purchase]]:
        """By product: purchases that were reviewed, one a user."""
        if self._purchases is None:
            self._purchases = {}
            for order in self._orders:
                if order.course.status is OrderStatus.DELIVERED:
                    random = dice(self._seed, "reviewed", order.id)
                    for item in order.items:
                        if random.random() < REVIEWED_PURCHASES or order.user is self._accounts.buyer:
                            so_far = self._purchases.setdefault(item.listing.index, [])
                            if all(user is not order.user for user, *_ in so_far):
                                so_far.append((order.user, item.id, order.course.changed_at))
        return self._purchases

    def _reviewers(self, random: Random, listing: Listing, count: int) -> Sequence[Purchase]:
        assert listing.published_at is not None
        known = self._bought().get(listing.index, [])
        more = count - len(known)
        crowd = self._accounts.crowd
        drawn = random.sample(range(len(crowd)), min(count, len(crowd)))  # enough, were all that are known among them
        names = {user.index for user, *_ in known}
        fresh = [index for index in drawn if index not in names][:more]
        return [*known, *((crowd[index], None, listing.published_at + UNTIL_REVIEWED) for index in fresh)]

    def _row(self, random: Random, listing: Listing, purchase: Purchase) -> Row:
        user, item, since = purchase
        at = between(random, since, REFERENCE)
        rating = STARS[listing.quality].pick(random)
        title, comment = _words(random, listing, rating)
        helpful = min(int(0.8 / (1 - random.random())), 48) if comment else 0
        id = key(at, self._seed, "review", listing.index, user.email)
        return (id, user.id, listing.id, item, rating, title, comment, helpful, item is not None, at, at)


def _words(random: Random, listing: Listing, rating: int) -> tuple[str | None, str | None]:
    """Title and comment, or nothing but the stars."""
    if random.random() < STARS_ALONE:
        return None, None
    phrases, place, leaf = review_phrases(), rating - 1, listing.leaf
    opening = random.choice(phrases.openings[place]).format(noun=listing.wording.noun.text)
    middle = [random.choice(leaf.gripes if rating < 3 else leaf.praise)]
    if rating == 3 or (rating == 4 and random.random() < 0.3):
        middle.append(f"ただ、{random.choice(leaf.gripes)}")
    closing = [random.choice(phrases.closings[place])] if random.random() < 0.5 else []
    first = [opening] if random.random() < 0.7 else []
    return random.choice(phrases.titles[place]), "".join([*first, *middle, *closing])
