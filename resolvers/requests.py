"""Who is behind a request: its bearer token, its guest identity, and the context they make."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol
from uuid import UUID

from domain.accounts.model import Device
from domain.accounts.refusals import InvalidToken, SessionEnded
from domain.shared.languages import Language
from domain.shared.refusals import Refusal, Unavailable
from domain.shared.viewer import Viewer
from engine.transport.asked import Asked
from engine.transport.contexts import ContextRefused
from engine.transport.kept_token import ClientToken, HandedOut, KeptToken
from engine.transport.socket_watch import Verdict
from resolvers.context import Context
from resolvers.errors import explain
from resolvers.languages import accepted
from resolvers.services import Services

GUEST = KeptToken(header="x-guest-token", cookie="torii_guest", lifetime_s=30 * 24 * 3600)
DEVICE = KeptToken(header="x-device-token", cookie="torii_device", lifetime_s=180 * 24 * 3600)
BEARER = "bearer "
MAX_USER_AGENT = 256
"""Characters that are kept."""


class Guests(Protocol):
    """Mints and reads guest identities."""

    def mint(self) -> tuple[UUID, str]: ...

    def read(self, token: str) -> UUID | None: ...

    def renewed(self, token: str) -> str | None: ...


class Contexts:
    """Makes the context of each operation. `secure` marks cookies as for HTTPS only."""

    def __init__(self, services: Services, guests: Guests, *, secure: bool) -> None:
        self._services = services
        self._guests = guests
        self._guest, self._device = (replace(each, secure=secure) for each in (GUEST, DEVICE))

    async def of_request(self, asked: Asked) -> Context:
        """Raises ContextRefused for a bearer token that is not good."""
        language = accepted(asked.header(b"accept-language"))
        authorization = asked.header(b"authorization")
        sent = GUEST.sent(asked)
        guest_id = self._guests.read(sent) if sent else None
        viewer = await self._viewer(asked, authorization, guest_id, language)
        device = ClientToken(self._device, asked)
        context = Context(self._services, viewer, self._mint, language, _bearer(authorization), asked.address, device)
        if sent:
            self._keep_guest(sent, context.handed_out)
        return context

    async def of_socket(self, asked: Asked, payload: Mapping[str, Any]) -> Context:
        """From `connection_init`, whose payload may carry `Authorization`, `X-Guest-Token` and `Accept-Language`.

        A guest's token may also come with the opening request, as browsers send their cookie. Raises ContextRefused.
        """
        sent = {str(name).lower(): value for name, value in payload.items()}
        authorization = sent.get("authorization")
        wished = sent.get("accept-language")
        language = accepted(wished if isinstance(wished, str) else asked.header(b"accept-language"))
        sent_token = authorization if isinstance(authorization, str) else None
        kept = sent.get(GUEST.header)
        token = kept if isinstance(kept, str) else GUEST.sent(asked)
        viewer = await self._viewer(asked, sent_token, self._guests.read(token) if token else None, language)
        bearer, device = _bearer(sent_token), ClientToken(self._device, asked)
        return Context(self._services, viewer, language=language, bearer=bearer, address=asked.address, device=device)

    async def still_allowed(self, contexts: Sequence[Context]) -> Sequence[Verdict]:
        """Which of these contexts, made some time ago, are still good."""
        found = await asyncio.gather(*(self._verdict(context) for context in contexts))
        return list(found)

    async def _verdict(self, context: Context) -> Verdict:
        try:
            return await self._services.accounts.why_not_any_more(context.viewer)
        except Unavailable as outage:
            return ContextRefused(503, _error(outage, context.language))

    async def _viewer(
        self, asked: Asked, authorization: str | None, guest_id: UUID | None, language: Language
    ) -> Viewer:
        try:
            return await self._services.accounts.viewer(_bearer(authorization), guest_id, _device(asked))
        except (InvalidToken, SessionEnded) as refusal:
            guest = Viewer(guest_id=guest_id)
            device = ClientToken(self._device, asked)
            nobody = Context(self._services, guest, self._mint, language, address=asked.address, device=device)
            raise ContextRefused(401, _error(refusal, language), nobody) from refusal
        except Unavailable as outage:
            raise ContextRefused(503, _error(outage, language)) from outage
        except Refusal as refusal:
            raise ContextRefused(403, _error(refusal, language)) from refusal

    def _keep_guest(self, sent: str, handed_out: HandedOut) -> None:
        """A guest who comes back keeps the identity: its token is made anew before it ends."""
        renewed = self._guests.renewed(sent)
        if renewed:
            handed_out[self._guest] = renewed

    def _mint(self, handed_out: HandedOut) -> UUID:
        guest_id, token = self._guests.mint()
        handed_out[self._guest] = token
        return guest_id


def _bearer(authorization: str | None) -> str | None:
    """The token of the header; None without one. Raises InvalidToken for another scheme."""
    if not authorization:
        return None
    if not authorization.lower().startswith(BEARER):
        raise InvalidToken
    return authorization[len(BEARER) :].strip()


def _device(asked: Asked) -> Device:
    """The address is the client's own where the proxy in front is a trusted one (`TORII_TRUSTED_PROXIES`)."""
    agent = (asked.header(b"user-agent") or "")[:MAX_USER_AGENT]
    return Device(asked.address, agent or None)


def _error(refusal: Refusal, language: Language) -> dict[str, Any]:
    explained = explain(refusal, language)
    assert explained is not None
    return explained
