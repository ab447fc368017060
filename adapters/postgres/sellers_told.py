"""Where a seller is written to, as the worker role."""

from sqlalchemy import select

from adapters.postgres.database import Database
from adapters.postgres.tables import members, sellers
from domain.notifications.ports import SellerFacts
from domain.shared.ids import SellerId

ACTIVE = "active"


class PostgresSellersTold:
    """The port `SellersTold`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def seller(self, seller_id: SellerId) -> SellerFacts | None:
        first = (
            select(members.c.user_id)
            .where(members.c.seller_id == sellers.c.id)
            .order_by(members.c.created_at, members.c.user_id)
            .limit(1)
            .scalar_subquery()
        )
        rows = await self._database.fresh(
            select(sellers.c.email, sellers.c.company_name, first.label("member_id")).where(
                sellers.c.id == seller_id, sellers.c.status == ACTIVE
            )
        )
        return SellerFacts(rows[0].email, rows[0].company_name, rows[0].member_id) if rows else None
