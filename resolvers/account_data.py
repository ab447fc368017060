"""All of one's data, and the end of the account."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from resolvers.context import Info
from resolvers.errors import UserError, outcome_or_refusal


@dataclass(frozen=True, slots=True)
class ExportPayload:
    data: Any
    user_errors: Sequence[UserError]


@dataclass(frozen=True, slots=True)
class DeletePayload:
    is_deleted: bool
    is_erased: bool
    user_errors: Sequence[UserError]


async def export(info: Info) -> ExportPayload:
    context = info.context
    return ExportPayload(*await outcome_or_refusal(info, lambda: context.services.export.export(context.viewer)))


async def delete(info: Info, confirm: str) -> DeletePayload:
    context, services = info.context, info.context.services
    is_erased, refusals = await outcome_or_refusal(
        info,
        lambda: services.deletion.delete(
            context.viewer, services.profiles, services.accounts.end_all_sessions, confirm
        ),
    )
    return DeletePayload(is_erased is not None, bool(is_erased), refusals)
