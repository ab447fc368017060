"""Refusals: what the business says no to. Each has a stable code that clients may rely on."""


class Refusal(Exception):
    """A request that the business refuses. `field` is the path of the input that is to blame."""

    code = "REFUSED"

    def __init__(self, message: str, *, field: tuple[str, ...] = (), retryable: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.retryable = retryable


class InvalidInput(Refusal):
    """An argument is outside what is allowed."""

    code = "BAD_USER_INPUT"


class InvalidCursor(InvalidInput):
    """A cursor that was not made for this list."""

    code = "INVALID_CURSOR"

    def __init__(self) -> None:
        super().__init__("this cursor does not belong to this list: start again without it", field=("after",))


class NotFound(Refusal):
    """What was asked for does not exist, or not for this viewer: the two are never told apart."""

    code = "NOT_FOUND"


class Unavailable(Refusal):
    """A back end did not answer in time. The same request may work later."""

    code = "SERVICE_UNAVAILABLE"

    def __init__(self, service: str) -> None:
        super().__init__(f"{service} is not available right now", retryable=True)


class Forbidden(Refusal):
    """The viewer, who is signed in, may not see or do this."""

    code = "FORBIDDEN"

    def __init__(self) -> None:
        super().__init__("this is not for you to see or do")


class Unauthenticated(Refusal):
    """The viewer may not see or do this, or not before having signed in."""

    code = "UNAUTHENTICATED"

    def __init__(self) -> None:
        super().__init__("sign in first")
