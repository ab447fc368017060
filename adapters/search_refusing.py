"""What search indexes of either kind say of a product that they cannot take as it is."""

import logging

from domain.shared.ids import ProductId

log = logging.getLogger("torii.search")

MOST_TOLD = 300


def tell_refused(product_id: ProductId, reason: str) -> None:
    told = {"product": str(product_id), "reason": reason[:MOST_TOLD]}
    log.error("a product cannot be indexed as it is: nobody finds it", extra={"fields": told})
