"""What a client is told of an error: a refusal with its code, or, for what was not foreseen, a reference to the log."""

import logging
import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from graphql import GraphQLError

log = logging.getLogger("torii.errors")

INTERNAL = "INTERNAL_SERVER_ERROR"
TIMEOUT = "TIMEOUT"
UNAVAILABLE = "SERVICE_UNAVAILABLE"
UNAUTHENTICATED = "UNAUTHENTICATED"
BAD_REQUEST = "BAD_REQUEST"
GRAPHQL_INVALID = "GRAPHQL_VALIDATION_FAILED"

Explain = Callable[[BaseException], dict[str, Any] | None]
"""The message and extensions for an expected exception, as `{"message", "extensions"}`; None for any other."""

ExplainTo = Callable[[Any, BaseException], dict[str, Any] | None]
"""The same for whoever is behind a context: it decides the language."""


MAX_TOLD = 100
"""Errors of one answer: to find words for thousands of them takes longer than to find what they are about."""
MORE_ERRORS = "MORE_ERRORS"


def formatted(errors: Sequence[GraphQLError], explain: Explain) -> list[dict[str, Any]]:
    """Errors as the response carries them: the first ones, and how many more there are.

    An unforeseen one is masked, and logged under the reference it shows.
    """
    told = [_formatted(error, explain) for error in errors[:MAX_TOLD]]
    if len(errors) > MAX_TOLD:
        kinds = Counter(type(_cause(error)).__name__ for error in errors[MAX_TOLD:])
        log.warning("more errors in one answer than are told: %s", dict(kinds))
        more = len(errors) - MAX_TOLD
        told.append({"message": f"And {more:,} more errors.", "extensions": {"code": MORE_ERRORS, "more": more}})
    return told


def _cause(error: BaseException) -> BaseException:
    while isinstance(error, GraphQLError) and error.original_error is not None:
        error = error.original_error
    return error


def _formatted(error: GraphQLError, explain: Explain) -> dict[str, Any]:
    answer: dict[str, Any] = dict(error.formatted)
    cause = error.original_error
    if cause is None:  # the document's or the variables' own fault
        answer["extensions"] = {"code": GRAPHQL_INVALID} | (error.extensions or {})
        return answer
    blames_client = error.path is None or (isinstance(cause, GraphQLError) and bool(cause.nodes))
    root = _cause(cause)
    explained = explain(root)
    if explained is not None:
        return answer | explained
    if isinstance(root, GraphQLError) and blames_client:  # else it is about our own value, and quotes it
        answer["extensions"] = {"code": GRAPHQL_INVALID} | (root.extensions or {})
        return answer
    reference = secrets.token_hex(8)
    log.error("unexpected error %s at %s", reference, error.path, exc_info=root)
    return answer | {"message": "Something went wrong.", "extensions": {"code": INTERNAL, "reference": reference}}
