"""The root `Query`."""

from typing import Annotated

import strawberry

from domain.catalog.model import ProductSort
from domain.search.request import SearchSort
from engine.declared.fields import After, Before, First, Last, Paging, resolver
from resolvers import accounts, carts, catalog, discovery, favorites, identity, nodes, orders
from resolvers.context import Info
from schema import checkout, order_links
from schema.access import PUBLIC, SIGNED_IN
from schema.accounts import Viewer
from schema.aftercare import SellerBalance
from schema.carts import Cart
from schema.catalog import PRICE_AGE_S, TEXT_AGE_S, Brand, Category, Product
from schema.checkout import CheckoutResult
from schema.favorites import FirstViewed, ViewedProduct
from schema.identity import Passkey
from schema.inputs import ProductFilter
from schema.order_queries import ORDER_ITEM, ORDERS, SELLER_BALANCES, SELLER_ORDER_ITEMS
from schema.orders import Order, OrderItem
from schema.recommendations import Recommendation
from schema.relay import Connection, Node
from schema.search import SearchFilter, SearchHitConnection, SearchSuggestion
from schema.sellers import Seller


async def _product(
    info: Info,
    id: Annotated[strawberry.ID | None, strawberry.argument(description="Its global id.")] = None,
    slug: Annotated[str | None, strawberry.argument(description="Its name in addresses.")] = None,
    seller_id: Annotated[strawberry.ID | None, strawberry.argument(description="With `sku`: whose product.")] = None,
    sku: Annotated[str | None, strawberry.argument(description="With `sellerId`: the seller's own code.")] = None,
) -> object:
    return await catalog.product(info, id, slug, seller_id, sku)


