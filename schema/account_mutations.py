"""Mutations of the viewer's own account."""

from typing import Annotated

import strawberry

from engine.declared.fields import mutation
from resolvers import account_data, accounts, addresses, favorites, preferences
from resolvers.context import Info
from schema.access import SIGNED_IN
from schema.account_data import AccountDeleteInput, AccountDeletePayload, AccountExportPayload
from schema.accounts import ProfileUpdateInput, ProfileUpdatePayload
from schema.addresses import (
    AddressCreateInput,
    AddressCreatePayload,
    AddressDeleteInput,
    AddressDeletePayload,
    AddressSetDefaultInput,
    AddressSetDefaultPayload,
    AddressUpdateInput,
    AddressUpdatePayload,
)
from schema.favorites import FavoriteAddInput, FavoriteAddPayload, FavoriteRemoveInput, FavoriteRemovePayload
from schema.preferences import PreferencesUpdateInput, PreferencesUpdatePayload


async def _profile_update(
    info: Info, input: Annotated[ProfileUpdateInput, strawberry.argument(description="What to change.")]
) -> object:
    return await accounts.update_profile(info, input)


async def _address_create(
    info: Info, input: Annotated[AddressCreateInput, strawberry.argument(description="The address.")]
) -> object:
    return await addresses.create(info, input)


async def _address_update(
    info: Info, input: Annotated[AddressUpdateInput, strawberry.argument(description="What to change.")]
) -> object:
    return await addresses.update(info, input)


async def _address_delete(
    info: Info, input: Annotated[AddressDeleteInput, strawberry.argument(description="Which.")]
) -> object:
    return await addresses.delete(info, input.id)


async def _address_set_default(
    info: Info, input: Annotated[AddressSetDefaultInput, strawberry.argument(description="Which.")]
) -> object:
    return await addresses.set_default(info, input.id)


async def _favorite_add(
    info: Info, input: Annotated[FavoriteAddInput, strawberry.argument(description="Which product.")]
) -> object:
    return await favorites.add(info, input.product_id)


async def _favorite_remove(
    info: Info, input: Annotated[FavoriteRemoveInput, strawberry.argument(description="Which product.")]
) -> object:
    return await favorites.remove(info, input.product_id)


async def _preferences_update(
    info: Info, input: Annotated[PreferencesUpdateInput, strawberry.argument(description="What to change.")]
) -> object:
    return await preferences.update(info, input)


async def _account_export(info: Info) -> object:
    return await account_data.export(info)


async def _account_delete(
    info: Info, input: Annotated[AccountDeleteInput, strawberry.argument(description="That it is meant.")]
) -> object:
    return await account_data.delete(info, input.confirm)


@strawberry.type
class AccountMutations:
    profile_update: ProfileUpdatePayload = mutation(
        _profile_update,
        access=SIGNED_IN,
        graphql_type=ProfileUpdatePayload,
        description="Changes what the viewer tells of themselves.",
    )
    address_create: AddressCreatePayload = mutation(
        _address_create,
        access=SIGNED_IN,
        graphql_type=AddressCreatePayload,
        description="Keeps another address, at most 20. The first becomes the default.",
    )
    address_update: AddressUpdatePayload = mutation(
        _address_update,
        access=SIGNED_IN,
        graphql_type=AddressUpdatePayload,
        description="Changes an address. Orders keep the one that they were placed with.",
    )
    address_delete: AddressDeletePayload = mutation(
        _address_delete,
        access=SIGNED_IN,
        graphql_type=AddressDeletePayload,
        description="Forgets an address; where it was the default the newest other becomes it.",
    )
    address_set_default: AddressSetDefaultPayload = mutation(
        _address_set_default,
        access=SIGNED_IN,
        graphql_type=AddressSetDefaultPayload,
        description="Makes an address the default one.",
    )
    favorite_add: FavoriteAddPayload = mutation(
        _favorite_add,
        access=SIGNED_IN,
        graphql_type=FavoriteAddPayload,
        description="Keeps a product for later, at most 1,000. A second time changes nothing.",
    )
    favorite_remove: FavoriteRemovePayload = mutation(
        _favorite_remove,
        access=SIGNED_IN,
        graphql_type=FavoriteRemovePayload,
        description="Keeps a product no longer. A second time changes nothing.",
    )
    preferences_update: PreferencesUpdatePayload = mutation(
        _preferences_update,
        access=SIGNED_IN,
        graphql_type=PreferencesUpdatePayload,
        description="Changes how the viewer wants to be treated.",
    )
    account_export: AccountExportPayload = mutation(
        _account_export,
        access=SIGNED_IN,
        cost=50,
        graphql_type=AccountExportPayload,
        description="All that is kept of the viewer, as JSON. A mutation, for it is too much for a query.",
    )
    account_delete: AccountDeletePayload = mutation(
        _account_delete,
        access=SIGNED_IN,
        graphql_type=AccountDeletePayload,
        description="Deletes the viewer's account for good. Orders and reviews stay, without the person.",
    )
