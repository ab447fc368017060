"""Search and recommendations."""

from functools import partial

from domain.recommendations.model import RECOMMENDATIONS_ORDER, Recommendation
from domain.search.model import SEARCH_ORDER, Hit
from domain.shared.ids import ProductId
from domain.shared.paging import Page, PageRequest
from engine.declared.fields import Paging
from resolvers.context import Info
from resolvers.global_ids import key_of


async def search(info: Info, query: str, paging: Paging) -> Page[Hit]:
    return await info.context.services.search.search(query, PageRequest.of(SEARCH_ORDER, *paging))


async def recommendations(info: Info, product_id: str | None, paging: Paging) -> Page[Recommendation]:
    beside = ProductId(key_of(product_id, "Product", "productId")) if product_id is not None else None
    request = PageRequest.of(RECOMMENDATIONS_ORDER, *paging)
    # through the loader, so that the feed's own look-up is also that of its products
    look_up = partial(info.context.loaders.load_many, "products")
    return await info.context.services.recommendations.recommend(info.context.viewer, beside, request, look_up)
