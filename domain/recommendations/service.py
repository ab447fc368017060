"""What one may ask of recommendations."""

import asyncio
import time
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from domain.catalog.model import Availability, Product
from domain.catalog.service import Catalog
from domain.recommendations.model import (
    RECOMMENDATIONS_ORDER,
    Model,
    Reason,
    Recommendation,
    RecommendationsScope,
    Scored,
    TrainingStats,
)
from domain.recommendations.ports import Features
from domain.recommendations.training import Baskets, learn
from domain.shared.clock import Clock
from domain.shared.ids import ProductId
from domain.shared.paging import Count, Key, Page, PageRequest, cut_page
from domain.shared.refusals import InvalidCursor
from domain.shared.viewer import Viewer

LOOKED_UP_AT_ONCE = 2_000

SPARE = 10
"""Candidates looked up beyond a page, in place of products that went off sale since the training."""

TIERS = (Reason.BOUGHT_TOGETHER, Reason.POPULAR)
"""What is bought with a product comes before what is bought by everybody."""

Candidate = tuple[int, Scored]
"""A product and the index of its tier. A feed is some 250 of them and made anew for each request: kept bare for speed."""

Wanted = tuple[ProductId | None, PageRequest]

KEPT_S = 2.0
"""How long a page is shown to the public again: what went off sale meanwhile is in it, and says so."""
MAX_KEPT = 1_000

LookUp = Callable[[Sequence[ProductId]], Awaitable[Sequence[Product | None]]]
"""Products by their ids, in the same order."""

BUYABLE = frozenset({Availability.IN_STOCK, Availability.LOW_STOCK})


class Recommendations:
    """Feeds of products that can be bought, at most 250 long.

    A cursor holds tier, score and id. After another training a feed goes on at that score: products may have moved
    across it, but a cursor never becomes invalid.
    """

    def __init__(
        self, features: Features, catalog: Catalog, clock: Clock, *, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._features = features
        self._catalog = catalog
        self._clock = clock
        self._seconds = seconds
        self._kept: OrderedDict[Wanted, tuple[float, Sequence[Candidate]]] = OrderedDict()

    async def recommend(
        self,
        viewer: Viewer,
        product_id: ProductId | None,
        request: PageRequest,
        look_up: LookUp | None = None,
    ) -> Page[Recommendation]:
        """What goes with a product, filled up with what is popular; without a product, what is popular.

        Products off sale are left out before the page is cut, so that it is full. Look-ups: two of features, at once,
        and one of the catalogue, or two when more than SPARE have gone. `look_up` finds products for a caller who is about
        to ask for the same ones. What the public is shown is kept for KEPT_S, as ids. Raises InvalidCursor, Unavailable.
        """
        began, wanted = self._seconds(), (product_id, request)
        kept = self._kept.get(wanted) if viewer.is_public else None
        if kept is not None and began - kept[0] < KEPT_S:
            found = kept[1]
        else:
            found = await self._found(product_id, request, look_up or self._catalog.products_by_ids)
            if viewer.is_public:
                self._keep(wanted, began, found)
        nodes = [Recommendation(each.product_id, each.score, TIERS[tier]) for tier, each in found]
        return cut_page(nodes, request, RECOMMENDATIONS_ORDER, _key, RecommendationsScope(viewer, product_id))

    async def _found(self, product_id: ProductId | None, request: PageRequest, look_up: LookUp) -> Sequence[Candidate]:
        """A page's candidates that can be bought, and the one that tells whether there are more."""
        candidates = _window(await self._candidates(product_id), request)
        needed = request.size + 1
        found = await _buyable(candidates[: needed + SPARE], look_up)
        if len(found) < needed and len(candidates) > needed + SPARE:
            found += await _buyable(candidates[needed + SPARE :], look_up)
        return found[:needed]

    def _keep(self, wanted: Wanted, began: float, found: Sequence[Candidate]) -> None:
        self._kept[wanted] = began, found
        self._kept.move_to_end(wanted)
        if len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)

    async def count(self, scope: RecommendationsScope) -> Count:
        candidates = await self._candidates(scope.product_id)
        return Count(len(await _buyable(candidates, self._catalog.products_by_ids)))

    async def train(self, baskets: AsyncIterator[Sequence[ProductId]]) -> TrainingStats:
        """Learn from all baskets and replace the model. Takes seconds, and memory for every basket."""
        version = self._clock.now().isoformat()
        read = await Baskets.read(baskets)
        model, stats = await asyncio.to_thread(learn, read, version)
        await self._features.replace(await self._on_sale(model))
        return stats

    async def _on_sale(self, model: Model) -> Model:
        """The model without what cannot be bought now: a feed would look it up each time only to leave it out."""
        listed = {each.product_id for scored in (*model.neighbours.values(), model.popular) for each in scored}
        ids, on_sale = list(listed), set[ProductId]()
        for start in range(0, len(ids), LOOKED_UP_AT_ONCE):
            some = await self._catalog.products_by_ids(ids[start : start + LOOKED_UP_AT_ONCE])
            on_sale |= {product.id for product in some if product is not None and product.availability in BUYABLE}
        neighbours = {
            key: [each for each in scored if each.product_id in on_sale] for key, scored in model.neighbours.items()
        }
        popular = [each for each in model.popular if each.product_id in on_sale]
        return Model(model.version, {key: kept for key, kept in neighbours.items() if kept}, popular)

    async def _candidates(self, product_id: ProductId | None) -> list[Candidate]:
        """In the order of the feed, without the product itself and without repeats."""
        if product_id is None:
            return [(1, each) for each in await self._features.popular()]
        [together], popular = await asyncio.gather(self._features.neighbours([product_id]), self._features.popular())
        known = {product_id, *(each.product_id for each in together)}
        return [(0, each) for each in together] + [(1, each) for each in popular if each.product_id not in known]


async def _buyable(candidates: Sequence[Candidate], look_up: LookUp) -> list[Candidate]:
    if not candidates:
        return []
    products = await look_up([each.product_id for _, each in candidates])
    return [
        candidate
        for candidate, product in zip(candidates, products, strict=True)
        if product is not None and product.availability in BUYABLE
    ]


def _window(feed: list[Candidate], request: PageRequest) -> list[Candidate]:
    """What comes after (or, backward, before) the cursor, nearest first. Raises InvalidCursor."""
    edge = None if request.key is None else _rank_of(request.key)
    if request.backward:
        before = feed if edge is None else feed[: bisect_left(feed, edge, key=_rank)]
        return before[::-1]
    return feed if edge is None else feed[bisect_right(feed, edge, key=_rank) :]


def _rank(candidate: Candidate) -> tuple[int, float, str]:
    tier, (product_id, score) = candidate
    return tier, -score, product_id.hex


def _rank_of(key: Key) -> tuple[int, float, str]:
    match key:
        case (int(tier), float(score) | int(score), str(product_id)):
            return tier, -score, product_id
    raise InvalidCursor


def _key(each: Recommendation) -> Key:
    return TIERS.index(each.reason), each.score, each.product_id.hex
