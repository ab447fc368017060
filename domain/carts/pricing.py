"""Carts as they would be bought at this moment: the catalogue's prices and stock, the sellers' carriage, the tax.

What it reads may be some seconds old; checkout reads again, under lock.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from domain.carts.model import Cart, LineRef
from domain.carts.offers import listed_as, look_up
from domain.carts.ports import Holds
from domain.carts.quotes import Goods, PricedCart, price
from domain.carts.refusals import ProductNotFound, VariationRequired
from domain.catalog.categories import CategoryTree
from domain.catalog.model import Product, Variation
from domain.catalog.service import Catalog
from domain.sellers.model import ShippingTerms
from domain.sellers.service import Sellers
from domain.shared.ids import SellerId
from domain.shared.money import Money
from domain.shared.tax import TaxClass


class Pricing:
    """Prices carts and their lines."""

    def __init__(self, catalog: Catalog, sellers: Sellers, holds: Holds) -> None:
        self._holds = holds
        self._catalog = catalog
        self._sellers = sellers

    async def of_carts(self, carts: Sequence[Cart]) -> Sequence[PricedCart]:
        """Each with its problems, and a quote where nothing blocks it. Raises Unavailable."""
        refs = list(dict.fromkeys(line.ref for cart in carts for line in cart.lines))
        if not refs:
            return [PricedCart() for _ in carts]
        goods = await self._goods(refs)
        ids: list[SellerId] = list(dict.fromkeys(found.seller_id for found in goods.values()))
        shipping = dict(zip(ids, await self._sellers.shipping_terms(ids), strict=True)) if ids else {}
        return await asyncio.gather(*(self._priced(cart, goods, shipping) for cart in carts))

    async def _priced(
        self, cart: Cart, goods: Mapping[LineRef, Goods], shipping: Mapping[SellerId, ShippingTerms]
    ) -> PricedCart:
        """Where something is short, it may be the owner who holds it, by an order that is not paid and would give way."""
        found = price(cart, goods, shipping)
        if cart.owner is None or not any(problem.code.is_of_stock for problem in found.problems):
            return found
        held = await self._holds.own_holds(cart.owner)
        there = {ref: replace(each, stock=each.stock + held.get(ref, 0)) for ref, each in goods.items()}
        return price(cart, there, shipping)

    async def of_lines(self, refs: Sequence[LineRef]) -> Sequence[Money | None]:
        """The price of one, now; None for what is not on sale. Raises Unavailable."""
        goods = await self._goods(refs)
        return [goods[ref].price if ref in goods else None for ref in refs]

    async def _goods(self, refs: Sequence[LineRef]) -> dict[LineRef, Goods]:
        found, tree = await asyncio.gather(look_up(self._catalog, refs), self._catalog.category_tree())
        goods = {ref: goods_of(ref, *each, _taxed(each[0], tree)) for ref, each in found.items()}
        return {ref: each for ref, each in goods.items() if each is not None}


def goods_of(
    ref: LineRef, product: Product | None, variations: Sequence[Variation], tax_class: TaxClass
) -> Goods | None:
    """What a line would buy; None for what cannot be bought by it whatever the stock."""
    try:
        offer = listed_as(ref, product, variations)
    except (ProductNotFound, VariationRequired):
        return None
    assert product is not None
    return Goods(product.seller_id, offer.price, offer.stock, tax_class)


def _taxed(product: Product | None, tree: CategoryTree) -> TaxClass:
    category = None if product is None else tree.by_id.get(product.category_id)
    return category.tax_class if category else TaxClass.STANDARD
