"""The viewer."""

from domain.accounts.model import Profile
from resolvers.context import Info


async def viewer(info: Info) -> Profile | None:
    return await info.context.services.accounts.profile(info.context.viewer)
