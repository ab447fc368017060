"""The domain services that resolvers call."""

from dataclasses import dataclass

from domain.accounts.addresses import Addresses
from domain.accounts.credentials import CredentialChanges
from domain.accounts.deletion import AccountDeletion
from domain.accounts.export import AccountExport
from domain.accounts.favorites import Favorites
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
from domain.orders.checkout import Checkout
from domain.orders.fulfilment import Fulfilment
from domain.orders.links import OrderFinding
from domain.orders.live import OrderWatch
from domain.orders.receipt_papers import ReceiptPapers
from domain.orders.records import OrderRecords
from domain.orders.service import OrderDesk
from domain.recommendations.service import Recommendations
from domain.reviews.service import ReviewBoard
from domain.search.highlighting import Highlights
from domain.search.popular import PopularSearches
from domain.search.service import Search
from domain.sellers.service import Sellers
from domain.shared.rates import Limiter


@dataclass(frozen=True, slots=True)
class Services:
    """Made once, shared by all requests."""

    accounts: Accounts
    addresses: Addresses
    carts: CartDesk
    catalog: Catalog
    checkout: Checkout
    credentials: CredentialChanges
    deletion: AccountDeletion
    export: AccountExport
    favorites: Favorites
    fulfilment: Fulfilment
    limiter: Limiter
    order_watch: OrderWatch
    order_finding: OrderFinding
    orders: OrderDesk
    passkeys: PasskeyDesk
    preferences: PreferenceDesk
    pricing: Pricing
    profiles: Profiles
    receipt_papers: ReceiptPapers
    recommendations: Recommendations
    records: OrderRecords
    registration: Registration
    reviews: ReviewBoard
    highlights: Highlights
    popular: PopularSearches
    search: Search
    sellers: Sellers
    sessions: Sessions
    sign_in: SignIn
    stock: StockWatch
    viewed: ViewHistory
