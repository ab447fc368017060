"""Signing in, staying signed in, and signing out."""

import asyncio
from contextlib import suppress
from dataclasses import replace

from domain.accounts import inputs
from domain.accounts.attempts import Attempts
from domain.accounts.fresh_sign_in import FreshSignIn, is_done
from domain.accounts.model import Challenge, ChallengeAnswer, ChallengeKind, Identity, TokenSet
from domain.accounts.pace import Pace
from domain.accounts.pool_ports import SessionEnds, SignIns
from domain.accounts.ports import Directory, Tokens
from domain.accounts.refusals import RefreshRefused
from domain.shared.refusals import Refusal
from domain.shared.viewer import Viewer


class SignIn:
    def __init__(
        self,
        pool: SignIns,
        tokens: Tokens,
        directory: Directory,
        sessions: SessionEnds,
        pace: Pace,
        attempts: Attempts,
        fresh: FreshSignIn,
    ) -> None:
        self._pool = pool
        self._tokens = tokens
        self._directory = directory
        self._sessions = sessions
        self._pace = pace
        self._attempts = attempts
        self._fresh = fresh

    async def sign_in(self, email: str, password: str | None, device: str | None = None) -> TokenSet | Challenge:
        """By password, or without one by passkey: then the pool answers with a challenge for the browser.

        `device` is what the client has shown of earlier sign-ins. Raises InvalidInput, InvalidCredentials, RateLimited.
        """
        address = inputs.address(email)
        await self._attempts.count(address, device)
        if password is None:
            return await self._pace.keep(self._pool.sign_in_with_passkey(address))
        secret = inputs.secret(password, "password")
        outcome = await self._pace.keep(self._fresh.by_password(address, secret))
        if isinstance(outcome, Challenge):  # half a sign-in proves nothing yet
            return outcome
        return replace(outcome, device_token=self._attempts.remember(address, device))

    async def answer(self, answer: ChallengeAnswer, device: str | None = None) -> TokenSet | Challenge:
        """The next step of a sign-in. Raises InvalidInput, InvalidCredentials, InvalidCode, WeakPassword."""
        checked = replace(
            answer,
            session=inputs.secret(answer.session, "session"),
            username=inputs.secret(answer.username, "username"),
            answer=self._answer(answer),
        )
        return await self._pace.keep(self._answered(checked, device))

    async def _answered(self, answer: ChallengeAnswer, device: str | None) -> TokenSet | Challenge:
        outcome = await self._pool.answer(answer)
        if answer.kind is ChallengeKind.NEW_PASSWORD_REQUIRED:
            outcome = await self._after_new_password(outcome, answer.answer)
        if isinstance(outcome, Challenge):
            return outcome
        with suppress(Refusal):  # whoever has tokens gets them, and is a stranger the next time
            user = await self._directory.user(await self._tokens.verify(outcome.access_token))
            return replace(outcome, device_token=self._attempts.remember(inputs.address(user.email), device))
        return outcome

    async def _after_new_password(self, outcome: TokenSet | Challenge, password: str) -> TokenSet | Challenge:
        """What was signed in before ends, as after every new password; the pool gives other tokens for the first ones."""
        if isinstance(outcome, Challenge):  # the name is the pool's own, and the session proves it to be the user's
            await asyncio.gather(
                is_done(self._sessions.end_sessions_at(outcome.username)), self._fresh.take_back(outcome.username)
            )
            return outcome
        with suppress(Refusal):
            identity = await self._tokens.verify(outcome.access_token)
            await is_done(self._end_others(identity))
            return await self._fresh.by_new_password(identity.username, password) or outcome
        return outcome

    async def _end_others(self, identity: Identity) -> None:
        await self._sessions.end_sessions_of(await self._directory.user(identity), but=identity.session_id)

    @staticmethod
    def _answer(answer: ChallengeAnswer) -> str:
        if answer.kind is ChallengeKind.NEW_PASSWORD_REQUIRED:
            return inputs.new_password(answer.answer, "answer")
        if answer.kind is ChallengeKind.WEB_AUTHN:
            return inputs.json_object(answer.answer, "answer")
        return inputs.code(answer.answer)

    async def refresh(self, refresh_token: str) -> TokenSet:
        """Another access token for the same session. Raises InvalidInput, RefreshRefused.

        A pool that could not take the refresh token back when somebody signed out goes on renewing: no token of a session that
        ended here is handed out.
        """
        tokens = await self._pool.refresh(inputs.secret(refresh_token, "refreshToken"))
        if await self._sessions.has_ended(await self._tokens.verify(tokens.access_token)):
            raise RefreshRefused
        return tokens

    async def sign_out(self, viewer: Viewer, access_token: str, refresh_token: str | None, *, everywhere: bool) -> bool:
        """End the session of a bearer token here, and its refresh token at the pool; `everywhere`, all of the user's.

        Here it ends for certain, or this raises Unavailable and can be tried again. True when the pool, too, has taken back
        what it was asked to: a pool that cannot, or is away, keeps nobody signed in here. Raises InvalidToken, InvalidInput.
        """
        identity = await self._tokens.verify(access_token)
        sent = inputs.secret(refresh_token, "refreshToken") if refresh_token is not None else None
        taken_back = await self._take_back(access_token, sent, everywhere)
        # Last: afterwards the bearer is refused, and what failed could not be tried again.
        if everywhere:
            await self._sessions.end_all_sessions(viewer)
        else:
            await self._sessions.end_session(viewer, identity.session_id)
        return taken_back

    async def _take_back(self, access_token: str, refresh_token: str | None, everywhere: bool) -> bool:
        try:
            if everywhere:
                await self._pool.revoke_all(access_token)
            elif refresh_token is not None:
                await self._pool.revoke(refresh_token)
            else:
                return False
        except Refusal:  # it cannot, is away, or has no such token any more: here the session ends all the same
            return False
        return True
