"""From token to viewer, and what a viewer may see of users."""

from collections import OrderedDict
from collections.abc import Sequence
from uuid import UUID

from domain.accounts.model import Author, Identity
from domain.accounts.ports import Directory, Tokens, Users
from domain.sellers.service import Sellers
from domain.shared.ids import UserId
from domain.shared.refusals import Unavailable
from domain.shared.viewer import Role, Viewer

ADMIN_GROUP = "admin"
MAX_KNOWN = 10_000
"""Users whose id is remembered, about 200 bytes each."""


class Accounts:
    def __init__(self, tokens: Tokens, directory: Directory, users: Users, sellers: Sellers) -> None:
        self._tokens = tokens
        self._directory = directory
        self._users = users
        self._sellers = sellers
        self._known: OrderedDict[str, UserId] = OrderedDict()

    async def viewer(self, token: str | None, guest_id: UUID | None) -> Viewer:
        """Who is behind a request. No token is a guest; a bad one is refused, never taken for a guest.

        Raises InvalidToken.
        """
        if token is None:
            return Viewer(guest_id=guest_id)
        identity = await self._tokens.verify(token)
        user_id = await self._user_id(identity)
        role = Role.ADMIN if ADMIN_GROUP in identity.groups else Role.USER
        try:
            employers = tuple(await self._sellers.employers_of(user_id))
        except Unavailable:  # fewer rights for now, so that whatever needs none of them still answers
            employers = ()
        return Viewer(role, user_id, guest_id, employers)

    async def _user_id(self, identity: Identity) -> UserId:
        """A subject's id never changes, so it is asked for once."""
        known = self._known.get(identity.subject)
        if known is None:
            known = await self._users.id_of(identity.subject) or await self._first_seen(identity)
            self._known[identity.subject] = known
            if len(self._known) > MAX_KNOWN:
                self._known.popitem(last=False)
        return known

    async def _first_seen(self, identity: Identity) -> UserId:
        return await self._users.first_seen(await self._directory.user(identity))

    async def authors(self, ids: Sequence[UserId]) -> Sequence[Author | None]:
        return await self._users.authors(ids)
