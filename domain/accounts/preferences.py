"""How users want to be treated: language, currency, what they are told of, what is kept of them."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from domain.accounts.looks import Onlooker, ViewStore
from domain.shared.clock import Clock
from domain.shared.ids import UserId
from domain.shared.languages import DEFAULT_LANGUAGE, Language
from domain.shared.money import MINOR_DIGITS
from domain.shared.refusals import InvalidInput, Unauthenticated, Unavailable, VersionConflict
from domain.shared.viewer import Viewer


@dataclass(frozen=True, slots=True)
class NotificationSettings:
    """Of what a user is told. Nothing that sells is sent unasked (Japan's act on mail, opt-in)."""

    order_updates: bool = True
    restocks: bool = False
    price_drops: bool = False
    promotions: bool = False


@dataclass(frozen=True, slots=True)
class PrivacySettings:
    """What is kept of what a user does."""

    keeps_view_history: bool = True


@dataclass(frozen=True, slots=True)
class RecommendationSettings:
    """Whether what a user did decides what is recommended."""

    is_personalized: bool = True


@dataclass(frozen=True, slots=True)
class Preferences:
    """A user's settings. `version` 0 says that they are the defaults: none was chosen yet."""

    language: Language = DEFAULT_LANGUAGE
    currency: str = "JPY"
    notifications: NotificationSettings = field(default_factory=NotificationSettings)
    privacy: PrivacySettings = field(default_factory=PrivacySettings)
    recommendations: RecommendationSettings = field(default_factory=RecommendationSettings)
    version: int = 0
    updated_at: datetime | None = None

    def changed(self, changes: Mapping[str, Any]) -> "Preferences":
        """With what is given of each group changed. Raises InvalidInput."""
        if changes.get("currency", self.currency) not in MINOR_DIGITS:
            raise InvalidInput(key="currency", field=("currency",))
        groups = {
            name: replace(getattr(self, name), **given) for name, given in changes.items() if isinstance(given, Mapping)
        }
        return replace(self, **(dict(changes) | groups))


class PreferenceStore(Protocol):
    async def of(self, user_id: UserId) -> Preferences:
        """As they are now; the defaults where none were chosen. Raises Unavailable."""
        ...

    async def of_many(self, user_ids: Sequence[UserId]) -> Sequence[Preferences]:
        """As they were a moment ago, in the order of the ids. Raises Unavailable."""
        ...

    async def store(self, user_id: UserId, preferences: Preferences) -> bool:
        """Keep them as one version more than `expected`, if that is still the present one; False else.

        `preferences.version` is the new one. Raises Unavailable.
        """
        ...

    async def forget(self, user_id: UserId) -> None:
        """Delete them, there or not. Raises Unavailable."""
        ...


class PreferredLanguages:
    """In which language each user is spoken to, for other modules."""

    def __init__(self, store: PreferenceStore) -> None:
        self._store = store

    async def language(self, user_id: UserId) -> Language:
        """Raises Unavailable."""
        return (await self._store.of(user_id)).language


class PreferenceDesk:
    """The viewer's preferences."""

    def __init__(self, store: PreferenceStore, views: ViewStore, clock: Clock) -> None:
        self._store = store
        self._views = views
        self._clock = clock

    async def of_users(self, viewer: Viewer, ids: Sequence[UserId]) -> Sequence[Preferences | None]:
        """The viewer's own; None for any other user."""
        own = await self._store.of(viewer.user_id) if viewer.user_id in ids and viewer.user_id else None
        return [own if each == viewer.user_id else None for each in ids]

    async def who_keep_history(self, ids: Sequence[UserId]) -> frozenset[UserId]:
        """Those of the users who let what they looked at be kept. Raises Unavailable."""
        found = await self._store.of_many(ids)
        return frozenset(each for each, its in zip(ids, found, strict=True) if its.privacy.keeps_view_history)

    async def update(self, viewer: Viewer, version: int, changes: Mapping[str, Any]) -> Preferences:
        """Change some settings, by their names in Preferences; a group as a mapping of its own.

        Raises Unauthenticated, VersionConflict, InvalidInput, Unavailable.
        """
        if viewer.user_id is None:
            raise Unauthenticated
        present = await self._store.of(viewer.user_id)
        if present.version != version:
            raise VersionConflict
        changed = replace(present.changed(changes), version=version + 1, updated_at=self._clock.now())
        if not await self._store.store(viewer.user_id, changed):
            raise VersionConflict
        if not changed.privacy.keeps_view_history:
            with suppress(Unavailable):  # it is shown no more in any case, and expires
                await self._views.forget(Onlooker(viewer.user_id, None))
        return changed
