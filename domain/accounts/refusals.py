"""Why the marketplace, or its user pool, says no to whoever signs up, signs in or changes how they sign in.

No text has an address, a code, a password or a token in it.
"""

from domain.accounts.passwords import PasswordRule
from domain.shared.refusals import NotFound, Refusal


class InvalidToken(Refusal):
    """The bearer token is not one that this gateway accepts. Says no more, so that nothing can be probed."""

    code = "UNAUTHENTICATED"

    def __init__(self) -> None:
        super().__init__(key="invalid_token")


class InvalidCredentials(Refusal):
    """The one answer to every sign-in that fails, so that it does not tell whose addresses are known here."""

    code = "INVALID_CREDENTIALS"


class RefreshRefused(Refusal):
    """A refresh token that no longer renews anything: expired, taken back, or never ours."""

    code = "SESSION_ENDED"

    def __init__(self) -> None:
        super().__init__(field=("refreshToken",))


class WrongPassword(Refusal):
    """The password that is to be replaced is another one. The pool says the same of a session it has ended."""

    code = "WRONG_PASSWORD"

    def __init__(self) -> None:
        super().__init__(field=("oldPassword",))


class InvalidCode(Refusal):
    """A code that is wrong or no longer good; to somebody who is signed out the two are not told apart."""

    code = "INVALID_CODE"

    def __init__(self) -> None:
        super().__init__(field=("code",))


class CodeExpired(Refusal):
    """A code that was right, too late."""

    code = "CODE_EXPIRED"

    def __init__(self) -> None:
        super().__init__(field=("code",))


class WeakPassword(Refusal):
    """A password that the policy does not allow. `missing` is empty where only the pool knows why, as for a reused one."""

    code = "WEAK_PASSWORD"

    def __init__(self, missing: tuple[PasswordRule, ...] = (), *, field: str = "password") -> None:
        super().__init__(field=(field,))
        self.missing = missing


class TooManyAttempts(Refusal):
    """The user pool wants a pause before it takes another try, and does not say how long."""

    code = "RATE_LIMITED"

    def __init__(self) -> None:
        super().__init__(key="pool_pause", retryable=True)


class NotSupported(Refusal):
    """The user pool does not offer this."""

    code = "NOT_SUPPORTED"


class AddressTaken(Refusal):
    """Another user of the marketplace has the mail address that the pool gives for this one.

    Who owns which is for a person to settle: an address alone does not prove that the two are one.
    """

    code = "ADDRESS_TAKEN"


class PasskeyRefused(Refusal):
    """What the browser made does not fit the registration that was begun."""

    code = "PASSKEY_REFUSED"


class PasskeyNotBegun(PasskeyRefused):
    """There is no registration to complete, or no more."""

    def __init__(self) -> None:
        super().__init__(key="passkey_not_begun")


class PasskeyOfAnotherSite(PasskeyRefused):
    """Made for another relying party, page or app client."""

    def __init__(self) -> None:
        super().__init__(key="passkey_of_another_site")


class PasskeyNotFound(Refusal):
    """The viewer has no such passkey."""

    code = "NOT_FOUND"

    def __init__(self) -> None:
        super().__init__(key="passkey_not_found", field=("id",))


class SessionEnded(Refusal):
    """The session of this token was ended, here or from another device."""

    code = "UNAUTHENTICATED"

    def __init__(self) -> None:
        super().__init__(key="session_ended")


class SessionNotFound(NotFound):
    """No session of this user has the id: another's is not told apart from none."""

    def __init__(self) -> None:
        super().__init__(key="id_not_found", type="Session", field=("sessionId",))


class AccountSuspended(Refusal):
    """The marketplace has shut this user out."""

    code = "ACCOUNT_SUSPENDED"
