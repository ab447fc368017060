"""A token that clients without an account keep: sent and handed out as a header, or as a cookie by browsers."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.transport.asked import Asked


@dataclass(frozen=True, slots=True)
class KeptToken:
    """How a token travels. `lifetime_s`: how long a browser keeps it. Scripts cannot read the cookie; the header is for others.

    `secure`: browsers send the cookie over HTTPS alone.
    """

    header: str
    cookie: str
    lifetime_s: int
    secure: bool = False

    def sent(self, asked: Asked) -> str | None:
        """The token that came with a request; nobody has vouched for it."""
        return asked.header(self.header.encode()) or asked.cookie(self.cookie)

    def headers(self, token: str) -> Sequence[tuple[bytes, bytes]]:
        """What hands a token out."""
        cookie = f"{self.cookie}={token}; Max-Age={self.lifetime_s}; Path=/; HttpOnly; SameSite=Lax"
        told = f"{cookie}; Secure" if self.secure else cookie
        return (self.header.encode(), token.encode()), (b"set-cookie", told.encode())


HandedOut = dict[KeptToken, str]
"""What an answer hands out: of each kind the last."""


@dataclass(frozen=True, slots=True)
class ClientToken:
    """A kind of token, and the client that may have sent one: it is looked for when it is asked for."""

    kept: KeptToken
    asked: Asked

    def sent(self) -> str | None:
        return self.kept.sent(self.asked)
