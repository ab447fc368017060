"""Refusals of the domain as clients see them: in queries as GraphQL errors, in mutations as `userErrors`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from domain.shared.languages import Language
from domain.shared.refusals import Refusal, Refusals, Unavailable
from resolvers.context import Context, Info

T = TypeVar("T")


def explain_to(context: Context, error: BaseException) -> dict[str, Any] | None:
    """As `explain`, in the language of the operation."""
    return explain(error, context.language)


def explain(error: BaseException, language: Language) -> dict[str, Any] | None:
    """What to tell of an expected exception; None for one that is to be masked."""
    if not isinstance(error, Refusal):
        return None
    extensions: dict[str, Any] = {"code": error.code}
    if error.field:
        extensions["field"] = list(error.field)
    if error.retryable:
        extensions["retryable"] = True
    return {"message": error.told(language), "extensions": extensions}


@dataclass(frozen=True, slots=True)
class UserError:
    """A refusal as data: an exception among the values of a list would be taken for a failed field."""

    code: str
    field: tuple[str, ...]
    message: str
    retryable: bool


async def outcome_or_refusal(info: Info, use_case: Callable[[], Awaitable[T]]) -> tuple[T | None, list[UserError]]:
    """What a use case gives, or the refusal that goes into `userErrors`. An outage stays an error of the response."""
    try:
        return await use_case(), []
    except Unavailable:
        raise
    except Refusal as refusal:
        language = info.context.language
        parts = refusal.parts if isinstance(refusal, Refusals) else (refusal,)
        return None, [UserError(part.code, part.field, part.told(language), part.retryable) for part in parts]
