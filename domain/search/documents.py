"""What of the marketplace goes into the search index."""

import math
from collections.abc import AsyncIterator

from domain.catalog.model import ProductStatus
from domain.catalog.service import Catalog
from domain.reviews.service import ReviewBoard
from domain.search.model import SearchDocument
from domain.sellers.service import Sellers


class MarketplaceDocuments:
    """The port `Documents`: every product with the names of its brand and categories, some look-ups a batch."""

    def __init__(self, catalog: Catalog, sellers: Sellers, reviews: ReviewBoard) -> None:
        self._catalog = catalog
        self._sellers = sellers
        self._reviews = reviews

    async def documents(self) -> AsyncIterator[SearchDocument]:
        async for products in self._catalog.every_product():
            brands = await self._catalog.brands_by_ids(list({each.brand_id for each in products if each.brand_id}))
            brand_names = {brand.id: brand.name for brand in brands if brand}
            paths = await self._catalog.category_paths([each.category_id for each in products])
            ratings = await self._reviews.ratings_of([each.id for each in products])
            sellers = await self._sellers.by_ids(list({each.seller_id for each in products}))
            active = {seller.id for seller in sellers if seller}
            for product, path, rating in zip(products, paths, ratings, strict=True):
                yield SearchDocument(
                    product_id=product.id,
                    name=product.name,
                    description=product.description,
                    brand_name=brand_names.get(product.brand_id) if product.brand_id else None,
                    category_names=tuple(category.name for category in path),
                    price=product.price,
                    is_public=product.status is ProductStatus.ACTIVE and product.seller_id in active,
                    popularity=math.log1p(rating.count),
                    created_at=product.created_at,
                    version=product.version,
                    sku=product.sku,
                )
