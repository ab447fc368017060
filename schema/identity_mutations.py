"""The mutations by which people sign up, in and out and change their credentials.

`limit` names the rate limit that a call counts towards. Those with `ignores_bearer` bring credentials of their own: they run
although the bearer token of the request has expired, as long as nothing else is asked in the same operation.
"""

from typing import Annotated

import strawberry

from domain.accounts.model import ChallengeAnswer
from engine.declared.fields import mutation
from resolvers import identity
from resolvers.context import Info
from schema.access import PUBLIC, SIGNED_IN
from schema.identity import (
    AccountConfirmationResendInput,
    AccountConfirmationResendPayload,
    AccountConfirmInput,
    AccountConfirmPayload,
    AccountRegisterInput,
    AccountRegisterPayload,
    EmailChangeConfirmInput,
    EmailChangeConfirmPayload,
    EmailChangeRequestInput,
    EmailChangeRequestPayload,
    PasskeyDeleteInput,
    PasskeyDeletePayload,
    PasskeyRegistrationCompleteInput,
    PasskeyRegistrationCompletePayload,
    PasskeyRegistrationStartPayload,
    PasswordChangeInput,
    PasswordChangePayload,
    PasswordResetConfirmInput,
    PasswordResetConfirmPayload,
    PasswordResetRequestInput,
    PasswordResetRequestPayload,
    SessionChallengeAnswerInput,
    SessionChallengeAnswerPayload,
    SessionCreateInput,
    SessionCreatePayload,
    SessionEndInput,
    SessionEndPayload,
    SessionRefreshInput,
    SessionRefreshPayload,
)


async def _account_register(
    info: Info, input: Annotated[AccountRegisterInput, strawberry.argument(description="What it takes.")]
) -> object:
    return await identity.register(info, input.email, input.password)


async def _account_confirm(
    info: Info, input: Annotated[AccountConfirmInput, strawberry.argument(description="What it takes.")]
) -> object:
    return await identity.confirm(info, input.email, input.code)


async def _account_confirmation_resend(
    info: Info, input: Annotated[AccountConfirmationResendInput, strawberry.argument(description="What it takes.")]
) -> object:
    return await identity.resend(info, input.email)


async def _session_create(
    info: Info, input: Annotated[SessionCreateInput, strawberry.argument(description="What it takes.")]
) -> object:
    return await identity.sign_in(info, input.email, input.password)


async def _session_challenge_answer(
    info: Info, input: Annotated[SessionChallengeAnswerInput, strawberry.argument(description="What it takes.")]
) -> object:
    return await identity.answer_challenge(
        info, ChallengeAnswer(input.kind, input.session, input.username, input.answer)
    )


async def _session_refresh(
    info: Info, input: Annotated[SessionRefreshInput, strawberry.argument(description="What it takes.")]
) -> object:
    return await identity.refresh(info, input.refresh_token)


async def _session_end(
    info: Info, input: Annotated[SessionEndInput, strawberry.argument(description="What it takes.")]
) -> object:
    return await identity.sign_out(info, input.refresh_token, input.everywhere)


async def _password_change(
    info: Info, input: Annotated[PasswordChangeInput, strawberry.argument(description="What it takes.")]
) -> object:
    return await identity.change_password(info, input.old_password, input.new_password)


async def _password_reset_request(
    info: Info, input: Annotated[PasswordResetRequestInput, strawberry.argument(description="What it takes.")]
) -> object:
    return await identity.request_reset(info, input.email)


async def _password_reset_confirm(
    info: Info, input: Annotated[PasswordResetConfirmInput, strawberry.argument(description="What it takes.")]
) -> object:
    return await identity.confirm_reset(info, input.email, input.code, input.password)


async def _email_change_request(
    info: Info, input: Annotated[EmailChangeRequestInput, strawberry.argument(description="What it takes.")]
) -> object:
    return await identity.request_address(info, input.email)


async def _email_change_confirm(
    info: Info, input: Annotated[EmailChangeConfirmInput, strawberry.argument(description="What it takes.")]
) -> object:
    return await identity.confirm_address(info, input.code)


async def _passkey_registration_start(info: Info) -> object:
    return await identity.begin_passkey(info)


async def _passkey_registration_complete(
    info: Info, input: Annotated[PasskeyRegistrationCompleteInput, strawberry.argument(description="What it takes.")]
) -> object:
    return await identity.complete_passkey(info, input.credential)


