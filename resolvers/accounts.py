"""The viewer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domain.accounts.model import Profile
from resolvers.context import Info
from resolvers.errors import UserError, outcome_or_refusal
from resolvers.inputs import given

TOLD = ("display_name", "avatar_url", "birth_date", "gender", "phone_number")


async def viewer(info: Info) -> Profile | None:
    return await info.context.services.profiles.of_viewer(info.context.viewer)


@dataclass(frozen=True, slots=True)
class ProfilePayload:
    """What `profileUpdate` shows."""

    viewer: Profile | None
    user_errors: Sequence[UserError]


async def update_profile(info: Info, change: Any) -> ProfilePayload:
    context = info.context
    profile, refusals = await outcome_or_refusal(
        info,
        lambda: context.services.profiles.update(context.viewer, change.expected_version, given(change, TOLD)),
    )
    return ProfilePayload(profile, refusals)
