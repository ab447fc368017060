"""What the catalogue offers for a line."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from domain.carts.model import LineRef
from domain.carts.refusals import OutOfStock, ProductNotFound, VariationRequired
from domain.catalog.model import Availability, Product, Variation
from domain.catalog.service import Catalog
from domain.shared.money import Money


@dataclass(frozen=True, slots=True)
class Offer:
    """How many units there are to sell right now, and the price of one, tax included."""

    stock: int
    price: Money


Found = tuple[Product | None, Sequence[Variation]]
"""The product of a line and its variations, as the catalogue has them."""


async def look_up(catalog: Catalog, refs: Sequence[LineRef]) -> dict[LineRef, Found]:
    """What the catalogue has of each line's product, in two look-ups for all of them. Raises Unavailable."""
    ids = list(dict.fromkeys(ref.product_id for ref in refs))
    products, variations = await asyncio.gather(catalog.products_by_ids(ids), catalog.variations_of(ids))
    found = dict(zip(ids, zip(products, variations, strict=True), strict=True))
    return {ref: found[ref.product_id] for ref in refs}


def offer_of(ref: LineRef, product: Product | None, variations: Sequence[Variation], held: int = 0) -> Offer:
    """Of what there is at least one of, with what is held for whoever asks.

    Raises ProductNotFound, VariationRequired, OutOfStock.
    """
    listed = listed_as(ref, product, variations)
    offer = replace(listed, stock=listed.stock + held)
    if offer.stock <= 0:
        raise OutOfStock(ref.product_id)
    return offer


def listed_as(ref: LineRef, product: Product | None, variations: Sequence[Variation]) -> Offer:
    """The same, sold out or not. Raises ProductNotFound, VariationRequired."""
    if product is None or product.availability is Availability.UNAVAILABLE:
        raise ProductNotFound("productId")
    active = {variation.id: variation for variation in variations if variation.is_active}
    if ref.variation_id is None:
        if active:
            raise VariationRequired(ref.product_id)
        return Offer(product.stock_quantity, product.price)
    variation = active.get(ref.variation_id)
    if variation is None:
        raise ProductNotFound("variationId")
    return Offer(variation.stock_quantity, variation.price)
