"""Addresses in the schema: a user's own, within Japan."""

from datetime import datetime
from typing import Any

import strawberry

from domain.accounts import addresses
from engine.declared.fields import attribute, computed, private_input, shows
from schema.access import ASKERS_OWN, OWNER, PUBLIC, Ownership, of_user
from schema.errors import UserError
from schema.relay import Node, global_id


def _written(name: str, description: str) -> Any:
    """One of the fields that are written on the parcel."""
    return computed(lambda address: getattr(address.fields, name), access=OWNER, description=description)


@strawberry.type(description="Where a user has things sent, within Japan.")
class Address(Node):
    is_type_of = shows(addresses.Address)
    ownership = Ownership(of_user(lambda address: address.user_id))

    id: strawberry.ID = global_id("Address", access=OWNER)
    recipient_name: str | None = _written("recipient_name", "Who receives it; null where it was never told.")
    postal_code: str = _written("postal_code", "As NNN-NNNN.")
    prefecture: str = _written("prefecture", "One of the 47, in Japanese, such as 東京都.")
    city: str = _written("city", "City, ward, town or village.")
    line1: str = _written("line1", "Quarter and number.")
    line2: str | None = _written("line2", "Building and room.")
    phone_number: str | None = _written("phone_number", "For the carrier; E.164, such as +81312345678.")
    is_default: bool = attribute(access=OWNER, description="Whether it is the one that is offered first.")
    version: int = attribute(access=OWNER, description="Grows by one with each change, for `expectedVersion`.")
    created_at: datetime = attribute(access=OWNER, description="Since when it is kept.")
    updated_at: datetime = attribute(access=OWNER, description="When it last changed.")


@strawberry.input(description="Keeps another address.")
class AddressCreateInput:
    recipient_name: str = private_input(description="Who receives it; at most 60 characters.")
    postal_code: str = private_input(description="Seven digits of any width, with or without 〒 and hyphen.")
    prefecture: str = private_input(description="Such as 東京都, 東京 or Tokyo. Deliveries are within Japan only.")
    city: str = private_input(description="City, ward, town or village; at most 100 characters.")
    line1: str = private_input(description="Quarter and number; at most 100 characters.")
    line2: str | None = private_input(default=None, description="Building and room; at most 100 characters.")
    phone_number: str | None = private_input(
        default=None, description="A Japanese number, such as 03-1234-5678 or +81 90 1234 5678."
    )
    is_default: bool = strawberry.field(
        default=False, description="Whether it becomes the default; the first always does."
    )
    idempotency_key: str = strawberry.field(
        description="Names this intention: sent again, the same key and input keep no second address."
    )


@strawberry.input(description="Changes what is given of an address.")
class AddressUpdateInput:
    id: strawberry.ID = strawberry.field(description="The address.")
    expected_version: int = strawberry.field(description="Its version as the client knows it.")
    recipient_name: str | None = private_input(default=strawberry.UNSET, description="Who receives it.")
    postal_code: str | None = private_input(default=strawberry.UNSET, description="Seven digits.")
    prefecture: str | None = private_input(default=strawberry.UNSET, description="Such as 東京都.")
    city: str | None = private_input(default=strawberry.UNSET, description="City, ward, town or village.")
    line1: str | None = private_input(default=strawberry.UNSET, description="Quarter and number.")
    line2: str | None = private_input(default=strawberry.UNSET, description="Building and room; null takes it away.")
    phone_number: str | None = private_input(
        default=strawberry.UNSET, description="A Japanese number; null takes it away."
    )


@strawberry.input(description="Forgets an address.")
class AddressDeleteInput:
    id: strawberry.ID = strawberry.field(description="The address.")


@strawberry.input(description="Makes an address the default one.")
class AddressSetDefaultInput:
    id: strawberry.ID = strawberry.field(description="The address.")


def _payload(name: str, description: str, changed: str) -> Any:
    class Payload:
        ownership = ASKERS_OWN

        address: Address | None = attribute(access=OWNER, description=f"{changed}; null when nothing was done.")
        addresses: list[Address] | None = attribute(
            access=OWNER, description="All addresses after it, the default first; null when nothing was done."
        )
        user_errors: list[UserError] = attribute(access=PUBLIC, description="Why nothing was done.")

    Payload.__name__ = name
    return strawberry.type(Payload, name=name, description=description)


AddressCreatePayload = _payload("AddressCreatePayload", "What became of `addressCreate`.", "The new address")
AddressUpdatePayload = _payload("AddressUpdatePayload", "What became of `addressUpdate`.", "The address as it is now")
AddressDeletePayload = _payload("AddressDeletePayload", "What became of `addressDelete`.", "The address as it was")
AddressSetDefaultPayload = _payload(
    "AddressSetDefaultPayload", "What became of `addressSetDefault`.", "The address that is the default now"
)
