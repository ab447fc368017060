"""Addresses in PostgreSQL. The database keeps one of a user's the default (`accounts.keep_one_default`)."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres.accounts_own import own_account
from adapters.postgres.batches import among_ids, many_each, one_each
from adapters.postgres.database import Database
from adapters.postgres.idempotency import once
from adapters.postgres.tables import addresses
from domain.accounts.addresses import Address, AddressBook, AddressFields, AddressLimit
from domain.shared.idempotency import IdempotentCall
from domain.shared.ids import AddressId, UserId, uuid7
from domain.shared.viewer import Viewer

ORDER = (addresses.c.is_default.desc(), addresses.c.created_at.desc(), addresses.c.id.desc())
OF_USERS = select(addresses).where(among_ids(addresses.c.user_id)).order_by(*ORDER)  # idx_addresses_user_id
BY_IDS = select(addresses).where(among_ids(addresses.c.id))


class PostgresAddresses:
    """The port `AddressStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_ids(self, viewer: Viewer, ids: Sequence[AddressId]) -> Sequence[Address | None]:
        rows = await self._database.seen_by(viewer, BY_IDS, {"ids": ids})
        return one_each(ids, map(address_of, rows), lambda address: address.id)

    async def of_users(self, viewer: Viewer, ids: Sequence[UserId]) -> Sequence[Sequence[Address]]:
        rows = await self._database.seen_by(viewer, OF_USERS, {"ids": ids})
        return many_each(ids, map(address_of, rows), lambda address: address.user_id)

    async def create(
        self, viewer: Viewer, call: IdempotentCall, fields: AddressFields, *, is_default: bool, at_most: int
    ) -> AddressBook:
        async with own_account(self._database, viewer) as connection:

            async def effect() -> AddressId:
                count = select(func.count()).select_from(addresses).where(addresses.c.user_id == viewer.user_id)
                if (await connection.scalar(count) or 0) >= at_most:
                    raise AddressLimit
                key = AddressId(uuid7())
                row = {"id": key, "user_id": viewer.user_id, "is_default": is_default, **columns_of(fields)}
                await connection.execute(insert(addresses).values(row))
                return key

            return await _book(connection, viewer, AddressId(await once(connection, call, effect)))

    async def update(
        self, viewer: Viewer, address_id: AddressId, version: int, fields: AddressFields
    ) -> AddressBook | None:
        async with own_account(self._database, viewer) as connection:
            changed = await connection.execute(
                update(addresses)
                .where(*_own(viewer, address_id), addresses.c.version == version)
                .values(columns_of(fields))
            )
            return await _book(connection, viewer, address_id) if changed.rowcount else None

    async def delete(self, viewer: Viewer, address_id: AddressId) -> AddressBook | None:
        async with own_account(self._database, viewer) as connection:
            # read first: RETURNING would show the row as it was before the trigger chose another default
            found = (await connection.execute(select(addresses).where(*_own(viewer, address_id)))).first()
            if found is None:
                return None
            await connection.execute(delete(addresses).where(*_own(viewer, address_id)))
            book = await _book(connection, viewer, address_id)
            return AddressBook(address_of(found), book.addresses)

    async def set_default(self, viewer: Viewer, address_id: AddressId) -> AddressBook | None:
        async with own_account(self._database, viewer) as connection:
            chosen = await connection.execute(
                update(addresses).where(*_own(viewer, address_id)).values(is_default=True)
            )
            return await _book(connection, viewer, address_id) if chosen.rowcount else None


def _own(viewer: Viewer, address_id: AddressId) -> tuple[Any, ...]:
    return addresses.c.id == address_id, addresses.c.user_id == viewer.user_id


async def _book(connection: AsyncConnection, viewer: Viewer, changed: AddressId) -> AddressBook:
    mine: Select[Any] = select(addresses).where(addresses.c.user_id == viewer.user_id).order_by(*ORDER)
    found = [address_of(row) for row in await connection.execute(mine)]
    return AddressBook(next((each for each in found if each.id == changed), None), found)


def columns_of(fields: AddressFields) -> dict[str, Any]:
    return {
        "recipient_name": fields.recipient_name,
        "postal_code": fields.postal_code,
        "prefecture": fields.prefecture,
        "city": fields.city,
        "address_line1": fields.line1,
        "address_line2": fields.line2,
        "phone_number": fields.phone_number,
    }


def address_of(row: Row[Any]) -> Address:
    fields = AddressFields(
        row.recipient_name,
        row.postal_code,
        row.prefecture,
        row.city,
        row.address_line1,
        row.address_line2,
        row.phone_number,
    )
    return Address(
        AddressId(row.id), UserId(row.user_id), fields, row.is_default, row.version, row.created_at, row.updated_at
    )
