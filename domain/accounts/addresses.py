"""Where a user has things sent: Japanese addresses, one of them the default."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from domain.accounts import japan
from domain.shared.idempotency import IdempotentCall
from domain.shared.ids import AddressId, UserId
from domain.shared.refusals import NotFound, Refusal, Unauthenticated, VersionConflict
from domain.shared.text import Form, line
from domain.shared.viewer import Viewer

MAX_ADDRESSES = 20
MAX_NAME = 60
MAX_LINE = 100


class AddressLimit(Refusal):
    """The user has as many addresses as are kept."""

    code = "ADDRESS_LIMIT"

    def __init__(self) -> None:
        super().__init__(most=MAX_ADDRESSES)


class AddressNotFound(NotFound):
    """The viewer has no such address."""

    def __init__(self) -> None:
        super().__init__(key="address_not_found", field=("id",))


@dataclass(frozen=True, slots=True)
class AddressFields:
    """What is written on the parcel. `prefecture` is its Japanese name, `phone_number` is E.164."""

    recipient_name: str | None
    postal_code: str
    prefecture: str
    city: str
    line1: str
    line2: str | None
    phone_number: str | None

    def checked(self) -> "AddressFields":
        """The same in the form in which it is kept. Raises InvalidInput, or Refusals for several fields."""
        form = Form()

        def text(name: str, typed: str | None, most: int) -> str:
            return form.check(lambda: line(typed or "", most, (name,)), "")

        checked = AddressFields(
            recipient_name=text("recipientName", self.recipient_name, MAX_NAME),
            postal_code=form.check(lambda: japan.postal_code(self.postal_code, ("postalCode",)), ""),
            prefecture=form.check(lambda: japan.prefecture(self.prefecture, ("prefecture",)), ""),
            city=text("city", self.city, MAX_LINE),
            line1=text("line1", self.line1, MAX_LINE),
            line2=text("line2", self.line2, MAX_LINE) if self.line2 else None,
            phone_number=form.check(lambda: japan.phone_number(self.phone_number or "", ("phoneNumber",)), "")
            if self.phone_number
            else None,
        )
        form.close()
        return checked


@dataclass(frozen=True, slots=True)
class Address:
    """A user's address. `version` grows with each change of its fields, not with the choice of the default."""

    id: AddressId
    user_id: UserId
    fields: AddressFields
    is_default: bool
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class AddressBook:
    """A user's addresses after a change, the default first, then the newest; and the one that it was about."""

    changed: Address | None
    addresses: Sequence[Address]


class AddressStore(Protocol):
    """Addresses as the viewer may see them; only the viewer's own are ever written."""

    async def by_ids(self, viewer: Viewer, ids: Sequence[AddressId]) -> Sequence[Address | None]: ...

    async def of_users(self, viewer: Viewer, ids: Sequence[UserId]) -> Sequence[Sequence[Address]]:
        """The default first, then the newest."""
        ...

    async def create(
        self, viewer: Viewer, call: IdempotentCall, fields: AddressFields, *, is_default: bool, at_most: int
    ) -> AddressBook:
        """Keep an address, once a call. Raises AddressLimit, IdempotencyKeyReused, IdempotencyInProgress."""
        ...

    async def update(
        self, viewer: Viewer, address_id: AddressId, version: int, fields: AddressFields
    ) -> AddressBook | None:
        """Another content, if the version is still this one; None else."""
        ...

    async def delete(self, viewer: Viewer, address_id: AddressId) -> AddressBook | None:
        """None where there is none such. `changed` is what was deleted."""
        ...

    async def set_default(self, viewer: Viewer, address_id: AddressId) -> AddressBook | None:
        """None where there is none such."""
        ...


class Addresses:
    """The viewer's addresses."""

    def __init__(self, store: AddressStore) -> None:
        self._store = store

    async def by_ids(self, viewer: Viewer, ids: Sequence[AddressId]) -> Sequence[Address | None]:
        return [None] * len(ids) if viewer.user_id is None else await self._store.by_ids(viewer, ids)

    async def of_users(self, viewer: Viewer, ids: Sequence[UserId]) -> Sequence[Sequence[Address]]:
        return await self._store.of_users(viewer, ids)

    async def create(self, viewer: Viewer, key: str, fields: AddressFields, *, is_default: bool) -> AddressBook:
        """Keep another address; the first becomes the default whatever is asked.

        Raises Unauthenticated, InvalidInput, AddressLimit, IdempotencyKeyReused, IdempotencyInProgress; AddressNotFound
        where the key made an address that was deleted since.
        """
        _signed_in(viewer)
        checked = fields.checked()
        call = IdempotentCall.of("addressCreate", key, (checked, is_default))
        book = await self._store.create(viewer, call, checked, is_default=is_default, at_most=MAX_ADDRESSES)
        if book.changed is None:
            raise AddressNotFound
        return book

    async def update(
        self, viewer: Viewer, address_id: AddressId, version: int, changes: Mapping[str, str | None]
    ) -> AddressBook:
        """Change some fields, by their names in AddressFields.

        Raises Unauthenticated, AddressNotFound, VersionConflict, InvalidInput.
        """
        user_id = _signed_in(viewer)
        [address] = await self._store.by_ids(viewer, [address_id])
        if address is None or address.user_id != user_id:
            raise AddressNotFound
        if address.version != version:
            raise VersionConflict
        given: dict[str, Any] = {
            name: value if value is not None or name in NULLABLE else "" for name, value in changes.items()
        }
        book = await self._store.update(viewer, address_id, version, replace(address.fields, **given).checked())
        if book is None:
            raise VersionConflict
        return book

    async def delete(self, viewer: Viewer, address_id: AddressId) -> AddressBook:
        """Forget an address; of the default the newest other takes the place. Raises Unauthenticated, AddressNotFound."""
        _signed_in(viewer)
        return _found(await self._store.delete(viewer, address_id))

    async def set_default(self, viewer: Viewer, address_id: AddressId) -> AddressBook:
        """Raises Unauthenticated, AddressNotFound."""
        _signed_in(viewer)
        return _found(await self._store.set_default(viewer, address_id))


NULLABLE = frozenset({"line2", "phone_number"})


def _signed_in(viewer: Viewer) -> UserId:
    if viewer.user_id is None:
        raise Unauthenticated
    return viewer.user_id


def _found(book: AddressBook | None) -> AddressBook:
    if book is None:
        raise AddressNotFound
    return book
