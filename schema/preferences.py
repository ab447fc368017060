"""Preferences in the schema."""

from datetime import datetime

import strawberry

from domain.shared.languages import Language
from engine.declared.fields import attribute
from schema.access import ASKERS_OWN, OWNER, PUBLIC
from schema.errors import UserError


@strawberry.type(description="Of what a user is told.")
class NotificationSettings:
    ownership = ASKERS_OWN

    order_updates: bool = attribute(access=OWNER, description="What becomes of their orders.")
    restocks: bool = attribute(access=OWNER, description="That a favourite is in stock again.")
    price_drops: bool = attribute(access=OWNER, description="That a favourite costs less.")
    promotions: bool = attribute(access=OWNER, description="Offers of the shops.")


@strawberry.type(description="What is kept of what a user does.")
class PrivacySettings:
    ownership = ASKERS_OWN

    keeps_view_history: bool = attribute(access=OWNER, description="Whether recently viewed products are kept.")


@strawberry.type(description="How recommendations are made.")
class RecommendationSettings:
    ownership = ASKERS_OWN

    is_personalized: bool = attribute(
        access=OWNER, description="Whether what the user did decides what is recommended."
    )


@strawberry.type(description="How a user wants to be treated.")
class Preferences:
    ownership = ASKERS_OWN

    language: Language = attribute(access=OWNER, description="The language of mails and pages.")
    currency: str = attribute(access=OWNER, description="ISO 4217: in which prices are shown.")
    notifications: NotificationSettings = attribute(access=OWNER, description="Of what they are told.")
    privacy: PrivacySettings = attribute(access=OWNER, description="What is kept of what they do.")
    recommendations: RecommendationSettings = attribute(access=OWNER, description="How recommendations are made.")
    version: int = attribute(access=OWNER, description="Grows with each change, for `expectedVersion`; 0 at first.")
    updated_at: datetime | None = attribute(access=OWNER, description="When they were last changed; null for defaults.")


@strawberry.input(description="Changes what is given.")
class NotificationSettingsInput:
    order_updates: bool | None = strawberry.field(default=None, description="What becomes of orders.")
    restocks: bool | None = strawberry.field(default=None, description="That a favourite is in stock again.")
    price_drops: bool | None = strawberry.field(default=None, description="That a favourite costs less.")
    promotions: bool | None = strawberry.field(default=None, description="Offers of the shops.")


@strawberry.input(description="Changes what is given.")
class PrivacySettingsInput:
    keeps_view_history: bool | None = strawberry.field(
        default=None, description="Whether recently viewed products are kept; false deletes those that are."
    )


@strawberry.input(description="Changes what is given.")
class RecommendationSettingsInput:
    is_personalized: bool | None = strawberry.field(
        default=None, description="Whether what the user did decides what is recommended."
    )


@strawberry.input(description="Changes what is given of the preferences.")
class PreferencesUpdateInput:
    expected_version: int = strawberry.field(description="The version of the preferences as the client knows it.")
    language: Language | None = strawberry.field(default=None, description="The language of mails and pages.")
    currency: str | None = strawberry.field(default=None, description="ISO 4217: JPY, USD, EUR, GBP or KRW.")
    notifications: NotificationSettingsInput | None = strawberry.field(default=None, description="Of what to tell.")
    privacy: PrivacySettingsInput | None = strawberry.field(default=None, description="What to keep.")
    recommendations: RecommendationSettingsInput | None = strawberry.field(
        default=None, description="How to recommend."
    )


@strawberry.type(description="What became of `preferencesUpdate`.")
class PreferencesUpdatePayload:
    ownership = ASKERS_OWN

    preferences: Preferences | None = attribute(
        access=OWNER, description="As they are now; null when nothing was done."
    )
    user_errors: list[UserError] = attribute(access=PUBLIC, description="Why nothing was done.")
