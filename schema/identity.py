"""Signing up, in and out in the schema: inputs and payloads."""

from datetime import datetime
from typing import Any

import strawberry

from domain.accounts import model
from domain.accounts.passwords import PasswordRule
from engine.declared.fields import attribute, private_input
from resolvers.identity import NextStep
from schema.access import ASKERS_OWN, OWNER, PUBLIC
from schema.carts import MERGED_LINES, CartWarning
from schema.errors import UserError

strawberry.enum(PasswordRule, description="What a password has to have.")
strawberry.enum(NextStep, description="What comes next.")
strawberry.enum(
    model.ChallengeKind,
    name="SessionChallengeKind",
    description="What a sign-in has to show besides, by Cognito's names.",
)


@strawberry.type(
    description="What the user pool asks for before it signs somebody in: answer with `sessionChallengeAnswer`."
)
class SessionChallenge:
    ownership = ASKERS_OWN

    kind: model.ChallengeKind = attribute(access=OWNER, description="What is asked for.")
    session: str = attribute(access=OWNER, description="To be sent back with the answer; good for some minutes.")
    username: str = attribute(access=OWNER, description="To be sent back with the answer.")
    options: str | None = attribute(access=OWNER, description="For WEB_AUTHN: JSON for `navigator.credentials.get`.")


@strawberry.type(description="A passkey of the viewer's.")
class Passkey:
    ownership = ASKERS_OWN

    id: strawberry.ID = attribute(access=OWNER, description="Names it, for `passkeyDelete`.")
    name: str = attribute(access=OWNER, description="What the pool calls it.")
    relying_party: str = attribute(access=OWNER, description="The site that it is for.")
    created_at: datetime = attribute(access=OWNER, description="When it was made.")


@strawberry.input(description="Signs somebody up.")
class AccountRegisterInput:
    email: str = private_input(description="Mail address, which a code is sent to.")
    password: str = private_input(description="From 8 characters, with a lower-case letter, a digit and a symbol.")


@strawberry.input(description="Proves that a mail address is the person's own.")
class AccountConfirmInput:
    email: str = private_input(description="The address.")
    code: str = private_input(description="What was mailed.")


@strawberry.input(description="Has the code for an address sent again.")
class AccountConfirmationResendInput:
    email: str = private_input(description="The address.")


@strawberry.input(description="Signs somebody in.")
class SessionCreateInput:
    email: str = private_input(description="Mail address.")
    password: str | None = private_input(default=None, description="Password; without one, a passkey is asked for.")


@strawberry.input(description="Answers what a sign-in asked for.")
class SessionChallengeAnswerInput:
    kind: model.ChallengeKind = strawberry.field(description="`kind` of the challenge.")
    session: str = private_input(description="`session` of the challenge.")
    username: str = private_input(description="`username` of the challenge.")
    answer: str = private_input(description="The code, the new password, or the browser's credential as JSON.")


@strawberry.input(description="Renews the access token.")
class SessionRefreshInput:
    refresh_token: str = private_input(description="From the sign-in.")


@strawberry.input(description="Signs the viewer out.")
class SessionEndInput:
    refresh_token: str | None = private_input(default=None, description="Taken back too, if it is sent along.")
    everywhere: bool = strawberry.field(default=False, description="On all devices.")


@strawberry.input(description="Replaces the viewer's password.")
class PasswordChangeInput:
    old_password: str = private_input(description="The present one.")
    new_password: str = private_input(description="The next one.")


@strawberry.input(description="Begins to replace a password that was forgotten.")
class PasswordResetRequestInput:
    email: str = private_input(description="Mail address, which a code is sent to if it is known.")


@strawberry.input(description="Replaces a password that was forgotten.")
class PasswordResetConfirmInput:
    email: str = private_input(description="Mail address.")
    code: str = private_input(description="What was mailed.")
    password: str = private_input(description="The new password.")


@strawberry.input(description="Begins to replace the viewer's mail address.")
class EmailChangeRequestInput:
    email: str = private_input(description="The next address, which a code is sent to.")


@strawberry.input(description="Proves that the next mail address is the viewer's own.")
class EmailChangeConfirmInput:
    code: str = private_input(description="What was mailed to the next address.")


@strawberry.input(description="Keeps a passkey that the browser made.")
class PasskeyRegistrationCompleteInput:
    credential: str = private_input(description="The browser's `PublicKeyCredential`, as JSON (`toJSON()`).")


@strawberry.input(description="Removes a passkey.")
class PasskeyDeleteInput:
    id: strawberry.ID = strawberry.field(description="The passkey.")


EXPIRES_IN = "Seconds that the access token is good for."
SESSIONS_ENDED = """Whether all of the user's sessions have ended, but for the one that asks. False where the password is the new one
and a back end was away: then `sessionEnd` with `everywhere` ends them."""


TOKENS_TO_GO_ON = """To go on with: the user pool has taken back all refresh tokens of before. Null where it gave none at once; then
the access token that asked is good until it expires."""


