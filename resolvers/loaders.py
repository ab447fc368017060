"""The loaders: name -> batch function on a domain service. Any number of keys in, values in the same order out.

Edges of the schema name a loader of this table. A missing value is None; an exception in a value's place fails that key alone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping, Sequence
from functools import partial
from typing import Any

from domain.accounts.favorites import FavoritesScope
from domain.carts.model import LineRef
from domain.catalog.model import BrandsScope, ProductsScope, Variation
from domain.orders.model import OrdersScope
from domain.orders.records import AllOrdersScope, SellerItemsScope
from domain.recommendations.model import RecommendationsScope
from domain.reviews.model import REVIEWS_ORDER, ReviewsScope
from domain.search.facets import Facet
from domain.search.model import SearchScope
from domain.shared.needs import Needs
from domain.shared.paging import EMPTY, Count, PageRequest
from domain.shared.viewer import Viewer
from engine.declared.kinds import Arguments
from engine.loading import BatchLoader, Told
from engine.watching.probe import Probe
from resolvers.services import Services

Batch = Callable[..., Awaitable[Sequence[Any]]]
"""Takes the keys, and the edge's arguments by name."""
Tell = Callable[[Told], None]


def reviews_of_products(services: Services, viewer: Viewer) -> Batch:
    async def load(
        ids: Sequence[Any], needs: Needs = None, looks_ahead: bool = True, brought: Tell | None = None, **arguments: Any
    ) -> Sequence[Any]:
        request = PageRequest.of(REVIEWS_ORDER, **arguments, looks_ahead=looks_ahead)
        if brought is None or len(ids) * request.rows > MOST_BROUGHT:
            return await services.reviews.of_products(ids, request, viewer, needs)
        pages, authors = await services.reviews.signed(ids, request, viewer, needs)
        brought(authors)
        return pages

    return load


def variations(services: Services) -> Batch:
    """Variations by (product, variation): None where the line has no variation, or the product no longer has it."""

    async def load(lines: Sequence[LineRef]) -> Sequence[Variation | None]:
        products = list({line.product_id for line in lines if line.variation_id})
        found = await services.catalog.variations_of(products) if products else []
        by_id = {variation.id: variation for of_product in found for variation in of_product}
        return [by_id.get(line.variation_id) if line.variation_id else None for line in lines]

    return load


def totals(services: Services, viewer: Viewer) -> Batch:
    """Counts of lists by their scope."""

    async def load(scopes: Sequence[Hashable]) -> Sequence[Count]:
        counts: dict[Hashable, Count] = {EMPTY: Count(0)}
        of_reviews = [scope for scope in scopes if isinstance(scope, ReviewsScope)]
        if of_reviews:
            counts |= dict(zip(of_reviews, await services.reviews.counts_of(of_reviews, viewer), strict=True))
        for scope in scopes:  # one a connection of the document, never one an entity
            if isinstance(scope, ProductsScope):
                counts[scope] = await services.catalog.count_products(scope)
            elif isinstance(scope, BrandsScope):
                counts[scope] = await services.catalog.count_brands()
            elif isinstance(scope, FavoritesScope):
                counts[scope] = await services.favorites.count(scope)
            elif isinstance(scope, OrdersScope):
                counts[scope] = await services.orders.count(scope)
            elif isinstance(scope, AllOrdersScope):
                counts[scope] = await services.records.count_orders(scope)
            elif isinstance(scope, SellerItemsScope):
                counts[scope] = await services.records.count_items(scope)
            elif isinstance(scope, SearchScope):
                counts[scope] = await services.search.count(scope)
            elif isinstance(scope, RecommendationsScope):
                counts[scope] = await services.recommendations.count(scope)
        return [counts[scope] for scope in scopes]

    return load


def facets_of(services: Services) -> Batch:
    """The facets of searches by their scope: one a connection of the document, never one an entity."""

    async def load(scopes: Sequence[SearchScope]) -> Sequence[Sequence[Facet]]:
        return await asyncio.gather(*(services.search.facets(scope) for scope in scopes))

    return load


BATCHES: Mapping[str, Callable[[Services, Viewer], Batch]] = {
    "actions_of_item": lambda services, viewer: partial(services.records.actions_of_items, viewer),
    "actions_of_order": lambda services, viewer: partial(services.records.actions_of_orders, viewer),
    "actions_of_return": lambda services, viewer: partial(services.records.actions_of_returns, viewer),
    "address_of_receipt": lambda services, _: services.receipt_papers.addresses_of,
    "addresses": lambda services, viewer: partial(services.addresses.by_ids, viewer),
    "addresses_of_user": lambda services, viewer: partial(services.addresses.of_users, viewer),
    "authors": lambda services, _: services.accounts.authors,
    "brands": lambda services, _: services.catalog.brands_by_ids,
    "categories": lambda services, _: services.catalog.categories_by_ids,
    "cart_line_prices": lambda services, _: services.pricing.of_lines,
    "cart_pricings": lambda services, _: services.pricing.of_carts,
    "category_children": lambda services, _: services.catalog.category_children,
    "category_paths": lambda services, _: services.catalog.category_paths,
    "preferences_of_user": lambda services, viewer: partial(services.preferences.of_users, viewer),
    "balances_of_seller": lambda services, viewer: partial(services.records.balances_of, viewer),
    "facets_of_search": lambda services, _: facets_of(services),
    "highlights_of_hit": lambda services, _: services.highlights.of,
    "delivery_of_item": lambda services, viewer: partial(services.orders.deliveries_of_items, viewer),
    "delivery_of_order": lambda services, viewer: partial(services.orders.deliveries_of, viewer),
    "history_of_item": lambda services, viewer: partial(services.records.item_history_of, viewer),
    "history_of_order": lambda services, viewer: partial(services.orders.history_of, viewer),
    "images_of_product": lambda services, viewer: partial(services.catalog.images_of, viewer=viewer),
    "items_of_order": lambda services, viewer: partial(services.orders.items_of, viewer),
    "number_of_order": lambda services, viewer: partial(services.orders.numbers_of, viewer),
    "order_items": lambda services, viewer: partial(services.records.items_by_ids, viewer),
    "orders": lambda services, viewer: partial(services.orders.by_ids, viewer),
    "payment_of_order": lambda services, viewer: partial(services.orders.payments_of, viewer),
    "products": lambda services, viewer: partial(services.catalog.products_by_ids, viewer=viewer),
    "rating_of_product": lambda services, viewer: partial(services.reviews.ratings_of, viewer=viewer),
    "receipts_of_order": lambda services, viewer: partial(services.records.receipts_of, viewer),
    "refunds_of_order": lambda services, viewer: partial(services.records.refunds_of, viewer),
    "returns": lambda services, viewer: partial(services.records.returns_by_ids, viewer),
    "returns_of_item": lambda services, viewer: partial(services.records.returns_of, viewer),
    "reviews": lambda services, viewer: partial(services.reviews.by_ids, viewer=viewer),
    "reviews_of_product": lambda services, viewer: reviews_of_products(services, viewer),
    "sellers": lambda services, _: services.sellers.by_ids,
    "timeline_of_order": lambda services, viewer: partial(services.records.timeline_of, viewer),
    "totals": lambda services, viewer: totals(services, viewer),
    "variations": lambda services, _: variations(services),
    "variations_of_product": lambda services, viewer: partial(services.catalog.variations_of, viewer=viewer),
}


