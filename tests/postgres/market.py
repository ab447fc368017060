"""A small marketplace with a row in every table, and who may see which of them."""

from dataclasses import dataclass, field
from uuid import UUID

from domain.shared.ids import OrderId, UserId, uuid7
from domain.shared.viewer import Role, Viewer
from tests.postgres.shop import Shop

KEYS = {
    "idempotency.keys": "result",
    "reviews.product_ratings": "product_id",
    "sellers.members": "seller_id",
    "orders.order_addresses": "order_id",
    "orders.order_numbers": "order_id",
    "orders.order_sellers": "order_id",
    "orders.order_taxes": "order_id",
    "payments.ledger_entries": "transaction_id",
}
"""The key column of the tables whose key is not `id`; the market has one part of each order."""


@dataclass(slots=True)
class Market:
    """Rows by what they are called in a test: table and key."""

    rows: dict[str, tuple[str, UUID]] = field(default_factory=dict)
    people: dict[str, UUID] = field(default_factory=dict)

    def add(self, name: str, table: str, key: UUID) -> UUID:
        self.rows[name] = (table, key)
        return key

    def viewer(self, person: str) -> Viewer:
        if person == "anonymous":
            return Viewer()
        if person == "admin":
            return Viewer(Role.ADMIN)
        if person == "guest":
            return Viewer(guest_id=self.people[person])
        if person == "whoever has the link":
            return Viewer(order_ids=(OrderId(self.rows["guest's order"][1]),))
        return Viewer(Role.USER, UserId(self.people[person]))


SHOWN = {
    "product", "product's image", "product's variation", "product's rating", "sold out",
    "category", "brand", "profile of the store", "profile of the rival", "carriage of the store", "carriage of the rival",
    "hanako as an author", "taro as an author",
    "hanako's review", "hanako's review of the store",
}  # fmt: skip
"""What anybody sees."""
HANAKOS = {
    "hanako", "hanako's profile", "hanako's address", "hanako's favorite", "hanako's idempotency key",
    "hanako's order", "hanako's order's event", "hanako's item of the store", "hanako's order's number",
    "hanako's item of the rival", "hanako's payment", "hanako's history",
    "store's part of hanako's order", "store's tax of hanako's order", "hanako's order's address",
    "hanako's past order", "hanako's past item", "hanako's past payment", "past item's history",
    "hanako's return", "hanako's refund", "part of hanako's refund",
}  # fmt: skip
TAROS = {
    "taro",
    "taro's profile",
    "taro's address",
    "taro's favorite",
    "taro's idempotency key",
    "taro's order",
    "taro's order's event",
    "taro's order's number",
    "taro's item of the rival",
    "taro's payment",
    "taro's history",
    "rival's part of taro's order",
    "rival's tax of taro's order",
    "taro's order's address",
}
THE_GUESTS = {
    "guest's order", "guest's order's event", "guest's item of the store", "guest's payment", "guest's history",
    "guest's order's number",
}  # fmt: skip
THE_STORES = {
    "clerk", "store", "store's event", "store's private profile", "membership of the store",
    "draft", "draft's image", "draft's variation", "discontinued", "hanako's item of the store",
    "hanako's review of the draft", "draft's rating", "guest's item of the store",
    "hanako's order's number", "guest's order's number",
    "store's part of hanako's order", "store's tax of hanako's order",
    "hanako's past item", "past item's history", "hanako's return", "hanako's refund", "part of hanako's refund",
    "store's sale", "entries of the store's sale",
}  # fmt: skip
THE_RIVALS = {
    "rival clerk", "rival", "rival's event", "rival's private profile", "membership of the rival", "rival's draft",
    "hanako's item of the rival", "taro's item of the rival",
    "rival's part of taro's order", "rival's tax of taro's order",
    "hanako's order's number", "taro's order's number",
    "taro's order's address",  # which it has to send
}  # fmt: skip
SEES = {
    "anonymous": SHOWN,
    "hanako": SHOWN | HANAKOS,
    "taro": SHOWN | TAROS,
    "clerk": SHOWN | THE_STORES,
    "rival clerk": SHOWN | THE_RIVALS,
    "guest": SHOWN | THE_GUESTS | {"guest's idempotency key"},
    "whoever has the link": SHOWN | THE_GUESTS,
    # an idempotency key is of use to nobody but who sent it
    "admin": (SHOWN | HANAKOS | TAROS | THE_STORES | THE_RIVALS | THE_GUESTS | {"hanako's dispute"})
    - {"hanako's idempotency key", "taro's idempotency key"},
}


