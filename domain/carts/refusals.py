"""What a cart says no to."""

from domain.carts.model import MAX_LINES
from domain.shared.ids import ProductId
from domain.shared.refusals import Refusal


class NoCartOwner(Refusal):
    """The viewer is neither a user nor a known guest, so there is nowhere to keep a cart."""

    code = "NO_CART_OWNER"


class ProductNotFound(Refusal):
    """No such product or variation is on sale to the public."""

    code = "PRODUCT_NOT_FOUND"

    def __init__(self, field: str) -> None:
        super().__init__(field=(field,))


class VariationRequired(Refusal):
    """The product comes in variations, and one has to be chosen."""

    code = "VARIATION_REQUIRED"

    def __init__(self, product_id: ProductId) -> None:
        super().__init__(field=("variationId",))
        self.product_id = product_id


class OutOfStock(Refusal):
    """Nothing is left to sell."""

    code = "OUT_OF_STOCK"

    def __init__(self, product_id: ProductId) -> None:
        super().__init__(field=("quantity",))
        self.product_id = product_id


class CartFull(Refusal):
    """The cart already has as many lines as it may."""

    code = "CART_FULL"

    def __init__(self) -> None:
        super().__init__(most=MAX_LINES, field=("productId",))


class LineNotFound(Refusal):
    """The line is not, or no longer, in the cart."""

    code = "LINE_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__(field=("lineId",))


class CartBusy(Refusal):
    """Others kept changing the cart at the same moment. Nothing was done."""

    code = "CART_BUSY"

    def __init__(self) -> None:
        super().__init__(retryable=True)
