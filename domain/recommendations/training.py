"""Co-visitation: what is bought together, counted from baskets (item-to-item collaborative filtering).

Source: Linden, Smith, York: Amazon.com Recommendations, IEEE Internet Computing 7(1), 2003; cosine similarity of
products over baskets, damped here.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from heapq import nsmallest
from itertools import chain
from math import sqrt

from domain.recommendations.model import MAX_NEIGHBOURS, MAX_POPULAR, Model, Scored, TrainingStats
from domain.shared.ids import ProductId

MAX_BASKET = 50
"""Products counted of one basket: pairs grow with its square, and a wholesaler's hundreds say little about taste."""

MAX_PRODUCTS = 20_000
"""Products that get neighbours, those in most baskets first: the long tail has too few baskets to learn from."""

DAMPING = 10
"""Baskets that each product is thought to have had without company, so that one shared basket proves little."""

MIN_SHARED = 3
"""Baskets that must hold a pair, or one product to be popular: of fewer, a list would show what one person bought."""

SCORE_STEPS = 2**20
"""Scores are multiples of 1/SCORE_STEPS, which a float32 holds exactly: stored and read back, ties are the same ties."""


class Baskets:
    """Baskets with their products numbered, so that counting them is done on small integers.

    Memory: about 8 bytes a line and 60 a basket; CPU: some 40 ns a pair of lines of a basket.
    """

    def __init__(self) -> None:
        self.ids: list[ProductId] = []
        self.rows: list[list[int]] = []
        self.orders: Counter[int] = Counter()
        self.cut = 0
        self._numbers: dict[ProductId, int] = {}

    @classmethod
    async def read(cls, baskets: AsyncIterator[Sequence[ProductId]]) -> "Baskets":
        read = cls()
        async for basket in baskets:
            read.add(basket)
        return read

    def add(self, basket: Iterable[ProductId]) -> None:
        """Take a basket. A product counts once; of more than MAX_BASKET, that many are taken at even steps by id."""
        products = list(dict.fromkeys(basket))
        if not products:
            return
        self.orders.update(map(self._number, products))
        if len(products) > MAX_BASKET:
            self.cut += 1
            products.sort()
            products = [products[step * len(products) // MAX_BASKET] for step in range(MAX_BASKET)]
        self.rows.append([self._numbers[product] for product in products])

    def _number(self, product: ProductId) -> int:
        number = self._numbers.setdefault(product, len(self.ids))
        if number == len(self.ids):
            self.ids.append(product)
        return number


def learn(baskets: Baskets, version: str) -> tuple[Model, TrainingStats]:
    """The model of these baskets. Blocks: some 1.5 s for 24,000 invoices of 21 lines."""
    holding: list[list[int]] = [[] for _ in baskets.ids]
    for place, row in enumerate(baskets.rows):
        for number in row:
            holding[number].append(place)
    weights = [1 / sqrt(len(places) + DAMPING) for places in holding]
    # one product's counts at a time: all pairs at once would be millions of entries
    most_bought = sorted(range(len(holding)), key=lambda number: (-len(holding[number]), baskets.ids[number]))
    neighbours = {}
    for number in most_bought[:MAX_PRODUCTS]:
        together = Counter(chain.from_iterable(baskets.rows[place] for place in holding[number]))
        del together[number]
        supported = {other: shared for other, shared in together.items() if shared >= MIN_SHARED}
        if supported:
            neighbours[baskets.ids[number]] = _nearest(supported, weights[number], weights, baskets.ids)
    model = Model(version, neighbours, _popular(baskets))
    stats = TrainingStats(
        version=version,
        baskets=len(baskets.rows),
        cut=baskets.cut,
        products=len(baskets.ids),
        with_neighbours=len(neighbours),
        popular=len(model.popular),
    )
    return model, stats


def _nearest(
    together: Mapping[int, int], weight: float, weights: Sequence[float], ids: Sequence[ProductId]
) -> list[Scored]:
    """The best by damped cosine, shared / sqrt((baskets of a + 10) * (baskets of b + 10)): from 0 to 1."""
    scale = weight * SCORE_STEPS
    return _best(MAX_NEIGHBOURS, ((shared * weights[other] * scale, ids[other]) for other, shared in together.items()))


def _popular(baskets: Baskets) -> list[Scored]:
    """By the share of orders that hold it: of the whole baskets, for long ones count as much as short ones here."""
    scale = SCORE_STEPS / max(len(baskets.rows), 1)
    supported = ((number, orders) for number, orders in baskets.orders.items() if orders >= MIN_SHARED)
    return _best(MAX_POPULAR, ((orders * scale, baskets.ids[number]) for number, orders in supported))


def _best(most: int, steps: Iterable[tuple[float, ProductId]]) -> list[Scored]:
    """The highest scores, given in steps, first; of the same score, the lower id."""
    best = nsmallest(most, [(-round(score), product_id) for score, product_id in steps])
    return [Scored(product_id, -score / SCORE_STEPS) for score, product_id in best]
