"""Sellers in PostgreSQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, select

from adapters.postgres.batches import among_ids, one_each
from adapters.postgres.database import Database
from adapters.postgres.tables import public_profiles
from domain.sellers.model import Seller
from domain.shared.ids import SellerId, UserId
from domain.shared.viewer import ANONYMOUS

BY_IDS = select(public_profiles).where(among_ids(public_profiles.c.id))


class PostgresSellers:
    """The port `SellerProfiles`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_ids(self, ids: Sequence[SellerId]) -> Sequence[Seller | None]:
        rows = await self._database.public(BY_IDS, {"ids": ids})
        return one_each(ids, map(seller_of, rows), lambda seller: seller.id)

    async def forget_member(self, user_id: UserId) -> None:
        async with self._database.transaction(ANONYMOUS) as connection:
            await connection.execute(select(func.sellers.forget_member(user_id)))


def seller_of(row: Row[Any]) -> Seller:
    return Seller(
        id=SellerId(row.id),
        name=row.company_name,
        name_kana=row.company_name_kana,
        description=row.description or "",
        logo_url=row.logo_url,
        banner_url=row.banner_url,
        approved_at=row.approved_at,
    )
