"""A token that clients without an account keep: sent and handed out as a header, or as a cookie by browsers."""

from dataclasses import dataclass

from engine.asked import Asked


@dataclass(frozen=True, slots=True)
class KeptToken:
    """How a token travels. `lifetime_s`: how long a browser keeps it. Scripts cannot read the cookie; the header is for others."""

    header: str
    cookie: str
    lifetime_s: int

    def sent(self, asked: Asked) -> str | None:
        """The token that came with a request; nobody has vouched for it."""
        return asked.header(self.header.encode()) or asked.cookie(self.cookie)

    def hand_out(self, token: str, headers: dict[str, str], *, secure: bool) -> None:
        """Write it into the headers of an answer. `secure`: browsers send it over HTTPS alone."""
        cookie = f"{self.cookie}={token}; Max-Age={self.lifetime_s}; Path=/; HttpOnly; SameSite=Lax"
        headers[self.header] = token
        headers["set-cookie"] = f"{cookie}; Secure" if secure else cookie
