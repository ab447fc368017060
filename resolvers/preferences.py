"""Preferences of the viewer."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from domain.accounts.preferences import Preferences
from resolvers.context import Info
from resolvers.errors import UserError, outcome_or_refusal

GROUPS = ("notifications", "privacy", "recommendations")


@dataclass(frozen=True, slots=True)
class PreferencesPayload:
    """What `preferencesUpdate` shows."""

    preferences: Preferences | None
    user_errors: Sequence[UserError]


async def update(info: Info, change: Any) -> PreferencesPayload:
    """Null is what is not given: no setting can be taken back."""
    given: dict[str, Any] = {
        name: value for name in ("language", "currency") if (value := getattr(change, name)) is not None
    }
    for name in GROUPS:
        group = getattr(change, name)
        if group is not None:
            given[name] = {each: value for each, value in asdict(group).items() if value is not None}
    context = info.context
    return PreferencesPayload(
        *await outcome_or_refusal(
            info, lambda: context.services.preferences.update(context.viewer, change.expected_version, given)
        )
    )
