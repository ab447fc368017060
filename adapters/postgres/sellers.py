"""Sellers in PostgreSQL."""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

from sqlalchemy import func, select

from adapters.postgres.batches import among_ids, one_each
from adapters.postgres.columns import Columns, Reads
from adapters.postgres.database import Database
from adapters.postgres.reading import Prepared
from adapters.postgres.tables import public_profiles, shipping_terms
from domain.sellers.model import Seller, ShippingTerms
from domain.shared.ids import SellerId, UserId
from domain.shared.money import MINOR_DIGITS, Money
from domain.shared.needs import Needs
from domain.shared.viewer import ANONYMOUS

TERMS = Prepared(select(shipping_terms).where(among_ids(shipping_terms.c.id)))
C = public_profiles.c
SHOWN = Columns(
    Seller,
    public_profiles,
    always=("id",),
    name=C.company_name,
    name_kana=C.company_name_kana,
    description=func.coalesce(C.description, ""),
)
BY_IDS = Reads(SHOWN, lambda columns: columns.where(among_ids(C.id)))


class PostgresSellers:
    """The port `SellerProfiles`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_ids(self, ids: Sequence[SellerId], needs: Needs = None) -> Sequence[Seller | None]:
        read = BY_IDS.of(needs)
        rows = await self._database.fresh(read.statement, {"ids": ids})
        return one_each(ids, read.make(rows), attrgetter("id"))

    async def shipping_terms(self, ids: Sequence[SellerId]) -> Sequence[ShippingTerms]:
        rows = await self._database.fresh(TERMS, {"ids": ids})
        found = {row.id: terms_of(row.shipping_policies) for row in rows}
        return [found.get(each, ShippingTerms()) for each in ids]

    async def forget_member(self, user_id: UserId) -> None:
        async with self._database.transaction(ANONYMOUS) as connection:
            await connection.execute(select(func.sellers.forget_member(user_id)))


def terms_of(policies: Mapping[str, Any]) -> ShippingTerms:
    """From the JSON of a seller's profile: `fee` and `free_over` in minor units of `currency`, which is yen unless named."""
    currency = policies.get("currency", "JPY")

    def money(name: str) -> Money | None:
        minor = policies.get(name)
        if type(minor) is not int or minor < 0 or currency not in MINOR_DIGITS:
            return None
        return Money(minor, currency)

    return ShippingTerms(money("fee"), money("free_over"))
