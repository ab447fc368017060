"""The composition root: settings -> adapters -> domain services. gateway.py makes an ASGI app of them, commands/jobs.py commands."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from adapters.cognito.credentials import CognitoCredentials
from adapters.cognito.directory import CognitoDirectory
from adapters.cognito.issuer import EMULATOR_KID, EMULATOR_MODULUS, issuer_of, jwks_url_of
from adapters.cognito.keys import KeySet
from adapters.cognito.passkeys import CognitoPasskeys
from adapters.cognito.pool import Pool
from adapters.cognito.sign_ins import CognitoSignIns
from adapters.cognito.sign_ups import CognitoSignUps
from adapters.cognito.tokens import CognitoTokens
from adapters.devices import DeviceTokens
from adapters.dynamodb.carts import DynamoCarts
from adapters.dynamodb.features import DynamoFeatures
from adapters.dynamodb.preferences import DynamoPreferences
from adapters.dynamodb.sessions import DynamoSessions
from adapters.guests import GuestTokens
from adapters.health import Health
from adapters.invalidation import Invalidation
from adapters.language.popular import DictionaryBeginnings
from adapters.order_links import OrderLinks
from adapters.postgres.accounts import PostgresUsers
from adapters.postgres.accounts_addresses import PostgresAddresses
from adapters.postgres.accounts_favorites import PostgresFavorites
from adapters.postgres.accounts_profiles import PostgresProfiles
from adapters.postgres.capture_state import CaptureFigures
from adapters.postgres.catalog import PostgresBrands, PostgresCategories, PostgresProducts
from adapters.postgres.changes import Audiences, CatalogChanges
from adapters.postgres.events_streams import PostgresStreams
from adapters.postgres.orders import PostgresOrders
from adapters.postgres.orders_checkout import PostgresOrderBook
from adapters.postgres.orders_fulfilment import PostgresOrderFiles
from adapters.postgres.orders_receipts import PostgresReceipts
from adapters.postgres.orders_records import PostgresOrderRecords
from adapters.postgres.payments import PostgresPaymentEvents
from adapters.postgres.payments_ledger import PostgresLedger
from adapters.postgres.reviews import PostgresReviews
from adapters.postgres.search_text import PostgresTextSearch
from adapters.postgres.sellers import PostgresSellers
from adapters.receipt_links import ReceiptLinks
from adapters.receipts.press import ReceiptPress
from adapters.redis.cache import VersionedCache
from adapters.redis.catalog import CachedCategories, CachedProducts, CatalogCache
from adapters.redis.live import RedisChannels
from adapters.redis.persisted import RedisDocuments
from adapters.redis.popular_queries import RedisPopularQueries
from adapters.redis.rates import RedisLimiter
from adapters.redis.sessions import CachedSessions
from adapters.redis.viewed import RedisViews
from adapters.stripe.webhooks import StripeWebhooks
from composition.cloud import user_pool
from composition.operators import account_deletion
from composition.paying import finaliser_of
from composition.search_index import highlighter
from composition.stores import health_of, open_stores
from domain.accounts.addresses import Addresses
from domain.accounts.attempts import Attempts
from domain.accounts.credentials import CredentialChanges
from domain.accounts.export import AccountExport
from domain.accounts.favorites import Favorites
from domain.accounts.fresh_sign_in import FreshSignIn
from domain.accounts.pace import Pace
from domain.accounts.passkeys import PasskeyDesk
from domain.accounts.preferences import PreferenceDesk
from domain.accounts.profiles import Profiles
from domain.accounts.registration import Registration
from domain.accounts.service import Accounts
from domain.accounts.sessions import Sessions
from domain.accounts.signing_in import SignIn
from domain.accounts.viewed import ViewHistory
from domain.carts.pricing import Pricing
from domain.carts.service import CartDesk
from domain.catalog.service import Catalog
from domain.catalog.stock import StockWatch
from domain.events.live import LiveStreams
from domain.orders.checkout import Checkout
from domain.orders.fulfilment import Fulfilment
from domain.orders.links import OrderFinding
from domain.orders.live import OrderWatch
from domain.orders.receipt_papers import ReceiptPapers
from domain.orders.records import OrderRecords
from domain.orders.service import OrderDesk
from domain.payments.service import PaymentEvents
from domain.payments.settlements import Settlements
from domain.recommendations.service import Recommendations
from domain.reviews.service import ReviewBoard
from domain.search.highlighting import Highlights
from domain.search.popular import PopularSearches
from domain.search.service import Search
from domain.sellers.service import Sellers
from domain.shared.clock import Clock
from engine.fragments.store import Store
from infra.background import running
from resolvers.services import Services
from settings import Mode, Settings, require


@dataclass(frozen=True, slots=True)
class Marketplace:
    """Everything that serves requests, open."""

    services: Services
    guests: GuestTokens
    health: Health
    payment_events: PaymentEvents
    settlements: Settlements
    documents: RedisDocuments
    capture: CaptureFigures


@asynccontextmanager
async def open_marketplace(
    settings: Settings, clock: Clock, fragments: Store | None = None
) -> AsyncIterator[Marketplace]:
    """Adapters and services for the gateway, closed in the other order; `fragments` hear of changes. Raises MissingSettings."""
    require(settings, "secret_key", "stripe_webhook_secret")
    async with AsyncExitStack() as stack:
        stores = await stack.enter_async_context(open_stores(settings))
        database, aws, prefix = stores.database, stores.aws, settings.dynamodb_table_prefix
        pool = await user_pool(settings, aws)
        keys = await stack.enter_async_context(key_set(settings, pool, clock))
        tokens = CognitoTokens(keys, issuer_of(settings.aws_region, pool.pool_id), pool.client_id, clock)

        cache = CatalogCache(VersionedCache(stores.redis, namespace="catalog"), is_used=settings.catalog_cache)
        sessions = Sessions(CachedSessions(DynamoSessions(aws, prefix, clock), stores.redis), clock)
        catalog = Catalog(
            CachedProducts(PostgresProducts(database), cache),
            PostgresBrands(database),
            CachedCategories(PostgresCategories(database), cache),
        )
        stock = StockWatch(PostgresProducts(database))
        channels = RedisChannels(settings.redis_url.get_secret_value())
        live = LiveStreams(PostgresStreams(database), channels)
        users, directory = PostgresUsers(database), CognitoDirectory(aws, pool.pool_id)
        accounts = Accounts(tokens, directory, users, sessions, clock)
        pace = Pace(settings.identity_pace_ms / 1000)
        views = RedisViews(stores.redis)
        dictionary = highlighter(settings)
        preferences = PreferenceDesk(DynamoPreferences(aws, prefix), views, clock)
        viewed = ViewHistory(views, preferences, clock)
        addresses = Addresses(PostgresAddresses(database))
        favorites = Favorites(PostgresFavorites(database), catalog)
        profiles = Profiles(PostgresProfiles(database), clock)
        sellers = Sellers(PostgresSellers(database))
        book = PostgresOrderBook(database)
        carts = CartDesk(
            DynamoCarts(aws, prefix, clock), catalog, clock, book, take_over_s=0.4 * settings.query_timeout_ms / 1000
        )
        orders, reviews = OrderDesk(PostgresOrders(database)), ReviewBoard(PostgresReviews(database))
        settlements = Settlements(finaliser_of(database, stores.stripe, clock).settle)
        stack.push_async_callback(settlements.close)
        limiter = RedisLimiter(stores.redis)
        secret, previous = settings.secret_key.get_secret_value(), settings.secret_key_previous.get_secret_value()
        attempts = Attempts(limiter, DeviceTokens(secret, clock, previous=previous), secret)
        credentials, sign_ins = (
            CognitoCredentials(aws, pool.pool_id, pool.client_id),
            CognitoSignIns(aws, pool.client_id),
        )
        fresh = FreshSignIn(
            sign_ins, credentials, tokens, accounts, clock, within_s=0.75 * settings.query_timeout_ms / 1000
        )
        records = OrderRecords(
            PostgresOrderRecords(database), PostgresLedger(database), PostgresReceipts(database), clock
        )
        press = ReceiptPress()
        stack.callback(press.close)
        services = Services(
            accounts=accounts,
            addresses=addresses,
            carts=carts,
            catalog=catalog,
            checkout=Checkout(
                carts, addresses, profiles, book, orders, settlements, clock, settings.hold_limits, secret
            ),
            credentials=CredentialChanges(
                credentials, tokens, directory, users, accounts, pace, attempts, fresh, credentials
            ),
            deletion=account_deletion(database, aws, prefix, stores.redis, pool.pool_id, clock),
            export=AccountExport(
                profiles, addresses, favorites, preferences, viewed, carts, orders, reviews, accounts, clock
            ),
            favorites=favorites,
            fulfilment=Fulfilment(PostgresOrderFiles(database, clock), clock),
            limiter=limiter,
            order_watch=OrderWatch(live),
            order_finding=OrderFinding(book, OrderLinks(secret, clock, previous=previous)),
            orders=orders,
            passkeys=PasskeyDesk(CognitoPasskeys(aws)),
            preferences=preferences,
            pricing=Pricing(catalog, sellers, book),
            profiles=profiles,
            recommendations=Recommendations(DynamoFeatures(aws, prefix, clock), catalog, clock),
            receipt_papers=ReceiptPapers(records, ReceiptLinks(settings.url, secret, clock, previous=previous), press),
            records=records,
            registration=Registration(CognitoSignUps(aws, pool.client_id), pace),
            reviews=reviews,
            highlights=Highlights(catalog, dictionary),
            popular=PopularSearches(
                RedisPopularQueries(stores.redis), DictionaryBeginnings(dictionary), stores.index, time.monotonic
            ),
            search=Search(stores.index, PostgresTextSearch(database)),
            sellers=sellers,
            sessions=sessions,
            sign_in=SignIn(sign_ins, tokens, directory, accounts, pace, attempts, fresh),
            stock=stock,
            viewed=viewed,
        )
        # the cache first: who is told of a change and asks again is not to find what was there before
        invalidation = Invalidation(cache, fragments or Store(0))
        changes = CatalogChanges(settings.database_url.get_secret_value(), Audiences(invalidation, stock), invalidation)
        await stack.enter_async_context(running(changes.run))
        await stack.enter_async_context(running(stock.run))
        await stack.enter_async_context(running(lambda: channels.run(live)))
        await stack.enter_async_context(running(live.run))
        await stack.enter_async_context(running(viewed.run))
        await stack.enter_async_context(running(sessions.keep_moving))
        guests = GuestTokens(secret, clock, previous=previous)
        signed = StripeWebhooks(settings.stripe_webhook_secret.get_secret_value(), clock)
        payment_events = PaymentEvents(signed, PostgresPaymentEvents(database))
        health, documents = health_of(settings, stores), RedisDocuments(stores.redis)
        capture = CaptureFigures(database, settings.capture_slot)
        yield Marketplace(services, guests, health, payment_events, settlements, documents, capture)


def key_set(settings: Settings, pool: Pool, clock: Clock) -> KeySet:
    url = settings.cognito_jwks_url or jwks_url_of(settings.aws_region, pool.pool_id, settings.aws_endpoint_url)
    if settings.mode is not Mode.PRODUCTION:
        return KeySet(url, clock)
    return KeySet(url, clock, refuse_kids=(EMULATOR_KID,), refuse_moduli=(EMULATOR_MODULUS,))
