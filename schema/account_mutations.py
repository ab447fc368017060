"""Mutations of the viewer's own account."""

import strawberry

from engine.declared.fields import mutation, taking
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


async def _account_export(info: Info) -> object:
    return await account_data.export(info)


@strawberry.type
class AccountMutations:
    profile_update: ProfileUpdatePayload = mutation(
        taking(accounts.update_profile, ProfileUpdateInput, "What to change."),
        access=SIGNED_IN,
        graphql_type=ProfileUpdatePayload,
        description="Changes what the viewer tells of themselves.",
    )
    address_create: AddressCreatePayload = mutation(
        taking(addresses.create, AddressCreateInput, "The address."),
        access=SIGNED_IN,
        graphql_type=AddressCreatePayload,
        description="Keeps another address, at most 20. The first becomes the default.",
    )
    address_update: AddressUpdatePayload = mutation(
        taking(addresses.update, AddressUpdateInput, "What to change."),
        access=SIGNED_IN,
        graphql_type=AddressUpdatePayload,
        description="Changes an address. Orders keep the one that they were placed with.",
    )
    address_delete: AddressDeletePayload = mutation(
        taking(lambda info, given: addresses.delete(info, given.id), AddressDeleteInput, "Which."),
        access=SIGNED_IN,
        graphql_type=AddressDeletePayload,
        description="Forgets an address; where it was the default the newest other becomes it.",
    )
    address_set_default: AddressSetDefaultPayload = mutation(
        taking(lambda info, given: addresses.set_default(info, given.id), AddressSetDefaultInput, "Which."),
        access=SIGNED_IN,
        graphql_type=AddressSetDefaultPayload,
        description="Makes an address the default one.",
    )
    favorite_add: FavoriteAddPayload = mutation(
        taking(lambda info, given: favorites.add(info, given.product_id), FavoriteAddInput, "Which product."),
        access=SIGNED_IN,
        graphql_type=FavoriteAddPayload,
        description="Keeps a product for later, at most 1,000. A second time changes nothing.",
    )
    favorite_remove: FavoriteRemovePayload = mutation(
        taking(lambda info, given: favorites.remove(info, given.product_id), FavoriteRemoveInput, "Which product."),
        access=SIGNED_IN,
        graphql_type=FavoriteRemovePayload,
        description="Keeps a product no longer. A second time changes nothing.",
    )
    preferences_update: PreferencesUpdatePayload = mutation(
        taking(preferences.update, PreferencesUpdateInput, "What to change."),
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
        taking(lambda info, given: account_data.delete(info, given.confirm), AccountDeleteInput, "That it is meant."),
        access=SIGNED_IN,
        graphql_type=AccountDeletePayload,
        description="Deletes the viewer's account for good. Orders and reviews stay, without the person.",
    )
