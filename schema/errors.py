"""Refusals in the schema: why a mutation did nothing."""

from enum import StrEnum

import strawberry

from engine.declared.fields import attribute
from schema.access import PUBLIC


@strawberry.enum(description="Stable codes of refusals, for programs. A client treats one it does not know as REFUSED.")
class UserErrorCode(StrEnum):
    ADDRESS_INCOMPLETE = "ADDRESS_INCOMPLETE"
    ADDRESS_LIMIT = "ADDRESS_LIMIT"
    ADDRESS_TAKEN = "ADDRESS_TAKEN"
    ALREADY_SHIPPED = "ALREADY_SHIPPED"
    AMOUNT_TOO_SMALL = "AMOUNT_TOO_SMALL"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    CART_BUSY = "CART_BUSY"
    CART_EMPTY = "CART_EMPTY"
    CART_FULL = "CART_FULL"
    CODE_EXPIRED = "CODE_EXPIRED"
    CONFIRMATION_REQUIRED = "CONFIRMATION_REQUIRED"
    FAVORITE_LIMIT = "FAVORITE_LIMIT"
    IDEMPOTENCY_IN_PROGRESS = "IDEMPOTENCY_IN_PROGRESS"
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"
    ILLEGAL_MOVE = "ILLEGAL_MOVE"
    INSUFFICIENT_STOCK = "INSUFFICIENT_STOCK"
    INVALID_CODE = "INVALID_CODE"
    INVALID_CREDENTIALS = "INVALID_CREDENTIALS"
    INVALID_PHONE_NUMBER = "INVALID_PHONE_NUMBER"
    INVALID_POSTAL_CODE = "INVALID_POSTAL_CODE"
    INVALID_PREFECTURE = "INVALID_PREFECTURE"
    LINE_NOT_FOUND = "LINE_NOT_FOUND"
    LINE_UNAVAILABLE = "LINE_UNAVAILABLE"
    MIXED_CURRENCIES = "MIXED_CURRENCIES"
    NOT_FOUND = "NOT_FOUND"
    NOT_PAID = "NOT_PAID"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    NO_CART_OWNER = "NO_CART_OWNER"
    OUT_OF_STOCK = "OUT_OF_STOCK"
    PASSKEY_REFUSED = "PASSKEY_REFUSED"
    PRICE_CHANGED = "PRICE_CHANGED"
    PRODUCT_NOT_FOUND = "PRODUCT_NOT_FOUND"
    QUOTE_CHANGED = "QUOTE_CHANGED"
    RATE_LIMITED = "RATE_LIMITED"
    REFUND_EXCEEDS = "REFUND_EXCEEDS"
    REFUSED = "REFUSED"
    RETURN_WINDOW_CLOSED = "RETURN_WINDOW_CLOSED"
    SESSION_ENDED = "SESSION_ENDED"
    TOO_MANY_UNITS = "TOO_MANY_UNITS"
    TOO_MUCH_UNPAID = "TOO_MUCH_UNPAID"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    VARIATION_REQUIRED = "VARIATION_REQUIRED"
    VERSION_CONFLICT = "VERSION_CONFLICT"
    WEAK_PASSWORD = "WEAK_PASSWORD"
    WRONG_PASSWORD = "WRONG_PASSWORD"


@strawberry.type(description="Why a mutation did nothing.")
class UserError:
    code: UserErrorCode = attribute(access=PUBLIC, description="For programs.")
    field: list[str] | None = attribute(access=PUBLIC, description="Path of the input that is to blame.")
    message: str = attribute(access=PUBLIC, description="For people.")
    retryable: bool = attribute(access=PUBLIC, description="Whether the same request may work later.")
