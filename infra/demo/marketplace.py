"""The whole demo marketplace, as rows of tables in the order that foreign keys ask for."""

from collections.abc import Sequence

from adapters.postgres import tables
from infra.demo import accounts, categories, favorites, order_rows, products, reviews, shops
from infra.demo.listings import Listings
from infra.demo.orders import Orders
from infra.demo.rows import Stage
from infra.demo.tastes import Tastes


class Marketplace:
    """A marketplace of so many products. Made lazily: a stage's rows come into being when they are read."""

    def __init__(self, seed: int, count: int) -> None:
        self.seed = seed
        self.count = count
        self.accounts = accounts.Accounts(seed, count)
        self.shops = shops.Shops(seed)
        self.listings = Listings(seed, count, self.shops)

    def stages(self) -> Sequence[Stage]:
        return [*self._people(), *self._catalogue(), *_Trade(self).stages()]

    def _people(self) -> Sequence[Stage]:
        crowd, sellers = self.accounts, self.shops
        users, shop_count = len(crowd.everybody), len(sellers.all)
        return [
            Stage(tables.users, accounts.USERS_COLUMNS, crowd.user_rows, lambda: users),
            Stage(tables.user_profiles, accounts.PROFILES_COLUMNS, crowd.profile_rows, lambda: users),
            Stage(tables.addresses, accounts.ADDRESSES_COLUMNS, crowd.address_rows, crowd.address_count),
            Stage(tables.sellers, shops.SELLERS_COLUMNS, sellers.rows, lambda: shop_count),
            Stage(tables.seller_profiles, shops.PROFILES_COLUMNS, sellers.profile_rows, lambda: shop_count),
            Stage(tables.members, shops.MEMBERS_COLUMNS, sellers.member_rows, lambda: 1),
        ]

    def _catalogue(self) -> Sequence[Stage]:
        """Variations before images: their trigger's plans are made while the table is small, and then kept."""
        seed, listings, keys = self.seed, self.listings, categories.CategoryKeys(self.seed)
        return [
            Stage(tables.categories, categories.CATEGORIES_COLUMNS, keys.category_rows, keys.category_count),
            Stage(tables.brands, categories.BRANDS_COLUMNS, keys.brand_rows, lambda: len(keys.brands)),
            Stage(
                tables.products,
                products.PRODUCTS_COLUMNS,
                lambda: products.product_rows(seed, listings, keys),
                lambda: len(listings),
            ),
            Stage(
                tables.product_variations,
                products.VARIATIONS_COLUMNS,
                lambda: products.variation_rows(listings),
                lambda: sum(len(listing.kinds) for listing in listings),
            ),
            Stage(
                tables.product_images,
                products.IMAGES_COLUMNS,
                lambda: products.image_rows(seed, listings),
                lambda: sum(listing.images for listing in listings),
            ),
        ]


class _Trade:
    """What happened in the marketplace; needs all of its products, so it begins when the first row is asked for."""

    def __init__(self, shop: Marketplace) -> None:
        self._shop = shop
        self._opened: tuple[favorites.Favorites, Orders, reviews.Reviews] | None = None

    def stages(self) -> Sequence[Stage]:
        return [
            Stage(tables.favorites, favorites.COLUMNS, lambda: self._favorites.rows(), lambda: len(self._favorites)),
            Stage(
                tables.orders,
                order_rows.ORDERS_COLUMNS,
                lambda: order_rows.order_rows(self._orders),
                lambda: len(self._orders),
            ),
            Stage(
                tables.order_items,
                order_rows.ITEMS_COLUMNS,
                lambda: order_rows.item_rows(self._orders),
                lambda: order_rows.item_count(self._orders),
            ),
            Stage(
                tables.order_payments,
                order_rows.PAYMENTS_COLUMNS,
                lambda: order_rows.payment_rows(self._orders),
                lambda: len(self._orders),
            ),
            Stage(
                tables.order_status_histories,
                order_rows.HISTORIES_COLUMNS,
                lambda: order_rows.history_rows(self._orders),
                lambda: order_rows.step_count(self._orders),
            ),
            Stage(tables.reviews, reviews.REVIEWS_COLUMNS, lambda: self._reviews.rows(), lambda: len(self._reviews)),
            Stage(
                tables.seller_reviews,
                reviews.SELLER_REVIEWS_COLUMNS,
                lambda: self._reviews.seller_rows(),
                lambda: sum(1 for _ in self._reviews.seller_rows()),
            ),
        ]

    @property
    def _favorites(self) -> favorites.Favorites:
        return self._open()[0]

    @property
    def _orders(self) -> Orders:
        return self._open()[1]

    @property
    def _reviews(self) -> reviews.Reviews:
        return self._open()[2]

    def _open(self) -> tuple[favorites.Favorites, Orders, reviews.Reviews]:
        if self._opened is None:
            shop = self._shop
            tastes = Tastes(shop.seed, shop.listings)
            orders = Orders(shop.seed, shop.count, shop.accounts, tastes)
            self._opened = (
                favorites.Favorites(shop.seed, shop.accounts, tastes),
                orders,
                reviews.Reviews(shop.seed, shop.accounts, shop.listings, orders),
            )
        return self._opened


def generate(products: int = 3000, seed: int = 1) -> Marketplace:
    """The marketplace of a size and a seed: the same rows and ids wherever and whenever it is made."""
    return Marketplace(seed, products)
