"""Sessions in the schema, and the mutation that ends one."""

from datetime import datetime

import strawberry

from engine.declared.fields import attribute
from schema.access import ASKERS_OWN, OWNER, PUBLIC, Ownership, of_user
from schema.errors import UserError
from schema.relay import global_id


@strawberry.type(
    description="A sign-in of the viewer that has not ended: for 30 days its refresh token can bring it back."
)
class Session:
    ownership = Ownership(of_user(lambda session: session.user_id))

    id: strawberry.ID = global_id("Session", access=OWNER)
    is_current: bool = attribute(name="current", access=OWNER, description="Whether it is the one that asks.")
    is_active: bool = attribute(
        name="active", access=OWNER, description="Whether it is in use: its last request is less than 30 minutes ago."
    )
    created_at: datetime = attribute(access=OWNER, description="When the viewer signed in.")
    last_seen_at: datetime = attribute(access=OWNER, description="When it was last used, to the minute.")
    ip_address: str | None = attribute(access=OWNER, description="Where it was last used from.")
    user_agent: str | None = attribute(access=OWNER, description="What it was last used with, as that says itself.")


@strawberry.input(description="Ends a session.")
class SessionRevokeInput:
    session_id: strawberry.ID = strawberry.field(description="One of `viewer.sessions`.")


@strawberry.type(description="What became of `sessionRevoke`.")
class SessionRevokePayload:
    ownership = ASKERS_OWN

    session: Session | None = attribute(
        access=OWNER, description="The session as it was when it ended; null when nothing was done."
    )
    user_errors: list[UserError] = attribute(access=PUBLIC, description="Why nothing was done.")
