"""What of the marketplace goes into the search index."""

import math
from collections.abc import AsyncIterator, Sequence

from domain.catalog.model import Attribute, Product, ProductStatus, Variation
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
            found = await self._sellers.by_ids(list({each.seller_id for each in products}))
            sellers = {seller.id: seller for seller in found if seller}
            variations = await self._catalog.variations_of([each.id for each in products])
            for product, path, rating, kinds in zip(products, paths, ratings, variations, strict=True):
                seller = sellers.get(product.seller_id)
                yield SearchDocument(
                    product_id=product.id,
                    name=product.name,
                    description=product.description,
                    brand_name=brand_names.get(product.brand_id) if product.brand_id else None,
                    category_names=tuple(category.name for category in path),
                    price=product.price,
                    is_public=product.status is ProductStatus.ACTIVE and seller is not None,
                    popularity=math.log1p(rating.count),
                    created_at=product.created_at,
                    version=product.version,
                    sku=product.sku,
                    category_ids=tuple(category.id for category in path),
                    brand_id=product.brand_id,
                    seller_id=product.seller_id,
                    seller_name=seller.name if seller else None,
                    in_stock=product.stock_quantity > 0,
                    rating=rating.average,
                    rating_count=rating.count,
                    attributes=_attributes(product, kinds),
                    published_at=product.published_at,
                )


def _attributes(product: Product, variations: Sequence[Variation]) -> tuple[Attribute, ...]:
    """The product's own, and those of its kinds on sale: who looks for size M finds what comes in M."""
    of_kinds = (attribute for each in variations if each.is_active for attribute in each.attributes)
    return tuple(dict.fromkeys((*product.attributes, *of_kinds)))
