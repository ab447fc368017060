"""Search and recommendations."""

import asyncio
from functools import partial
from typing import Any

from domain.catalog.model import Attribute
from domain.recommendations.model import RECOMMENDATIONS_ORDER, Recommendation
from domain.search.facets import narrowed_by
from domain.search.model import Beside, SearchPage
from domain.search.request import MAX_CHOICES, NO_FILTER, PriceRange, SearchFilter, SearchRequest, SearchSort
from domain.search.suggesting import Suggestion, listed
from domain.shared.ids import BrandId, CategoryId, ProductId, SellerId
from domain.shared.paging import Page, PageRequest
from domain.shared.refusals import InvalidInput
from engine.declared.fields import Paging
from resolvers.catalog import minor
from resolvers.context import Info
from resolvers.global_ids import key_of


async def search(info: Info, query: str, which: Any, sort: SearchSort, paging: Paging) -> SearchPage:
    request = SearchRequest.of(query, NO_FILTER if which is None else search_filter(which), sort)
    page = PageRequest.of(sort.order, *paging)
    found = await info.context.services.search.search(request, page, _beside(info))
    await info.context.services.popular.searched(info.context.viewer, request, page, found)
    return found


def _beside(info: Info) -> Beside:
    """What the operation will ask of its pages of hits, as far as that is known."""
    looked_at = info.context.loaders.needs.get("SearchHitConnection", frozenset())
    return Beside(total="scope" in looked_at, facets="narrowing" in looked_at)


async def suggestions(info: Info, typed: str) -> list[Suggestion]:
    """Without products that have just gone."""
    services = info.context.services
    popular, begun = await asyncio.gather(services.popular.beginning_with(typed), services.search.suggestions(typed))
    found = listed(popular, begun)
    ids = [each.product_id for each in found if each.product_id is not None]
    products = dict(zip(ids, await info.context.loaders.load_many("products", ids), strict=True))
    return [each for each in found if each.product_id is None or products[each.product_id] is not None]


def search_filter(given: Any) -> SearchFilter:
    """The filter of the schema's input. Raises InvalidInput, NotFound."""
    too_many = any(len(each or ()) > MAX_CHOICES for each in (given.category_ids, given.brand_ids, given.seller_ids))
    if too_many:  # before any work on them
        raise InvalidInput(key="too_many_choices", most=MAX_CHOICES, field=("filter",))
    named = SearchFilter(
        category_ids=tuple(
            CategoryId(key_of(each, "Category", "filter.categoryIds")) for each in given.category_ids or ()
        ),
        brand_ids=tuple(BrandId(key_of(each, "Brand", "filter.brandIds")) for each in given.brand_ids or ()),
        seller_ids=tuple(SellerId(key_of(each, "Seller", "filter.sellerIds")) for each in given.seller_ids or ()),
        prices=(_price(given.price),) if given.price else (),
        rating_min=given.rating_min,
        in_stock=given.in_stock,
        attributes=tuple(Attribute(each.name, each.value) for each in given.attributes or ()),
    )
    return narrowed_by(named, given.tokens or ())


def _price(given: Any) -> PriceRange:
    low, high = (minor(bound, given.currency_code) for bound in (given.min, given.max))
    return PriceRange(given.currency_code, low, high)


async def recommendations(info: Info, product_id: str | None, paging: Paging) -> Page[Recommendation]:
    beside = ProductId(key_of(product_id, "Product", "productId")) if product_id is not None else None
    request = PageRequest.of(RECOMMENDATIONS_ORDER, *paging)
    # through the loader, so that the feed's own look-up is also that of its products
    look_up = partial(info.context.loaders.load_many, "products")
    return await info.context.services.recommendations.recommend(info.context.viewer, beside, request, look_up)
