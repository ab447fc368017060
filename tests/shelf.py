"""Products in memory, for rules that ask the catalogue and need no database."""

from collections.abc import Mapping, Sequence

from domain.carts.model import CartOwner, LineRef
from domain.catalog.model import Product, ProductStatus, ShippingInfo, Variation
from domain.shared.ids import CategoryId, ProductId, SellerId, VariationId, uuid7
from domain.shared.money import Money
from domain.shared.needs import Needs
from domain.shared.viewer import ANONYMOUS, Viewer
from tests.watch import Watch

NOW = Watch().now()
PRICE = Money(1980, "JPY")


def a_product(product_id: ProductId, stock: int = 9, status: ProductStatus = ProductStatus.ACTIVE) -> Product:
    return Product(
        id=product_id,
        seller_id=SellerId(uuid7()),
        category_id=CategoryId(uuid7()),
        brand_id=None,
        sku="CUP",
        slug="cup",
        name="湯呑み",
        description="",
        base_price=PRICE,
        sale_price=None,
        stock_quantity=stock,
        status=status,
        attributes=(),
        shipping_info=ShippingInfo(),
        published_at=NOW,
        created_at=NOW,
        updated_at=NOW,
        version=1,
    )


class Shelf:
    """Products and variations; counts its look-ups of products."""

    def __init__(self, *products: Product) -> None:
        self.products = {product.id: product for product in products}
        self.variations: dict[ProductId, list[Variation]] = {}
        self.lookups = 0

    async def by_ids(
        self, ids: Sequence[ProductId], viewer: Viewer = ANONYMOUS, needs: Needs = None
    ) -> list[Product | None]:
        self.lookups += 1
        return [self.products.get(each) for each in ids]

    async def variations_of(self, ids: Sequence[ProductId], viewer: Viewer = ANONYMOUS) -> list[list[Variation]]:
        return [self.variations.get(each, []) for each in ids]

    def product(self, stock: int = 9, status: ProductStatus = ProductStatus.ACTIVE) -> ProductId:
        product_id = ProductId(uuid7())
        self.products[product_id] = a_product(product_id, stock, status)
        return product_id

    def variation(self, of: ProductId, stock: int = 9, *, is_active: bool = True) -> VariationId:
        made = Variation(VariationId(uuid7()), of, "CUP-L", "大", (), Money(2200, "JPY"), stock, is_active)
        self.variations.setdefault(of, []).append(made)
        return made.id


class Held:
    """What owners of carts have set aside by orders that they have not paid."""

    def __init__(self) -> None:
        self.of: dict[CartOwner, dict[LineRef, int]] = {}
        self.asked = 0

    async def own_holds(self, owner: CartOwner) -> Mapping[LineRef, int]:
        self.asked += 1
        return self.of.get(owner, {})