async def _passkey_delete(
    info: Info, input: Annotated[PasskeyDeleteInput, strawberry.argument(description="What it takes.")]
) -> object:
    return await identity.delete_passkey(info, input.id)


@strawberry.type(description="Part of the root `Mutation`.")
class IdentityMutations:
    account_register: AccountRegisterPayload = mutation(
        _account_register,
        access=PUBLIC,
        limit="sign-up",
        ignores_bearer=True,
        graphql_type=AccountRegisterPayload,
        description="Signs somebody up and mails a code. The answer is the same for an address that is known.",
    )
    account_confirm: AccountConfirmPayload = mutation(
        _account_confirm,
        access=PUBLIC,
        limit="code-entry",
        ignores_bearer=True,
        graphql_type=AccountConfirmPayload,
        description="Confirms an address by the code that was mailed to it; then one can sign in.",
    )
    account_confirmation_resend: AccountConfirmationResendPayload = mutation(
        _account_confirmation_resend,
        access=PUBLIC,
        limit="code-mail",
        ignores_bearer=True,
        graphql_type=AccountConfirmationResendPayload,
        description="Mails another code, if an account waits for one. The answer does not tell.",
    )
    session_create: SessionCreatePayload = mutation(
        _session_create,
        access=PUBLIC,
        limit="sign-in",
        ignores_bearer=True,
        graphql_type=SessionCreatePayload,
        description="Signs somebody in. All that fails is refused alike.",
    )
    session_challenge_answer: SessionChallengeAnswerPayload = mutation(
        _session_challenge_answer,
        access=PUBLIC,
        limit="sign-in",
        ignores_bearer=True,
        graphql_type=SessionChallengeAnswerPayload,
        description="The next step of a sign-in that asked for something.",
    )
    session_refresh: SessionRefreshPayload = mutation(
        _session_refresh,
        access=PUBLIC,
        limit="refresh",
        ignores_bearer=True,
        graphql_type=SessionRefreshPayload,
        description="Renews the access token. An expired one in the request's header does not hinder it.",
    )
    session_end: SessionEndPayload = mutation(
        _session_end,
        access=SIGNED_IN,
        limit="sign-out",
        graphql_type=SessionEndPayload,
        description="Signs the viewer out, here or everywhere.",
    )
    password_change: PasswordChangePayload = mutation(
        _password_change,
        access=SIGNED_IN,
        limit="credentials",
        graphql_type=PasswordChangePayload,
        description="Replaces the viewer's password.",
    )
    password_reset_request: PasswordResetRequestPayload = mutation(
        _password_reset_request,
        access=PUBLIC,
        limit="code-mail",
        ignores_bearer=True,
        graphql_type=PasswordResetRequestPayload,
        description="Mails a code to somebody who forgot the password. The answer is the same for an address that is not known.",
    )
    password_reset_confirm: PasswordResetConfirmPayload = mutation(
        _password_reset_confirm,
        access=PUBLIC,
        limit="code-entry",
        ignores_bearer=True,
        graphql_type=PasswordResetConfirmPayload,
        description="Sets another password by the code that was mailed.",
    )
    email_change_request: EmailChangeRequestPayload = mutation(
        _email_change_request,
        access=SIGNED_IN,
        limit="code-mail",
        graphql_type=EmailChangeRequestPayload,
        description="Mails a code to the viewer's next address. The present one stays until the code is entered.",
    )
    email_change_confirm: EmailChangeConfirmPayload = mutation(
        _email_change_confirm,
        access=SIGNED_IN,
        limit="code-entry",
        graphql_type=EmailChangeConfirmPayload,
        description="Replaces the viewer's mail address by the one that the code was mailed to.",
    )
    passkey_registration_start: PasskeyRegistrationStartPayload = mutation(
        _passkey_registration_start,
        access=SIGNED_IN,
        limit="credentials",
        graphql_type=PasskeyRegistrationStartPayload,
        description="Begins to make a passkey: what the browser needs for it.",
    )
    passkey_registration_complete: PasskeyRegistrationCompletePayload = mutation(
        _passkey_registration_complete,
        access=SIGNED_IN,
        limit="credentials",
        graphql_type=PasskeyRegistrationCompletePayload,
        description="Keeps the passkey that the browser made.",
    )
    passkey_delete: PasskeyDeletePayload = mutation(
        _passkey_delete,
        access=SIGNED_IN,
        limit="credentials",
        graphql_type=PasskeyDeletePayload,
        description="Removes a passkey of the viewer's.",
    )
