"""Stripe's error envelope (docs.stripe.com/api/errors)."""

from typing import Any

Json = dict[str, Any]


class ApiError(Exception):
    """An answer that is no success. `details` go into the envelope beside type, code, message and param."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        details: Json | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.code = code
        self.param = param
        self.details = details or {}

    @property
    def body(self) -> Json:
        named = {"code": self.code, "param": self.param}
        present = {name: value for name, value in named.items() if value is not None}
        return {"error": {"type": self.kind, "message": self.message, **present, **self.details}}


def missing(kind: str, key: str, param: str = "id") -> ApiError:
    return ApiError(404, f"No such {kind}: '{key}'", code="resource_missing", param=param)


def unexpected_state(message: str, intent: Json) -> ApiError:
    return ApiError(400, message, code="payment_intent_unexpected_state", details={"payment_intent": intent})


def key_reused(message: str) -> ApiError:
    return ApiError(400, message, kind="idempotency_error")


def key_in_use(key: str) -> ApiError:
    message = f"There is currently another in-progress request using this idempotency key ({key}). Try again later."
    return ApiError(409, message, kind="idempotency_error", code="idempotency_key_in_use")


def rate_limited() -> ApiError:
    return ApiError(429, "Request rate limit exceeded.", code="rate_limit")


def broken() -> ApiError:
    return ApiError(500, "An unknown error occurred.", kind="api_error")