NARROWED: Mapping[str, tuple[str, frozenset[str]]] = {
    "categories": ("Category", frozenset()),
    "images_of_product": ("ProductImage", frozenset()),
    "products": ("Product", frozenset({"availability"})),  # recommendations leave out what is sold out
    "reviews": ("Review", frozenset()),
    "reviews_of_product": ("Review", frozenset()),
    "sellers": ("Seller", frozenset()),
}
"""Loaders that read no more than what is looked at, with the type that shows their values and what our own code looks at."""

PAGED: Mapping[str, str] = {"reviews_of_product": "ReviewConnection"}
"""Loaders that are told whether somebody looks at what comes after a page, with the type that shows their pages."""

BROUGHT: Mapping[str, tuple[str, str]] = {"reviews_of_product": ("authors", "Author")}
"""Loaders that bring what another would give, as current, where somebody looks at the type that shows it; they are told whom to tell."""
MOST_BROUGHT = 1_000
"""Values read for what they bring: beside more a round trip is little, and whoever looked at these may look at it elsewhere alone."""


class Loaders:
    """The loaders of one operation: what was loaded once is not loaded again."""

    def __init__(self, services: Services, viewer: Viewer) -> None:
        self._services = services
        self._viewer = viewer
        self._loaders: dict[tuple[str, Arguments], BatchLoader] = {}
        self._probe: Probe | None = None
        self.needs: Mapping[str, frozenset[str]] = {}
        """What of the values will be looked at, by the name of their type; all where it is not there."""

    def see_as(self, viewer: Viewer) -> None:
        """Load from here on what this viewer may see."""
        self._viewer = viewer
        self.forget()

    def forget(self) -> None:
        """Load anew from here on: something has been written."""
        self._loaders = {}

    def watch(self, probe: Probe) -> None:
        """Have the loads from here on told."""
        self._probe = probe

    def load_level(self, loader: str, keys: Collection[Any], arguments: Arguments = ()) -> Awaitable[Sequence[Any]]:
        """Values of a whole level, in the order of the keys; an exception in the place of one that failed."""
        return self._loader(loader, arguments).level(keys)

    def load(self, loader: str, key: Hashable, arguments: Arguments = ()) -> Awaitable[Any]:
        """One value; the keys asked for in the same turn of the loop go together."""
        return self._loader(loader, arguments).one(key)

    async def load_many(self, loader: str, keys: Sequence[Hashable]) -> Sequence[Any]:
        """Values in the order of their keys. Raises what failed one of them."""
        values = await self.load_level(loader, keys)
        for value in values:
            if isinstance(value, BaseException):
                raise value
        return values

    def know(self, loader: str, told: Told) -> None:
        """Values that were read another way, as current as the loader's own."""
        self._loader(loader, ()).know(told)

    def needs_of(self, loader: str) -> Needs:
        """What will be looked at of the values of a loader."""
        type_name, ours = NARROWED[loader]
        needs = self.needs.get(type_name)
        return None if needs is None else needs | ours

    def looks_ahead(self, connection: str) -> bool:
        """Whether a page of this type is asked what comes after it."""
        needs = self.needs.get(connection)
        return needs is None or "page_info" in needs

    def _loader(self, loader: str, arguments: Arguments) -> BatchLoader:
        loading = self._loaders.get((loader, arguments))
        if loading is None:
            batch = BATCHES[loader](self._services, self._viewer)
            if loader in NARROWED:
                batch = partial(batch, needs=self.needs_of(loader))
            if loader in PAGED:
                batch = partial(batch, looks_ahead=self.looks_ahead(PAGED[loader]))
            if loader in BROUGHT:
                other, type_name = BROUGHT[loader]
                if type_name in self.needs:
                    # the loader is told, not we: a cycle would keep all that was loaded until garbage is looked for
                    batch = partial(batch, brought=self._loader(other, ()).know)
            if self._probe:
                batch = self._probe.batch(loader, batch)
            loading = self._loaders[loader, arguments] = BatchLoader(
                partial(batch, **dict(arguments)) if arguments else batch
            )
        return loading
