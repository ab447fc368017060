"""Mutations of the viewer's addresses."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from domain.accounts.addresses import Address, AddressBook, AddressFields
from domain.shared.ids import AddressId
from resolvers.context import Info
from resolvers.errors import UserError, outcome_or_refusal
from resolvers.global_ids import key_of
from resolvers.inputs import given

WRITTEN = ("recipient_name", "postal_code", "prefecture", "city", "line1", "line2", "phone_number")


@dataclass(frozen=True, slots=True)
class AddressPayload:
    """What an address mutation shows."""

    address: Address | None
    addresses: Sequence[Address] | None
    user_errors: Sequence[UserError]


async def create(info: Info, new: Any) -> AddressPayload:
    fields = AddressFields(*(getattr(new, name) for name in WRITTEN))
    return await _payload(
        info,
        lambda: info.context.services.addresses.create(
            info.context.viewer, new.idempotency_key, fields, is_default=new.is_default
        ),
    )


async def update(info: Info, change: Any) -> AddressPayload:
    async def use_case() -> AddressBook:
        return await info.context.services.addresses.update(
            info.context.viewer, _key(change.id), change.expected_version, given(change, WRITTEN)
        )

    return await _payload(info, use_case)


async def delete(info: Info, address_id: str) -> AddressPayload:
    async def use_case() -> AddressBook:
        return await info.context.services.addresses.delete(info.context.viewer, _key(address_id))

    return await _payload(info, use_case)


async def set_default(info: Info, address_id: str) -> AddressPayload:
    async def use_case() -> AddressBook:
        return await info.context.services.addresses.set_default(info.context.viewer, _key(address_id))

    return await _payload(info, use_case)


def _key(address_id: str) -> AddressId:
    return AddressId(key_of(address_id, "Address", "id"))


async def _payload(info: Info, use_case: Callable[[], Awaitable[AddressBook]]) -> AddressPayload:
    book, refusals = await outcome_or_refusal(info, use_case)
    return AddressPayload(book.changed, book.addresses, ()) if book else AddressPayload(None, None, refusals)
