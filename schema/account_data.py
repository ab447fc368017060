"""All of one's data, and the end of the account."""

import strawberry
from strawberry.scalars import JSON

from engine.declared.fields import attribute
from engine.reading.secrecy import SENSITIVE
from schema.access import ASKERS_OWN, OWNER, PUBLIC
from schema.errors import UserError


@strawberry.type(description="What became of `accountExport`.")
class AccountExportPayload:
    ownership = ASKERS_OWN

    data: JSON | None = attribute(
        access=OWNER, description="All that is kept of the viewer; docs/accounts.md has its form."
    )
    user_errors: list[UserError] = attribute(access=PUBLIC, description="Why nothing was done.")


@strawberry.input(description="Deletes the viewer's account. It does not come back.")
class AccountDeleteInput:
    confirm: str = strawberry.field(
        metadata=SENSITIVE, description="Typed by the person: `DELETE`, or the account's mail address."
    )


@strawberry.type(description="What became of `accountDelete`.")
class AccountDeletePayload:
    ownership = ASKERS_OWN

    is_deleted: bool = attribute(
        access=PUBLIC, description="Whether the account is deleted; then nobody signs in to it."
    )
    is_erased: bool = attribute(
        access=PUBLIC, description="Whether every store has erased what it held; what is down does so later."
    )
    user_errors: list[UserError] = attribute(access=PUBLIC, description="Why nothing was done.")
