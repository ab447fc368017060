"""Sellers of the demo: who they are, on which terms they sell, and who works for the first of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from domain.shared.ids import SellerId
from infra.demo.accounts import DEMO_JOINED, DEMO_USERS, SELLER
from infra.demo.dice import Weighted, dice, key
from infra.demo.rows import Row
from infra.demo.times import OPENED
from infra.demo.words import Place, ShopName, departments, people, shop_names

SELLERS_COLUMNS = (
    "id", "company_name", "company_name_kana", "email", "phone_number", "postal_code", "address",
    "business_license_number", "status", "commission_rate", "approved_at", "created_at", "updated_at",
)  # fmt: skip
PROFILES_COLUMNS = (
    "id", "seller_id", "description", "logo_url", "banner_url", "business_hours",
    "shipping_policies", "return_policies", "created_at", "updated_at",
)  # fmt: skip
MEMBERS_COLUMNS = ("seller_id", "user_id", "created_at")

COMMISSION_RATES = Weighted(
    [(Decimal("0.1000"), 6), (Decimal("0.0800"), 3), (Decimal("0.1200"), 2), (Decimal("0.0650"), 1)]
)
SHIPPING_FEES = Weighted([(330, 1), (550, 4), (660, 3), (880, 2), (0, 1)])
FREE_OVER = Weighted([(3_980, 4), (5_000, 3), (8_000, 1), (11_000, 1)])
DEMO_SHOP_WEIGHT = 5
"""How many times the products of an ordinary shop the demo seller has."""
DESCRIPTIONS = (
    "{place}から、{known_for}をお届けしています。{year}年の創業以来、作り手の顔が見える品だけを扱ってきました。どうぞごゆっくりご覧ください。",
    "{known_for}の専門店です。ご注文から{days}営業日以内に{place}より発送いたします。ギフト包装やのしも承りますので、お気軽にご相談ください。",
    "{place}で{year}年に開いた小さな店です。{known_for}を、実際に使って確かめながら選んでいます。ご質問には店長がお答えします。",
)


@dataclass(frozen=True, slots=True)
class Shop:
    """A seller with the terms that its products and orders follow. Amounts in yen, times in working days."""

    id: SellerId
    about: ShopName
    place: Place
    commission_rate: Decimal
    fee: int
    free_over: int
    days_min: int
    days_max: int
    opened_at: datetime

    @property
    def is_active(self) -> bool:
        return self.about.status == "active"


class Shops:
    """All sellers, and for each section of the catalogue those that sell in it."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.all: Sequence[Shop] = [_shop(seed, name) for name in shop_names()]
        self._active: dict[str, Weighted[Shop]] = {}
        self._waiting: dict[str, Sequence[Shop]] = {}
        self._barred: dict[str, Sequence[Shop]] = {}
        for department in departments():
            for section in department.sections:
                sells = {department.slug, section.slug}
                self._active[section.slug] = Weighted((shop, self._weight(shop)) for shop in self._of(sells, "active"))
                self._waiting[section.slug] = self._of(sells, "pending")
                self._barred[section.slug] = self._of(sells, "suspended")

    def active_in(self, section: str) -> Weighted[Shop]:
        """Sellers, the bigger ones more often."""
        return self._active[section]

    def waiting_in(self, section: str) -> Sequence[Shop]:
        """Sellers whose approval is pending: they have drafts only."""
        return self._waiting[section]

    def barred_in(self, section: str) -> Sequence[Shop]:
        """Suspended sellers: what they had is discontinued."""
        return self._barred[section]

    def rows(self) -> Iterator[Row]:
        for number, shop in enumerate(self.all):
            about = shop.about
            approved = None if about.status == "pending" else shop.opened_at + timedelta(days=3)
            yield (
                shop.id, about.name, about.kana, f"shop+{about.key}@example.com", f"0120-000-{number + 1:03d}",
                f"{shop.place.postal}-{1000 + number:04d}",
                f"{shop.place.prefecture}{shop.place.city}{shop.place.quarters[0]}1-{number + 1}-3",
                f"第{301_011_000_000 + number * 7_351}号", about.status, shop.commission_rate,
                approved, shop.opened_at, approved or shop.opened_at,
            )  # fmt: skip

    def profile_rows(self) -> Iterator[Row]:
        for shop in self.all:
            random = dice(self._seed, "seller profile", shop.about.key)
            description = random.choice(DESCRIPTIONS).format(
                place=shop.about.prefecture,
                known_for=shop.about.known_for,
                year=random.randrange(1912, 2020),
                days=shop.days_max,
            )
            hours = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "10:00-18:00")
            shipping = {"ships_from": shop.about.prefecture, "fee": shop.fee, "free_over": shop.free_over}
            returns = {"days": random.choice((7, 8, 14)), "note": "未使用の品に限り、到着後の返品を承ります。"}
            yield (
                key(shop.opened_at, self._seed, "seller profile", shop.about.key), shop.id, description,
                f"/images/logos/seller-{shop.about.key}.svg", f"/images/logos/banner-{shop.about.key}.svg",
                hours, shipping, returns, shop.opened_at, shop.opened_at,
            )  # fmt: skip

    def member_rows(self) -> Iterator[Row]:
        yield (self.all[0].id, DEMO_USERS[SELLER], DEMO_JOINED)

    def _of(self, sells: set[str], status: str) -> Sequence[Shop]:
        return [shop for shop in self.all if shop.about.status == status and not sells.isdisjoint(shop.about.sells)]

    def _weight(self, shop: Shop) -> int:
        """A shop that sells one kind of thing sells more of it than one that sells three."""
        return max(6 // len(shop.about.sells), 1) * (DEMO_SHOP_WEIGHT if shop is self.all[0] else 1)


def _shop(seed: int, about: ShopName) -> Shop:
    random = dice(seed, "seller", about.key)
    opened = OPENED + timedelta(days=random.randrange(600), hours=random.randrange(9))
    days_min = random.randrange(1, 3)
    return Shop(
        SellerId(key(opened, seed, "seller", about.key)),
        about,
        next(place for place in people().places if place.prefecture == about.prefecture),
        COMMISSION_RATES.pick(random),
        SHIPPING_FEES.pick(random),
        FREE_OVER.pick(random),
        days_min,
        days_min + random.randrange(1, 4),
        opened,
    )
