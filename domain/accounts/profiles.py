"""The viewer's own profile."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from domain.accounts.details import PersonalDetails
from domain.accounts.model import Profile
from domain.shared.clock import Clock
from domain.shared.refusals import Unauthenticated, VersionConflict
from domain.shared.viewer import Viewer


class ProfileStore(Protocol):
    async def profile(self, viewer: Viewer) -> Profile | None: ...

    async def store(self, viewer: Viewer, details: PersonalDetails) -> Profile | None:
        """Keep the details if their version is still the present one; None else."""
        ...


class Profiles:
    """The viewer's own profile, and changes of it."""

    def __init__(self, store: ProfileStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def of_viewer(self, viewer: Viewer) -> Profile | None:
        """The viewer's own data; None when signed out."""
        return None if viewer.user_id is None else await self._store.profile(viewer)

    async def update(self, viewer: Viewer, version: int, changes: Mapping[str, Any]) -> Profile:
        """Change some details, by their names in PersonalDetails; None takes one back.

        Raises Unauthenticated, VersionConflict, InvalidInput.
        """
        profile = await self.of_viewer(viewer)
        if profile is None:
            raise Unauthenticated
        if profile.details.version != version:
            raise VersionConflict
        checked = replace(profile.details, **changes).checked(self._clock.now().date())
        stored = await self._store.store(viewer, checked)
        if stored is None:
            raise VersionConflict
        return stored
