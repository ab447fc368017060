"""The check of the texts that the database searches by: the function of r0039_texts_in_step.py, as the worker role."""

from sqlalchemy import text

from adapters.postgres.catalog_keys import BEFORE_ALL
from adapters.postgres.database import Database
from domain.search.texts import TextPage
from domain.shared.ids import ProductId
from domain.shared.viewer import ANONYMOUS

CHECK = text("SELECT last, looked, differing FROM catalog.check_texts(:behind, :size, :repair)")


class PostgresTexts:
    """The port `Texts`. A page is a transaction: no more products than that wait for a repair."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def check(self, after: ProductId | None, size: int, *, repair: bool) -> TextPage | None:
        values = {"behind": after or BEFORE_ALL, "size": size, "repair": repair}
        async with self._database.transaction(ANONYMOUS) as connection:
            row = (await connection.execute(CHECK, values)).one()
        return None if row.last is None else TextPage(ProductId(row.last), row.looked, row.differing)
