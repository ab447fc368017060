"""From token to viewer, and what a viewer may see of users."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from uuid import UUID

from domain.accounts.admins import ADMIN_GROUP
from domain.accounts.model import Author, Device, Identity, PoolUser, Session, Sighting, UserStanding
from domain.accounts.ports import Directory, Tokens, Users
from domain.accounts.refusals import AccountSuspended, SessionEnded
from domain.accounts.sessions import MEMORY_S, Sessions
from domain.shared.clock import Clock
from domain.shared.ids import SessionId, UserId
from domain.shared.refusals import Unavailable
from domain.shared.short_memory import ShortMemory
from domain.shared.viewer import Role, SignedIn, Viewer

UNKNOWN = Device()
OUTAGE_S = 300.0
"""How long a user who was here just before an outage of the database may go on with what does not need it."""


class Accounts:
    """Signature, session, suspension, membership and whether one is still an admin are looked at on each request.

    All but the signature are a second old at most.
    """

    def __init__(self, tokens: Tokens, directory: Directory, users: Users, sessions: Sessions, clock: Clock) -> None:
        self._tokens = tokens
        self._directory = directory
        self._users = users
        self._sessions = sessions
        self._clock = clock
        self._standings: ShortMemory[str, UserStanding | None] = ShortMemory(users.standings, age_s=MEMORY_S)

    async def viewer(self, token: str | None, guest_id: UUID | None, device: Device = UNKNOWN) -> Viewer:
        """Who is behind a request. No token is a guest; a bad one is refused, never taken for a guest.

        Raises InvalidToken, SessionEnded, AccountSuspended, AddressTaken, Unavailable.
        """
        if token is None:
            return Viewer(guest_id=guest_id)
        identity = await self._tokens.verify(token)
        self._sessions.expect(identity.session_id)
        standing = await self._standing(identity.subject) or await self._first_seen(identity)
        await self._sessions.admit(
            Sighting(identity.session_id, standing.user_id, identity.signed_in_at, self._clock.now(), device)
        )
        if standing.is_suspended:  # first: who is suspended is also signed out, and is told what the matter is
            raise AccountSuspended
        if standing.has_signed_out(identity.session_id, identity.signed_in_at):
            raise SessionEnded
        # Both: the group in a token is as old as the token, and a row alone makes nobody an admin of the pool.
        role = Role.ADMIN if ADMIN_GROUP in identity.groups and standing.is_admin else Role.USER
        sign_in = SignedIn(identity.session_id, identity.subject, identity.signed_in_at, identity.expires_at)
        return Viewer(role, standing.user_id, guest_id, standing.seller_ids, sign_in)

    async def user_of(self, token: str) -> Viewer:
        """Whose access token this is, before anything was asked with it. Raises InvalidToken, AddressTaken, Unavailable."""
        identity = await self._tokens.verify(token)
        standing = await self._standing(identity.subject) or await self._first_seen(identity)
        return Viewer(Role.USER, standing.user_id)

    async def why_not_any_more(self, viewer: Viewer) -> str | None:
        """Why somebody whom `viewer` let in some time ago has to come again; None while they need not.

        Those asked after in one turn of the event loop are looked up together. Raises Unavailable.
        """
        if viewer.sign_in is None:
            return None
        if self._clock.now() >= viewer.sign_in.expires_at:
            return "the access token expired"
        self._sessions.expect(viewer.sign_in.session_id)
        standing = await self._standing(viewer.sign_in.subject)
        if standing is None or standing.is_suspended:
            return "the account is suspended"
        has_signed_out = standing.has_signed_out(viewer.sign_in.session_id, viewer.sign_in.at)
        if has_signed_out or await self._sessions.is_revoked(viewer.sign_in.session_id):
            return "the session was ended"
        is_less = viewer.role is Role.ADMIN and not standing.is_admin
        return "what the account may do has changed" if is_less or standing.seller_ids != viewer.seller_ids else None

    async def end_session(self, viewer: Viewer, session_id: SessionId) -> None:
        """Sign out: no token of this session of the viewer's is good any more. Raises SessionNotFound, Unavailable."""
        await self._sessions.revoke(viewer, session_id)

    async def end_all_sessions(self, viewer: Viewer) -> None:
        """Sign out everywhere: whatever was signed in before now, whether it was ever seen here or not. Raises Unavailable."""
        if viewer.sign_in is None:
            return
        await self._users.sign_out(viewer, self._clock.now())
        self._standings.forget(viewer.sign_in.subject)
        await self._sessions.revoke_all(viewer)

    async def end_other_sessions(self, viewer: Viewer) -> None:
        """Sign out everywhere but here. Raises Unavailable, and then they have not ended."""
        if viewer.sign_in is None:
            return
        await self._users.sign_out(viewer, self._clock.now(), but=viewer.session_id)
        self._standings.forget(viewer.sign_in.subject)
        with suppress(Unavailable):  # they are over already
            await self._sessions.revoke_all(viewer, but=viewer.session_id)

    async def end_sessions_of(self, user: PoolUser, *, but: SessionId | None = None) -> None:
        """Sign a user of the pool out everywhere, for somebody who is not signed in here.

        Raises AddressTaken, InvalidToken, Unavailable.
        """
        # The row is made where there is none: a sign-in that was not used here yet is over too.
        viewer = Viewer(Role.USER, await self._users.first_seen(user))
        await self._users.sign_out(viewer, self._clock.now(), but=but)
        self._standings.forget(user.subject)
        with suppress(Unavailable):
            await self._sessions.revoke_all(viewer, but=but)

    async def end_sessions_at(self, name: str) -> None:
        """Sign out everywhere whom the pool knows by a name or address. Raises AddressTaken, InvalidToken, Unavailable."""
        user = await self._directory.at_address(name)
        if user is not None:
            await self.end_sessions_of(user)

    async def sessions_of(self, viewer: Viewer) -> Sequence[Session]:
        """The viewer's sessions that have not ended, the last used first; at most 50. Raises Unavailable."""
        if viewer.sign_in is None:
            return ()
        sessions, standing = await asyncio.gather(
            self._sessions.of_viewer(viewer), self._standing(viewer.sign_in.subject)
        )
        return [each for each in sessions if not (standing and standing.has_signed_out(each.id, each.created_at))]

    async def has_ended(self, identity: Identity) -> bool:
        """Whether the sign-in that a token comes of was ended here, whatever the pool says. Raises Unavailable."""
        standing = await self._standing(identity.subject)
        if standing is not None and standing.has_signed_out(identity.session_id, identity.signed_in_at):
            return True
        return await self._sessions.is_revoked(identity.session_id)

    async def _standing(self, subject: str) -> UserStanding | None:
        """How a user stands; through an outage as last known, but without acting for sellers or as an admin."""
        try:
            return await self._standings.get(subject)
        except Unavailable:
            known = self._standings.last(subject, OUTAGE_S)
            if known is None:
                raise
            return replace(known, seller_ids=(), is_admin=False)

    async def _first_seen(self, identity: Identity) -> UserStanding:
        user_id = await self._users.first_seen(await self._directory.user(identity))
        standing = UserStanding(user_id, is_suspended=False, seller_ids=())  # nobody can have suspended or hired it yet
        self._standings.set(identity.subject, standing)
        return standing

    async def authors(self, ids: Sequence[UserId]) -> Sequence[Author | None]:
        return await self._users.authors(ids)
