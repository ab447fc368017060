"""What a client is told of an error: a refusal with its code, or, for what was not foreseen, a reference to the log."""

import logging
import secrets
from collections.abc import Callable, Sequence
from typing import Any

from graphql import GraphQLError

log = logging.getLogger("torii.errors")

INTERNAL = "INTERNAL_SERVER_ERROR"
TIMEOUT = "TIMEOUT"
UNAVAILABLE = "SERVICE_UNAVAILABLE"
BAD_REQUEST = "BAD_REQUEST"
GRAPHQL_INVALID = "GRAPHQL_VALIDATION_FAILED"

Explain = Callable[[BaseException], dict[str, Any] | None]
"""The message and extensions for an expected exception, as `{"message", "extensions"}`; None for any other."""

ExplainTo = Callable[[Any, BaseException], dict[str, Any] | None]
"""The same for whoever is behind a context: it decides the language."""


def formatted(errors: Sequence[GraphQLError], explain: Explain) -> list[dict[str, Any]]:
    """Errors as the response carries them. An unforeseen one is masked, and logged under the reference it shows."""
    return [_formatted(error, explain) for error in errors]


def _formatted(error: GraphQLError, explain: Explain) -> dict[str, Any]:
    answer: dict[str, Any] = dict(error.formatted)
    cause = error.original_error
    if cause is None:  # the document's or the variables' own fault
        answer["extensions"] = {"code": GRAPHQL_INVALID} | (error.extensions or {})
        return answer
    blames_client = error.path is None or (isinstance(cause, GraphQLError) and bool(cause.nodes))
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    explained = explain(cause)
    if explained is not None:
        return answer | explained
    if isinstance(cause, GraphQLError) and blames_client:  # else it is about our own value, and quotes it
        answer["extensions"] = {"code": GRAPHQL_INVALID} | (cause.extensions or {})
        return answer
    reference = secrets.token_hex(8)
    log.error("unexpected error %s at %s", reference, error.path, exc_info=cause)
    return answer | {"message": "Something went wrong.", "extensions": {"code": INTERNAL, "reference": reference}}
