"""What of a product's texts is what was asked for. The texts are the database's, so that none is shown that is not public."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Protocol

from domain.catalog.service import Catalog
from domain.search.model import Highlight
from domain.shared.ids import ProductId


class Highlighter(Protocol):
    """Finds what a query asks for in texts, as search does."""

    async def highlights(self, query: str, texts: Sequence[tuple[str, str]]) -> Sequence[Sequence[Highlight]]:
        """For each product's name and description those of the two in which something matches, in this order."""
        ...


class Highlights:
    def __init__(self, catalog: Catalog, highlighter: Highlighter) -> None:
        self._catalog = catalog
        self._highlighter = highlighter

    async def of(self, asked: Sequence[tuple[str, ProductId]]) -> Sequence[Sequence[Highlight]]:
        """For each query and product; none of a product that has just gone."""
        ids = list(dict.fromkeys(product_id for _, product_id in asked))
        products = dict(zip(ids, await self._catalog.products_by_ids(ids), strict=True))
        by_query: defaultdict[str, list[ProductId]] = defaultdict(list)
        for query, product_id in asked:
            by_query[query].append(product_id)
        found: dict[tuple[str, ProductId], Sequence[Highlight]] = {}
        for query, wanted in by_query.items():  # one for each search of the document
            shown = [product for product in map(products.get, wanted) if product]
            texts = [(product.name, product.description) for product in shown]
            highlighted = await self._highlighter.highlights(query, texts)
            found |= {(query, product.id): each for product, each in zip(shown, highlighted, strict=True)}
        return [found.get(each, ()) for each in asked]
