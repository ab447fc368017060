"""Refusals: what the business says no to. Each has a stable code that clients may rely on, and a text for people."""

from collections.abc import Sequence

from domain.shared.languages import Language
from domain.shared.messages import TEXTS


class Refusal(Exception):
    """A request that the business refuses.

    Parameters:
        message: English, for whoever runs the program. Without it the text is that of `key` in `domain/shared/messages.py`.
        key: which text; the code, unless given.
        field: the path of the input that is to blame.
        arguments: what the text names.
    """

    code = "REFUSED"

    def __init__(
        self,
        message: str | None = None,
        *,
        key: str | None = None,
        field: tuple[str, ...] = (),
        retryable: bool = False,
        **arguments: object,
    ) -> None:
        self._english = message
        self._key = key or self.code
        self._arguments = arguments
        super().__init__(self.message)
        self.field = field
        self.retryable = retryable

    @property
    def message(self) -> str:
        """The text in English, for logs and the command line."""
        return self.told(Language.EN)

    def told(self, language: Language) -> str:
        """The text in a language. A message that was given in English has in others the general text of its code."""
        if self._english is not None:
            if language is Language.EN or self.code not in TEXTS:
                return self._english
            return TEXTS[self.code].told(language, {})
        return TEXTS[self._key].told(language, self._arguments)


class InvalidInput(Refusal):
    """An argument is outside what is allowed."""

    code = "BAD_USER_INPUT"


class InvalidCursor(InvalidInput):
    """A cursor that was not made for this list."""

    code = "INVALID_CURSOR"

    def __init__(self) -> None:
        super().__init__(field=("after",))


class NotFound(Refusal):
    """What was asked for does not exist, or not for this viewer: the two are never told apart."""

    code = "NOT_FOUND"


class VersionConflict(Refusal):
    """The object is no longer as the client saw it: somebody changed it meanwhile. Nothing was done."""

    code = "VERSION_CONFLICT"

    def __init__(self) -> None:
        super().__init__(field=("expectedVersion",))


class Unavailable(Refusal):
    """A back end did not answer in time. The same request may work later."""

    code = "SERVICE_UNAVAILABLE"

    def __init__(self, service: str) -> None:
        super().__init__(service=service, retryable=True)


class Refusals(Refusal):
    """Several things at once, so that a form can show all of them. Never empty."""

    def __init__(self, parts: Sequence[Refusal]) -> None:
        self.code = parts[0].code
        super().__init__(parts[0].message, field=parts[0].field)
        self.parts = tuple(parts)


class Forbidden(Refusal):
    """The viewer, who is signed in, may not see or do this."""

    code = "FORBIDDEN"


class Unauthenticated(Refusal):
    """The viewer may not see or do this, or not before having signed in."""

    code = "UNAUTHENTICATED"
