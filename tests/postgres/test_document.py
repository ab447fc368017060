"""The migrated database against the design document (tests/data/database_document.toml), and our reasons to differ."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.postgres.catalogue import Found, FoundTable, family, read_catalogue

DOCUMENT = tomllib.loads((Path(__file__).parents[1] / "data" / "database_document.toml").read_text())

ENUM = "a text with a CHECK: a value can be added inside a transaction, and taken away at all"
MONEY = "money is in integer minor units of its currency"
ITS_CURRENCY = "the currency of the amounts beside it: there is more than one"
ONE_PER = "one of them for each: the database refuses the second"
FOREIGN_KEY = "the index behind a foreign key or an edge: without it a delete or a look-up there reads the whole table"
LEAVING = "an account that is deleted, until every store has erased what it held"
VERSION = "grows with every change, so that two tabs do not undo each other's"
LIST = "a list's order, read from the cursor on"
SET_ASIDE = "units that an order holds until it is paid, and what is left to sell"
AS_AGREED = "an order keeps its own copy of what was agreed on"
SENT = "how an item went to the buyer"
BACK = "what came back of an order, and what went back of its money"
BY_HAND = "refunds that people made at the provider are booked once each"
LOOKED_AT = "payments that people have to look at"
FOLLOWED_UP = "the provider is asked again where its message never came"
SAID_BY = "in which part somebody did it: buyer, seller, admin, or the program itself"
LEDGER = "what each seller is owed, by double entry"
GUEST = "a guest's order is known by the guest, and its cart by its owner"

DIFFERENCES = {
    # -- keys and types
    "users.cognito_sub: added": "a user moved to another pool gets another sub, so the key is ours and the sub beside it",
    "users.cognito_sub: key UK": "a sub is one user",
    "products.sku: key UK": "missing on purpose: see the next",
    "products.sku: key UK(seller_id, sku)": "two sellers may use the same SKU, and nobody can probe another's",
    "products.seller_id: key UK(seller_id, sku)": "see products.sku",
    "product_variations.sku: key UK": "missing on purpose: see the next",
    "product_variations.sku: key UK(seller_id, sku)": "as products.sku",
    "product_variations.seller_id: key UK(seller_id, sku)": "as products.sku",
    "product_variations.seller_id: key FK:sellers": "see product_variations.seller_id",
    "orders.order_number: key UK": "a partitioned table is unique by its partition key only: order_numbers keeps it, by trigger",
    "sellers.status: enum as text": ENUM,
    "products.status: enum as text": ENUM,
    "orders.status: enum as text": ENUM,
    "order_items.fulfillment_status: enum as text": ENUM,
    "order_payments.status: enum as text": ENUM,
    "order_status_histories.status: enum as text": ENUM,
    "products.base_price: decimal as bigint": MONEY,
    "products.sale_price: decimal as bigint": MONEY,
    "product_variations.price_adjustment: decimal as bigint": MONEY,
    "orders.subtotal: decimal as bigint": MONEY,
    "orders.tax_amount: decimal as bigint": MONEY,
    "orders.shipping_fee: decimal as bigint": MONEY,
    "orders.total_amount: decimal as bigint": MONEY,
    "order_items.unit_price: decimal as bigint": MONEY,
    "order_items.total_price: decimal as bigint": MONEY,
    "order_payments.amount: decimal as bigint": MONEY,
    "user_profiles.user_id: key UK": ONE_PER,
    "seller_profiles.seller_id: key UK": ONE_PER,
    "order_payments.order_id: key UK": ONE_PER,
    "favorites.user_id: key UK(user_id, product_id)": ONE_PER,
    "favorites.product_id: key UK(user_id, product_id)": ONE_PER,
    "reviews.user_id: key UK(user_id, product_id)": ONE_PER,
    "reviews.product_id: key UK(user_id, product_id)": ONE_PER,
    "seller_reviews.user_id: key UK(user_id, seller_id, order_id)": ONE_PER,
    "seller_reviews.seller_id: key UK(user_id, seller_id, order_id)": ONE_PER,
    "seller_reviews.order_id: key UK(user_id, seller_id, order_id)": ONE_PER,
    # -- tables and columns that the document does not have
    "members: added": "who works for a seller: the policies ask it",
    "outbox: added": "what happened, written with what it tells of, until it has been sent on",
    "order_numbers: added": "keeps order numbers unique across the months of orders",
    "keys: added": "idempotency keys: what a client sends twice happens once",
    "users.deletion_requested_at: added": LEAVING,
    "users.deleted_at: added": LEAVING,
    "users.leaving_sub: added": LEAVING,
    "users.leaving_sub: key UK": LEAVING,
    "idx_users_leaving: added": LEAVING,
    "user_profiles.version: added": VERSION,
    "addresses.version: added": VERSION,
    "addresses.recipient_name: added": "a parcel needs a name",
    "product_ratings: added": "count and sum of a product's reviews, kept by trigger: a page of products reads no reviews",
    "webhook_events: added": "what Stripe told us, kept before it is told that we heard",
    "users.signed_out_at: added": "what was signed in before is signed out",
    "users.signed_out_except: added": "but for the session that gave a new password",
    "users.status: added": "a user can be suspended",
    "users.suspension_reason: added": "and why stands beside it, for operators alone",
    "users.is_admin: added": "an admin of the pool's group is one here as long as the row says so, too",
    "idx_users_admins: added": "the few admins, compared with the pool's group every minute",
    "categories.tax_class: added": "food and drink are taxed at the reduced rate",
    "products.slug: added": "the product's address in a shop front",
    "products.slug: key UK": "an address is one product",
    "products.currency: added": ITS_CURRENCY,
    "products.effective_price: added": "what one pays, generated: prices are sorted and filtered by it",
    "products.version: added": "grows with every change, so that no cache goes back",
    "products.reserved_quantity: added": SET_ASIDE,
    "products.sellable_quantity: added": SET_ASIDE,
    "product_variations.reserved_quantity: added": SET_ASIDE,
    "product_variations.sellable_quantity: added": SET_ASIDE,
    "reservations: added": SET_ASIDE,
    "order_sellers: added": AS_AGREED,
    "order_taxes: added": AS_AGREED,
    "order_addresses: added": "where an order goes, apart from it: the account's deletion erases it",
    "order_items.variation_name: added": AS_AGREED,
    "order_items.sku: added": AS_AGREED,
    "order_items.tax_percent: added": AS_AGREED,
    "order_items.version: added": VERSION,
    "orders.version: added": VERSION,
    "order_items.carrier: added": SENT,
    "order_items.tracking_number: added": SENT,
    "order_items.shipped_at: added": SENT,
    "order_items.delivered_at: added": SENT,
    "order_status_histories.changed_as: added": SAID_BY,
    "order_payments.intent_attempt: added": FOLLOWED_UP,
    "order_payments.check_at: added": FOLLOWED_UP,
    "order_payments.problem: added": LOOKED_AT,
    "order_payments.problem_at: added": LOOKED_AT,
    "idx_order_payments_problem_at: added": LOOKED_AT,
    "refunds_made_there: added": BY_HAND,
    "idx_refunds_made_there_order_id: added": FOREIGN_KEY,
    "idx_refunds_made_there_unbooked: added": BY_HAND,
    "idx_refunds_made_there: added": FOREIGN_KEY,
    "disputes: added": "what buyers have their banks take back",
    "idx_disputes_order_id: added": FOREIGN_KEY,
    "idx_disputes_open: added": LOOKED_AT,
    "idx_ledger_transactions_dispute_id: added": FOREIGN_KEY,
    "idx_order_payments_check_at: added": FOLLOWED_UP,
    "order_item_status_histories: added": "an item has a history as its order has",
    "moves: added": "the state machines as data: triggers hold every change to them",
    "returns: added": BACK,
    "refunds: added": BACK,
    "refund_parts: added": BACK,
    "ledger_transactions: added": LEDGER,
    "ledger_entries: added": LEDGER,
    "idx_order_item_status_histories_order_item_id: added": FOREIGN_KEY,
    "idx_order_items_of_seller: added": LIST,
    "idx_returns_order_item_id: added": FOREIGN_KEY,
    "idx_returns_order_id: added": FOREIGN_KEY,
    "idx_returns_seller_id: added": LIST,
    "idx_refunds_order_id: added": FOREIGN_KEY,
    "idx_refunds_payment_id: added": FOREIGN_KEY,
    "idx_refunds_seller_id: added": LIST,
    "idx_refunds_pending: added": "the refunds that are still to be carried out",
    "idx_refund_parts_refund_id: added": FOREIGN_KEY,
    "idx_refund_parts_order_item_id: added": FOREIGN_KEY,
    "idx_ledger_transactions_order_id: added": FOREIGN_KEY,
    "idx_ledger_transactions_seller_id: added": LIST,
    "idx_ledger_transactions_refund_id: added": FOREIGN_KEY,
    "idx_ledger_entries_account: added": "what an account comes to",
    "orders.guest_id: added": GUEST,
    "orders.cart_owner: added": GUEST,
    "orders.expires_at: added": "until when it must be paid",
    "checkouts: added": "one version of a cart makes one order",
    "sellers.registration_number: added": "what a qualified invoice names its issuer by",
    "product_variations.seller_id: added": "the product's, for the SKU to be unique in it; kept by trigger",
    "orders.currency: added": ITS_CURRENCY,
    "order_items.currency: added": ITS_CURRENCY,
    "order_items.product_name: added": "an order keeps its own copy of what was bought",
    # -- indexes
    "idx_users_email: is unique users(lower(email))": "it is also what keeps e-mail addresses unique, however written",
    "idx_webhook_events_unhandled: added": "what is still to be handled, oldest first; the handled ones are not in it",
    "idx_orders_user_id: is orders(user_id, id)": LIST,
    "idx_reviews_product_id: is reviews(product_id, created_at DESC, id DESC)": LIST,
    "runs: added": "when each job of the workers ran last, and how that ended",
    "idx_webhook_events_handled_at: added": "what can be removed",
    "idx_outbox_unsent: added": "what a relay has still to send",
    "idx_outbox_done_at: added": "what can be removed",
    "idx_outbox_undone: added": "what was sent and some consumer may not have",
    "idx_outbox_once: added": "what a trigger writes once a transaction",
    "idx_outbox_stream: added": "what was missed of a stream is read by it",
    "captures: added": "whether all rows were told since capture began",
    "stream_places: added": "how far readers of a stream have come",
    "product_texts: added": "what products are found by while the search index is away",
    "idx_product_texts_grams: added": "letters and pairs of letters, for Japanese",
    "moments: added": "orders what was read for the search index: of two readings the later one counts",
    "low_stock: added": "products that have run low: each fall is told once",
    "untold: added": "events of streams that those who watch have still to be told of",
    "deliveries: added": "which consumer acted on which event, or failed to",
    "idx_deliveries_event_id: added": FOREIGN_KEY,
    "idx_deliveries_failed: added": "failures, for those who look after them",
    "mails: added": "which mails were sent, so that none is twice",
    "idx_mails_begun_at: added": "what can be removed",
    "streams: added": "the last number of each stream of events",
    "idx_streams_used_at: added": "what can be removed",
    "idx_favorites_newest: added": LIST,
    "idx_keys_created_at: added": "what has had its time is deleted by it",
    "idx_addresses_user_id: added": FOREIGN_KEY,
    "idx_addresses_one_default: added": "a user has one default address",
    "idx_members_seller_id: added": FOREIGN_KEY,
    "idx_sellers_not_active: added": "the policy of products looks through those whose products nobody is shown",
    "idx_categories_parent_id: added": FOREIGN_KEY,
    "idx_brands_name: added": LIST,
    "idx_products_brand_id: added": FOREIGN_KEY,
    "idx_products_newest: added": LIST,
    "idx_products_cheapest: added": LIST,
    "idx_products_by_name: added": LIST,
    "idx_products_newest_in_category: added": LIST,
    "idx_product_images_product_id: added": FOREIGN_KEY,
    "idx_product_images_one_primary: added": "a product has one primary image",
    "idx_product_variations_product_id: added": FOREIGN_KEY,
    "idx_favorites_product_id: added": FOREIGN_KEY,
    "idx_orders_unpaid: added": "what nobody has paid, by when it must be",
    "idx_orders_unpaid_of_cart: added": "what a buyer has not paid gives way to what is bought anew",
    "idx_reservations_placed_from: added": "guests of one address set aside only so much",
    "idx_reservations_held: added": "what is set aside, by when it is let go",
    "idx_reservations_order_id: added": FOREIGN_KEY,
    "idx_reservations_product_id: added": FOREIGN_KEY,
    "idx_reservations_product_variation_id: added": FOREIGN_KEY,
    "idx_order_sellers_seller_id: added": LIST,
    "idx_orders_shipping_address_id: added": FOREIGN_KEY,
    "idx_order_items_order_id: added": FOREIGN_KEY,
    "idx_order_items_product_id: added": FOREIGN_KEY,
    "idx_order_items_product_variation_id: added": FOREIGN_KEY,
    "idx_order_status_histories_order_id: added": FOREIGN_KEY,
    "idx_reviews_order_item_id: added": FOREIGN_KEY,
    "idx_seller_reviews_seller_id: added": LIST,
    "idx_seller_reviews_order_id: added": FOREIGN_KEY,
    # -- partitions
    "orders: partitioned by RANGE (id)": "the UUIDv7 key holds the time, so a look-up by key reads one month; its bounds are "
    "the months' first keys instead of dates",
}


def differences(found: Found) -> Iterator[str]:
    """Where the database is not what the document says, one line each."""
    documented: dict[str, dict[str, str]] = DOCUMENT["tables"]
    for name in documented.keys() | found.tables.keys():
        if name not in found.tables:
            yield f"{name}: missing"
        elif name not in documented:
            yield f"{name}: added"
        else:
            yield from _of_columns(name, documented[name], found.tables[name])
    for name in DOCUMENT["indexes"].keys() | found.indexes.keys():
        said, is_ = DOCUMENT["indexes"].get(name), found.indexes.get(name)
        if is_ is None:
            yield f"{name}: missing"
        elif said is None:
            yield f"{name}: added"
        elif said != is_:
            yield f"{name}: is {is_}"
    for name in DOCUMENT["partitions"].keys() | found.partitions.keys():
        if DOCUMENT["partitions"].get(name) != found.partitions.get(name):
            yield f"{name}: partitioned by {found.partitions.get(name)}"


def _of_columns(table: str, documented: dict[str, str], found: FoundTable) -> Iterator[str]:
    for column in documented.keys() | found.columns.keys():
        place = f"{table}.{column}"
        said_type, *said_keys = documented.get(column, "").split(" ")
        if column not in found.columns:
            yield f"{place}: missing"
            continue
        if column not in documented:
            yield f"{place}: added"
        else:
            yield from _of_type(place, said_type, column, found)
        yield from (f"{place}: key {key}" for key in set(said_keys) ^ found.keys[column])


def _of_type(place: str, said: str, column: str, found: FoundTable) -> Iterator[str]:
    is_ = family(found.columns[column])
    if said.startswith("enum"):
        if is_ != "string" or not found.values.get(column):
            yield f"{place}: enum as unchecked {is_}"
        elif said != "enum" and frozenset(said.removeprefix("enum:").split("|")) != found.values[column]:
            yield f"{place}: enum of {sorted(found.values[column])}"
        else:
            yield f"{place}: enum as text"
    elif said.replace("text", "string") != is_:
        yield f"{place}: {said} as {is_}"


async def test_the_database_is_what_the_document_says_or_differs_for_a_reason(owner: Any) -> None:
    assert set(differences(await read_catalogue(owner))) - DIFFERENCES.keys() == set()


async def test_every_difference_that_we_give_a_reason_for_is_there(owner: Any) -> None:
    assert DIFFERENCES.keys() - set(differences(await read_catalogue(owner))) == set()


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (lambda found: found.tables.pop("brands"), "brands: missing"),
        (lambda found: found.tables["users"].columns.pop("email"), "users.email: missing"),
        (lambda found: found.tables["users"].columns.update(email="integer"), "users.email: string as integer"),
        (lambda found: found.tables["users"].keys["email"].clear(), "users.email: key UK"),
        (lambda found: found.tables["orders"].keys["user_id"].clear(), "orders.user_id: key FK:users"),
        (lambda found: found.tables["products"].values.pop("status"), "products.status: enum as unchecked string"),
        (lambda found: found.indexes.pop("idx_products_price"), "idx_products_price: missing"),
        (lambda found: found.partitions.clear(), "orders: partitioned by None"),
    ],
)
async def test_the_comparison_sees(owner: Any, change: Any, difference: str) -> None:
    found = await read_catalogue(owner)
    change(found)
    assert difference in set(differences(found))


async def test_every_foreign_key_has_an_index_that_starts_with_it(owner: Any) -> None:
    bare = await owner.fetch(
        """
        SELECT k.conrelid::regclass::text AS name, k.conname FROM pg_constraint k
        WHERE k.contype = 'f' AND NOT EXISTS (
            SELECT FROM pg_index x WHERE x.indrelid = k.conrelid AND x.indkey[0] = k.conkey[1]
                AND coalesce(pg_get_expr(x.indpred, x.indrelid), 'IS NOT NULL') ~ 'IS NOT NULL'
        )
        """
    )
    assert [tuple(row) for row in bare] == []
