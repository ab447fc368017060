"""What of the marketplace goes into the search index."""

import math
from collections.abc import AsyncIterator, Sequence

from domain.catalog.categories import Category
from domain.catalog.keys import ProductKeys
from domain.catalog.model import Attribute, Brand, Product, ProductStatus, Variation
from domain.catalog.service import Catalog
from domain.reviews.model import Rating
from domain.reviews.service import ReviewBoard
from domain.search.model import SearchDocument
from domain.search.ports import Listings, Moments, Reading
from domain.sellers.model import Seller
from domain.sellers.service import Sellers
from domain.shared.ids import ProductId


class MarketplaceDocuments:
    """The port `Documents`: products with the names of their brands and categories, some look-ups a batch."""

    def __init__(
        self, catalog: Catalog, keys: ProductKeys, sellers: Sellers, reviews: ReviewBoard, moments: Moments
    ) -> None:
        self._catalog = catalog
        self._keys = keys
        self._sellers = sellers
        self._reviews = reviews
        self._moments = moments

    async def documents(self) -> AsyncIterator[SearchDocument]:
        moment = await self._moments.next()
        async for products in self._catalog.every_product():
            for document in await self._documents(products, moment):
                yield document
            moment = await self._moments.next()  # before the next ones are read

    async def of(self, ids: Sequence[ProductId]) -> Reading:
        moment = await self._moments.next()
        found = [each for each in await self._catalog.products_by_ids(ids) if each]
        there = {each.id for each in found}
        gone = [each for each in dict.fromkeys(ids) if each not in there]
        return Reading(moment, await self._documents(found, moment), gone)

    async def revisions(self, after: ProductId | None, size: int) -> Sequence[tuple[ProductId, int]]:
        return await self._keys.versions(after, size)

    async def ids_in(self, which: Listings, after: ProductId | None, size: int) -> Sequence[ProductId]:
        if which.seller_id is not None:
            return await self._keys.of_seller(which.seller_id, after, size)
        if which.brand_id is not None:
            return await self._keys.of_brand(which.brand_id, after, size)
        assert which.category_id is not None
        return await self._keys.in_category(which.category_id, after, size)

    async def _documents(self, products: Sequence[Product], moment: int) -> list[SearchDocument]:
        brands = await self._catalog.brands_by_ids(list({each.brand_id for each in products if each.brand_id}))
        by_id = {brand.id: brand for brand in brands if brand}
        paths = await self._catalog.category_paths([each.category_id for each in products])
        ratings = await self._reviews.ratings_of([each.id for each in products])
        found = await self._sellers.by_ids(list({each.seller_id for each in products}))
        sellers = {seller.id: seller for seller in found if seller}
        variations = await self._catalog.variations_of([each.id for each in products])
        together = zip(products, paths, ratings, variations, strict=True)
        return [
            _document(
                product,
                by_id.get(product.brand_id) if product.brand_id else None,
                path,
                rating,
                sellers.get(product.seller_id),
                kinds,
                moment,
            )
            for product, path, rating, kinds in together
        ]


def _document(
    product: Product,
    brand: Brand | None,
    path: Sequence[Category],
    rating: Rating,
    seller: Seller | None,
    kinds: Sequence[Variation],
    moment: int,
) -> SearchDocument:
    return SearchDocument(
        product_id=product.id,
        name=product.name,
        description=product.description,
        brand_name=brand.name if brand else None,
        brand_kana=brand.name_kana if brand else None,
        category_names=tuple(category.name for category in path),
        price=product.price,
        is_public=product.status is ProductStatus.ACTIVE and seller is not None,
        popularity=math.log1p(rating.count),
        created_at=product.created_at,
        version=moment,
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
        revision=product.version,
    )


def _attributes(product: Product, variations: Sequence[Variation]) -> tuple[Attribute, ...]:
    """The product's own, and those of its kinds on sale: who looks for size M finds what comes in M.

    The column holds any JSON. What is no text cannot be looked for, and must not keep a whole shop out of the index.
    """
    of_kinds = (attribute for each in variations if each.is_active for attribute in each.attributes)
    return tuple(dict.fromkeys(each for each in (*product.attributes, *of_kinds) if _is_text(each.value)))


def _is_text(value: object) -> bool:
    return isinstance(value, str)