def _payload(of: str, *, takes_password: bool = False, ends_sessions: bool = False, gives_tokens: bool = False) -> Any:
    """A payload type: each mutation has its own, so that each can grow by itself."""

    class Payload:
        ownership = ASKERS_OWN

        next_step: NextStep | None = attribute(access=OWNER, description="What comes next; null when nothing was done.")
        user_errors: list[UserError] = attribute(access=PUBLIC, description="Why nothing was done.")
        if takes_password:
            missing: list[PasswordRule] = attribute(access=OWNER, description="What a refused password lacks.")
        if ends_sessions:
            sessions_ended: bool = attribute(access=OWNER, description=SESSIONS_ENDED)
        if gives_tokens:
            access_token: str | None = attribute(access=OWNER, description=TOKENS_TO_GO_ON)
            refresh_token: str | None = attribute(access=OWNER, description="Renews the access token for 30 days.")
            expires_in: int | None = attribute(access=OWNER, description=EXPIRES_IN)

    name = f"{of[0].upper()}{of[1:]}Payload"
    Payload.__name__ = name
    return strawberry.type(Payload, name=name, description=f"What became of `{of}`.")


AccountRegisterPayload = _payload("accountRegister", takes_password=True)
AccountConfirmPayload = _payload("accountConfirm")
AccountConfirmationResendPayload = _payload("accountConfirmationResend")
PasswordChangePayload = _payload("passwordChange", takes_password=True, ends_sessions=True, gives_tokens=True)
PasswordResetRequestPayload = _payload("passwordResetRequest")
PasswordResetConfirmPayload = _payload("passwordResetConfirm", takes_password=True, ends_sessions=True)
EmailChangeRequestPayload = _payload("emailChangeRequest")
EmailChangeConfirmPayload = _payload("emailChangeConfirm")


def _session_payload(of: str, *, asks: bool, takes_password: bool = False) -> Any:
    class Payload:
        ownership = ASKERS_OWN

        access_token: str | None = attribute(access=OWNER, description="For the header `Authorization: Bearer …`.")
        refresh_token: str | None = attribute(
            access=OWNER,
            description="Renews the access token for 30 days. Keep it where scripts cannot read it: an HttpOnly cookie.",
        )
        expires_in: int | None = attribute(access=OWNER, description=EXPIRES_IN)
        if asks:
            challenge: SessionChallenge | None = attribute(access=OWNER, description="What is asked for first.")
            merged_lines: list[strawberry.ID] = attribute(access=OWNER, description=MERGED_LINES)
            cart_warnings: list[CartWarning] = attribute(
                access=OWNER, description="What of the guest's cart could not be taken over as it was."
            )
        user_errors: list[UserError] = attribute(access=PUBLIC, description="Why nobody is signed in.")
        if takes_password:
            missing: list[PasswordRule] = attribute(access=OWNER, description="What a refused new password lacks.")

    name = f"{of[0].upper()}{of[1:]}Payload"
    Payload.__name__ = name
    return strawberry.type(Payload, name=name, description=f"What became of `{of}`.")


SessionCreatePayload = _session_payload("sessionCreate", asks=True)
SessionChallengeAnswerPayload = _session_payload("sessionChallengeAnswer", asks=True, takes_password=True)
SessionRefreshPayload = _session_payload("sessionRefresh", asks=False)


@strawberry.type(description="What became of `sessionEnd`.")
class SessionEndPayload:
    ownership = ASKERS_OWN

    ended: bool = attribute(
        access=OWNER, description="Whether the session is over: no token of it is accepted any more."
    )
    refresh_token_revoked: bool = attribute(
        access=OWNER, description="Whether the user pool, too, has taken back what it was asked to."
    )
    user_errors: list[UserError] = attribute(access=PUBLIC, description="Why nothing was done.")


@strawberry.type(description="What became of `passkeyRegistrationStart`.")
class PasskeyRegistrationStartPayload:
    ownership = ASKERS_OWN

    options: str | None = attribute(access=OWNER, description="JSON for `navigator.credentials.create`.")
    user_errors: list[UserError] = attribute(access=PUBLIC, description="Why nothing was begun.")


@strawberry.type(description="What became of `passkeyRegistrationComplete`.")
class PasskeyRegistrationCompletePayload:
    ownership = ASKERS_OWN

    passkeys: list[Passkey] | None = attribute(
        access=OWNER, description="All passkeys of the viewer's, the new one too."
    )
    user_errors: list[UserError] = attribute(access=PUBLIC, description="Why it was not kept.")


@strawberry.type(description="What became of `passkeyDelete`.")
class PasskeyDeletePayload:
    ownership = ASKERS_OWN

    deleted_id: strawberry.ID | None = attribute(access=OWNER, description="The passkey that is gone.")
    user_errors: list[UserError] = attribute(access=PUBLIC, description="Why it is still there.")