async def open_market(shop: Shop) -> Market:
    market = Market()
    for person in ("hanako", "taro", "clerk", "rival clerk"):
        market.people[person] = market.add(person, "accounts.users", await shop.user())
    store, product = await _open_store(shop, market)
    rival, rivals_product = await _open_rival(shop, market)
    for person, sold_by in (
        ("hanako", {"store": product, "rival": rivals_product}),
        ("taro", {"rival": rivals_product}),
    ):
        user = market.people[person]
        market.add(f"{person}'s profile", "accounts.user_profiles", await shop.profile(user))
        market.add(f"{person} as an author", "accounts.authors", user)
        market.add(f"{person}'s address", "accounts.addresses", await shop.address(user))
        market.add(f"{person}'s favorite", "accounts.favorites", await shop.favorite(user, product))
        market.add(f"{person}'s idempotency key", "idempotency.keys", await shop.idempotency_key(user))
        order = market.add(f"{person}'s order", "orders.orders", await shop.order(user))
        market.add(f"{person}'s order's event", "events.outbox", await shop.event(f"order/{order}"))
        market.add(f"{person}'s payment", "orders.order_payments", await shop.payment(order))
        market.add(f"{person}'s history", "orders.order_status_histories", await shop.history(order))
        for name, bought in sold_by.items():
            seller = {"store": store, "rival": rival}[name]
            # taro's is paid: it is to be sent
            item = await shop.item(
                order, bought, seller, fulfillment_status="processing" if person == "taro" else "pending"
            )
            market.add(f"{person}'s item of the {name}", "orders.order_items", item)
        market.add(f"{person}'s order's number", "orders.order_numbers", order)
        name, seller = {"hanako": ("store", store), "taro": ("rival", rival)}[person]
        market.add(f"{name}'s event", "events.outbox", await shop.event(f"seller/{seller}"))
        await shop.part(order, seller)
        market.add(f"{name}'s part of {person}'s order", "orders.order_sellers", order)
        market.add(f"{name}'s tax of {person}'s order", "orders.order_taxes", order)
        market.add(f"{person}'s order's address", "orders.order_addresses", await shop.order_address(order))
    await _sell_to_guest(shop, market, store, product)
    await _take_back(shop, market, store, product)
    hanako, order = market.people["hanako"], market.rows["hanako's order"][1]
    market.add("hanako's review", "reviews.reviews", await shop.review(hanako, product))
    market.add("product's rating", "reviews.product_ratings", product)
    draft = market.rows["draft"][1]  # as what was shown, and is withdrawn
    market.add("hanako's review of the draft", "reviews.reviews", await shop.review(hanako, draft))
    market.add("draft's rating", "reviews.product_ratings", draft)
    market.add("hanako's review of the store", "reviews.seller_reviews", await shop.seller_review(hanako, store, order))
    return market


async def _sell_to_guest(shop: Shop, market: Market, store: UUID, product: UUID) -> None:
    guest = market.people["guest"] = uuid7()
    order = market.add("guest's order", "orders.orders", await shop.order(None, guest_id=guest))
    market.add("guest's order's event", "events.outbox", await shop.event(f"order/{order}"))
    market.add("guest's item of the store", "orders.order_items", await shop.item(order, product, store))
    market.add("guest's order's number", "orders.order_numbers", order)
    market.add("guest's payment", "orders.order_payments", await shop.payment(order))
    market.add("guest's history", "orders.order_status_histories", await shop.history(order))
    market.add("guest's idempotency key", "idempotency.keys", await shop.idempotency_key(guest, kind="guest"))


async def _take_back(shop: Shop, market: Market, store: UUID, product: UUID) -> None:
    """Something that hanako had, and sent back."""
    order = market.add("hanako's past order", "orders.orders", await shop.order(market.people["hanako"]))
    bought = await shop.item(order, product, store, fulfillment_status="delivered")
    item = market.add("hanako's past item", "orders.order_items", bought)
    payment = market.add(
        "hanako's past payment", "orders.order_payments", await shop.payment(order, status="succeeded")
    )
    market.add("past item's history", "orders.order_item_status_histories", await shop.item_history(item))
    market.add("hanako's return", "orders.returns", await shop.return_(order, item, store))
    refund, part = await shop.refund(order, payment, item, store, 100)
    market.add("hanako's refund", "orders.refunds", refund)
    market.add("part of hanako's refund", "orders.refund_parts", part)
    market.add("hanako's dispute", "orders.disputes", await shop.dispute(order))
    sale = market.add("store's sale", "payments.ledger_transactions", await shop.posting(order, store))
    market.add("entries of the store's sale", "payments.ledger_entries", sale)


async def _open_store(shop: Shop, market: Market) -> tuple[UUID, UUID]:
    """The store and a product of it that is on sale; drafts and the like beside it."""
    store = market.add("store", "sellers.sellers", await shop.seller(member=market.people["clerk"]))
    profile = await shop.connection.fetchval("SELECT id FROM sellers.seller_profiles WHERE seller_id = $1", store)
    market.add("store's private profile", "sellers.seller_profiles", profile)
    market.add("profile of the store", "sellers.public_profiles", store)
    market.add("carriage of the store", "sellers.shipping_terms", store)
    market.add("membership of the store", "sellers.members", store)
    category = market.add("category", "catalog.categories", await shop.category())
    brand = market.add("brand", "catalog.brands", await shop.brand())
    product = market.add("product", "catalog.products", await shop.product(store, category, brand_id=brand))
    draft = market.add("draft", "catalog.products", await shop.product(store, category, status="draft"))
    for name, key in (("product", product), ("draft", draft)):
        market.add(f"{name}'s image", "catalog.product_images", await shop.image(key))
        market.add(f"{name}'s variation", "catalog.product_variations", await shop.variation(key))
    market.add("sold out", "catalog.products", await shop.product(store, category, stock_quantity=0))
    market.add("discontinued", "catalog.products", await shop.product(store, category, status="discontinued"))
    return store, product


async def _open_rival(shop: Shop, market: Market) -> tuple[UUID, UUID]:
    rival = market.add("rival", "sellers.sellers", await shop.seller(member=market.people["rival clerk"]))
    profile = await shop.connection.fetchval("SELECT id FROM sellers.seller_profiles WHERE seller_id = $1", rival)
    market.add("rival's private profile", "sellers.seller_profiles", profile)
    market.add("profile of the rival", "sellers.public_profiles", rival)
    market.add("carriage of the rival", "sellers.shipping_terms", rival)
    market.add("membership of the rival", "sellers.members", rival)
    category = market.rows["category"][1]
    market.add("rival's draft", "catalog.products", await shop.product(rival, category, status="draft"))
    return rival, await shop.product(rival, category)