async def _products(
    info: Info,
    filter: Annotated[ProductFilter | None, strawberry.argument(description="Which products.")] = None,
    sort: Annotated[ProductSort, strawberry.argument(description="In which order.")] = ProductSort.NEWEST,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> object:
    return await catalog.products(info, filter, sort, Paging(first, after, last, before))


async def _category(
    info: Info,
    id: Annotated[strawberry.ID | None, strawberry.argument(description="Its global id.")] = None,
    slug: Annotated[str | None, strawberry.argument(description="Its name in addresses.")] = None,
) -> object:
    return await catalog.category(info, id, slug)


async def _categories(info: Info) -> object:
    return await catalog.categories(info)


async def _brand(info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its global id.")]) -> object:
    return await catalog.brand(info, id)


async def _brands(
    info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> object:
    return await catalog.brands(info, Paging(first, after, last, before))


async def _seller(
    info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its global id.")]
) -> object:
    return await catalog.seller(info, id)


async def _viewer(info: Info) -> object:
    return await accounts.viewer(info)


async def _recently_viewed(info: Info, first: FirstViewed = None) -> object:
    return await favorites.recently_viewed(info, first)


async def _order(info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its global id.")]) -> object:
    return await orders.order(info, id)


async def _cart(info: Info) -> object:
    return await carts.cart(info)


async def _search(
    info: Info,
    query: Annotated[str, strawberry.argument(description="What was typed; empty shows what is popular.")] = "",
    filter: Annotated[SearchFilter | None, strawberry.argument(description="What to narrow it to.")] = None,
    sort: Annotated[SearchSort, strawberry.argument(description="In which order.")] = SearchSort.RELEVANCE,
    first: First = None,
    after: After = None,
) -> object:
    return await discovery.search(info, query, filter, sort, Paging(first, after))


async def _search_suggestions(
    info: Info,
    prefix: Annotated[str, strawberry.argument(description="What was typed so far: kanji, kana or romaji.")],
) -> object:
    return await discovery.suggestions(info, prefix)


async def _recommendations(
    info: Info,
    product_id: Annotated[strawberry.ID | None, strawberry.argument(description="What goes with this product.")] = None,
    first: First = None,
    after: After = None,
) -> object:
    return await discovery.recommendations(info, product_id, Paging(first, after))


async def _node(info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its global id.")]) -> object:
    return await nodes.node(info, id)


async def _nodes(
    info: Info, ids: Annotated[list[strawberry.ID], strawberry.argument(description="Their global ids; at most 100.")]
) -> object:
    return await nodes.nodes(info, ids)


@strawberry.type(description="What can be asked. Where a back end is down its fields are null, and the others whole.")
class Query:
    product: Product | None = resolver(
        _product,
        access=PUBLIC,
        finds=catalog.FINDS_PRODUCT,
        shared_s=PRICE_AGE_S,
        graphql_type=Product | None,
        description="One product: by id, by slug, or by seller and SKU. One out of stock still has its page.",
    )
    products: Connection[Product] | None = resolver(
        _products,
        access=PUBLIC,
        shared_s=PRICE_AGE_S,
        cost=2,
        graphql_type=Connection[Product] | None,
        description="Products, narrowed and in order.",
    )
    category: Category | None = resolver(
        _category,
        access=PUBLIC,
        finds=catalog.FINDS_CATEGORY,
        shared_s=TEXT_AGE_S,
        graphql_type=Category | None,
        description="One category, by id or slug.",
    )
    categories: list[Category] | None = resolver(
        _categories,
        access=PUBLIC,
        shared_s=TEXT_AGE_S,
        size=20,
        graphql_type=list[Category] | None,
        description="The top of the category tree.",
    )
    brand: Brand | None = resolver(
        _brand,
        access=PUBLIC,
        finds=catalog.FINDS_BRAND,
        shared_s=TEXT_AGE_S,
        graphql_type=Brand | None,
        description="One brand.",
    )
    brands: Connection[Brand] | None = resolver(
        _brands,
        access=PUBLIC,
        shared_s=TEXT_AGE_S,
        cost=2,
        graphql_type=Connection[Brand] | None,
        description="All brands, by name.",
    )
    seller: Seller | None = resolver(
        _seller,
        access=PUBLIC,
        finds=catalog.FINDS_SELLER,
        shared_s=TEXT_AGE_S,
        graphql_type=Seller | None,
        description="One seller.",
    )
    search: SearchHitConnection | None = resolver(
        _search,
        access=PUBLIC,
        shared_s=PRICE_AGE_S,
        cost=5,
        graphql_type=SearchHitConnection | None,
        description="Products by words, narrowed and in order; Japanese in any script and width.",
    )
    search_suggestions: list[SearchSuggestion] | None = resolver(
        _search_suggestions,
        access=PUBLIC,
        shared_s=PRICE_AGE_S,
        cost=2,
        size=15,
        graphql_type=list[SearchSuggestion] | None,
        description="At most 3 popular queries, 3 categories, 3 brands and 6 products that may be meant; none of what is not public.",
    )
    recommendations: Connection[Recommendation] | None = resolver(
        _recommendations,
        access=PUBLIC,
        shared_s=PRICE_AGE_S,
        cost=5,
        graphql_type=Connection[Recommendation] | None,
        description="What may be liked: beside a product what is bought with it, else what is popular.",
    )
    cart: Cart | None = resolver(
        _cart, access=PUBLIC, graphql_type=Cart | None, description="The viewer's cart; guests have one too."
    )
    recently_viewed: list[ViewedProduct] | None = resolver(
        _recently_viewed,
        access=PUBLIC,
        graphql_type=list[ViewedProduct] | None,
        description="Products whose page the user or guest opened, last first; at most 50, kept for 30 days.",
    )
    viewer: Viewer | None = resolver(
        _viewer, access=PUBLIC, graphql_type=Viewer | None, description="Whoever is signed in; null for guests."
    )
    order: Order | None = resolver(
        _order,
        access=PUBLIC,
        graphql_type=Order | None,
        description="An order, for those who may see it; null for others.",
    )
    checkout_state: CheckoutResult | None = resolver(
        checkout.state,
        access=PUBLIC,
        cost=5,
        graphql_type=CheckoutResult | None,
        description="How far an order of the viewer's, and its payment, have come; null for others.",
    )
    order_by_link: Order | None = resolver(
        order_links.order,
        access=PUBLIC,
        graphql_type=Order | None,
        description="The guest's order that a link is of; null for one that is none, or too old.",
    )
    node: Node | None = resolver(_node, access=PUBLIC, graphql_type=Node | None, description="Whatever an id names.")
    nodes: list[Node | None] | None = resolver(
        _nodes,
        access=PUBLIC,
        cost=2,
        graphql_type=list[Node | None] | None,
        description="Whatever each of the ids names.",
    )
    passkeys: list[Passkey] | None = resolver(
        identity.passkeys,
        access=SIGNED_IN,
        graphql_type=list[Passkey] | None,
        description="The viewer's passkeys; NOT_SUPPORTED where the user pool has none.",
    )
    order_item: OrderItem | None = ORDER_ITEM
    orders: Connection[Order] | None = ORDERS
    seller_order_items: Connection[OrderItem] | None = SELLER_ORDER_ITEMS
    seller_balances: list[SellerBalance] | None = SELLER_BALANCES
