"""What the catalogue offers for a line."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.carts.model import LineRef
from domain.carts.refusals import OutOfStock, ProductNotFound, VariationRequired
from domain.catalog.model import Availability, Product, Variation
from domain.shared.money import Money


@dataclass(frozen=True, slots=True)
class Offer:
    """How many units can be sold right now, at least one, and the price of one, tax included."""

    stock: int
    price: Money


def offer_of(ref: LineRef, product: Product | None, variations: Sequence[Variation]) -> Offer:
    """Raises ProductNotFound, VariationRequired, OutOfStock."""
    if product is None or product.availability is Availability.UNAVAILABLE:
        raise ProductNotFound("productId")
    active = {variation.id: variation for variation in variations if variation.is_active}
    if ref.variation_id is None:
        if active:
            raise VariationRequired(ref.product_id)
        offer = Offer(product.stock_quantity, product.price)
    else:
        variation = active.get(ref.variation_id)
        if variation is None:
            raise ProductNotFound("variationId")
        offer = Offer(variation.stock_quantity, variation.price)
    if offer.stock <= 0:
        raise OutOfStock(ref.product_id)
    return offer
