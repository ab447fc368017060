"""What one may ask of recommendations."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from domain.catalog.model import Availability
from domain.catalog.service import Catalog
from domain.recommendations.model import Reason, Recommendation, RecommendationsScope, Scored, TrainingStats
from domain.recommendations.ports import Features
from domain.recommendations.training import Baskets, learn
from domain.shared.clock import Clock
from domain.shared.ids import ProductId
from domain.shared.paging import Count, Key, Page, PageRequest, cut_page
from domain.shared.refusals import InvalidCursor
from domain.shared.viewer import Viewer

RECOMMENDATIONS_ORDER = "recommendations"

SPARE = 10
"""Candidates looked up beyond a page, in place of products that went off sale since the training."""

TIERS = (Reason.BOUGHT_TOGETHER, Reason.POPULAR)
"""What is bought with a product comes before what is bought by everybody."""

BUYABLE = frozenset({Availability.IN_STOCK, Availability.LOW_STOCK})


class Recommendations:
    """Feeds of products that can be bought, at most 250 long.

    A cursor holds tier, score and id. After another training a feed goes on at that score: products may have moved
    across it, but a cursor never becomes invalid.
    """

    def __init__(self, features: Features, catalog: Catalog, clock: Clock) -> None:
        self._features = features
        self._catalog = catalog
        self._clock = clock

    async def recommend(
        self, viewer: Viewer, product_id: ProductId | None, request: PageRequest
    ) -> Page[Recommendation]:
        """What goes with a product, filled up with what is popular; without a product, what is popular.

        Products off sale are left out before the page is cut, so that it is full. Look-ups: two of features, at once,
        and one of the catalogue, or two when more than SPARE have gone. Raises InvalidCursor, Unavailable.
        """
        candidates = _window(await self._candidates(product_id), request)
        needed = request.size + 1
        found = await self._buyable(candidates[: needed + SPARE])
        if len(found) < needed and len(candidates) > needed + SPARE:
            found += await self._buyable(candidates[needed + SPARE :])
        return cut_page(found[:needed], request, RECOMMENDATIONS_ORDER, _key, RecommendationsScope(viewer, product_id))

    async def count(self, scope: RecommendationsScope) -> Count:
        return Count(len(await self._buyable(await self._candidates(scope.product_id))))

    async def train(self, baskets: AsyncIterator[Sequence[ProductId]]) -> TrainingStats:
        """Learn from all baskets and replace the model. Takes seconds, and memory for every basket."""
        version = self._clock.now().isoformat(timespec="seconds")
        read = await Baskets.read(baskets)
        model, stats = await asyncio.to_thread(learn, read, version)
        await self._features.replace(model)
        return stats

    async def _candidates(self, product_id: ProductId | None) -> list[Recommendation]:
        """In the order of the feed, without the product itself and without repeats."""
        if product_id is None:
            together: Sequence[Scored] = ()
            popular = await self._features.popular()
        else:
            [together], popular = await asyncio.gather(
                self._features.neighbours([product_id]), self._features.popular()
            )
        feed: dict[ProductId, Recommendation] = {}
        for reason, scored in zip(TIERS, (together, popular), strict=True):
            for each, score in scored:
                if each != product_id:
                    feed.setdefault(each, Recommendation(each, score, reason))
        return sorted(feed.values(), key=_rank)

    async def _buyable(self, candidates: Sequence[Recommendation]) -> list[Recommendation]:
        if not candidates:
            return []
        products = await self._catalog.products_by_ids([each.product_id for each in candidates])
        return [
            each
            for each, product in zip(candidates, products, strict=True)
            if product is not None and product.availability in BUYABLE
        ]


def _window(feed: list[Recommendation], request: PageRequest) -> list[Recommendation]:
    """What comes after (or, backward, before) the cursor, nearest first. Raises InvalidCursor."""
    if request.key is not None:
        edge = _rank_of(request.key)
        feed = [each for each in feed if (_rank(each) < edge if request.backward else _rank(each) > edge)]
    return feed[::-1] if request.backward else feed


def _rank(each: Recommendation) -> tuple[int, float, str]:
    return TIERS.index(each.reason), -each.score, each.product_id.hex


def _key(each: Recommendation) -> Key:
    return TIERS.index(each.reason), each.score, each.product_id.hex


def _rank_of(key: Key) -> tuple[int, float, str]:
    match key:
        case (int(tier), float(score) | int(score), str(product_id)):
            return tier, -score, product_id
    raise InvalidCursor
