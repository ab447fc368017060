"""The mutations by which people sign up, in and out and change their credentials.

`limit` names the rate limit that a call counts towards. Those with `ignores_bearer` bring credentials of their own: they run
although the bearer token of the request has expired, as long as nothing else is asked in the same operation.
"""

import strawberry

from domain.accounts.model import ChallengeAnswer
from engine.declared.fields import mutation, taking
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


async def _passkey_registration_start(info: Info) -> object:
    return await identity.begin_passkey(info)


@strawberry.type(description="Part of the root `Mutation`.")
class IdentityMutations:
    account_register: AccountRegisterPayload = mutation(
        taking(
            lambda info, given: identity.register(info, given.email, given.password),
            AccountRegisterInput,
            "What it takes.",
        ),
        access=PUBLIC,
        limit="sign-up",
        ignores_bearer=True,
        graphql_type=AccountRegisterPayload,
        description="Signs somebody up and mails a code. The answer is the same for an address that is known.",
    )
    account_confirm: AccountConfirmPayload = mutation(
        taking(
            lambda info, given: identity.confirm(info, given.email, given.code), AccountConfirmInput, "What it takes."
        ),
        access=PUBLIC,
        limit="code-entry",
        ignores_bearer=True,
        graphql_type=AccountConfirmPayload,
        description="Confirms an address by the code that was mailed to it; then one can sign in.",
    )
    account_confirmation_resend: AccountConfirmationResendPayload = mutation(
        taking(
            lambda info, given: identity.resend(info, given.email), AccountConfirmationResendInput, "What it takes."
        ),
        access=PUBLIC,
        limit="code-mail",
        ignores_bearer=True,
        graphql_type=AccountConfirmationResendPayload,
        description="Mails another code, if an account waits for one. The answer does not tell.",
    )
    session_create: SessionCreatePayload = mutation(
        taking(
            lambda info, given: identity.sign_in(info, given.email, given.password),
            SessionCreateInput,
            "What it takes.",
        ),
        access=PUBLIC,
        limit="sign-in",
        ignores_bearer=True,
        graphql_type=SessionCreatePayload,
        description="Signs somebody in. All that fails is refused alike.",
    )
    session_challenge_answer: SessionChallengeAnswerPayload = mutation(
        taking(
            lambda info, given: identity.answer_challenge(
                info, ChallengeAnswer(given.kind, given.session, given.username, given.answer)
            ),
            SessionChallengeAnswerInput,
            "What it takes.",
        ),
        access=PUBLIC,
        limit="sign-in",
        ignores_bearer=True,
        graphql_type=SessionChallengeAnswerPayload,
        description="The next step of a sign-in that asked for something.",
    )
    session_refresh: SessionRefreshPayload = mutation(
        taking(lambda info, given: identity.refresh(info, given.refresh_token), SessionRefreshInput, "What it takes."),
        access=PUBLIC,
        limit="refresh",
        ignores_bearer=True,
        graphql_type=SessionRefreshPayload,
        description="Renews the access token. An expired one in the request's header does not hinder it.",
    )
    session_end: SessionEndPayload = mutation(
        taking(
            lambda info, given: identity.sign_out(info, given.refresh_token, given.everywhere),
            SessionEndInput,
            "What it takes.",
        ),
        access=SIGNED_IN,
        limit="sign-out",
        graphql_type=SessionEndPayload,
        description="Signs the viewer out, here or everywhere.",
    )
    password_change: PasswordChangePayload = mutation(
        taking(
            lambda info, given: identity.change_password(info, given.old_password, given.new_password),
            PasswordChangeInput,
            "What it takes.",
        ),
        access=SIGNED_IN,
        limit="credentials",
        graphql_type=PasswordChangePayload,
        description="Replaces the viewer's password.",
    )
    password_reset_request: PasswordResetRequestPayload = mutation(
        taking(
            lambda info, given: identity.request_reset(info, given.email), PasswordResetRequestInput, "What it takes."
        ),
        access=PUBLIC,
        limit="code-mail",
        ignores_bearer=True,
        graphql_type=PasswordResetRequestPayload,
        description="Mails a code to somebody who forgot the password. The answer is the same for an address that is not known.",
    )
    password_reset_confirm: PasswordResetConfirmPayload = mutation(
        taking(
            lambda info, given: identity.confirm_reset(info, given.email, given.code, given.password),
            PasswordResetConfirmInput,
            "What it takes.",
        ),
        access=PUBLIC,
        limit="code-entry",
        ignores_bearer=True,
        graphql_type=PasswordResetConfirmPayload,
        description="Sets another password by the code that was mailed.",
    )
    email_change_request: EmailChangeRequestPayload = mutation(
        taking(
            lambda info, given: identity.request_address(info, given.email), EmailChangeRequestInput, "What it takes."
        ),
        access=SIGNED_IN,
        limit="code-mail",
        graphql_type=EmailChangeRequestPayload,
        description="Mails a code to the viewer's next address. The present one stays until the code is entered.",
    )
    email_change_confirm: EmailChangeConfirmPayload = mutation(
        taking(
            lambda info, given: identity.confirm_address(info, given.code), EmailChangeConfirmInput, "What it takes."
        ),
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
        taking(
            lambda info, given: identity.complete_passkey(info, given.credential),
            PasskeyRegistrationCompleteInput,
            "What it takes.",
        ),
        access=SIGNED_IN,
        limit="credentials",
        graphql_type=PasskeyRegistrationCompletePayload,
        description="Keeps the passkey that the browser made.",
    )
    passkey_delete: PasskeyDeletePayload = mutation(
        taking(lambda info, given: identity.delete_passkey(info, given.id), PasskeyDeleteInput, "What it takes."),
        access=SIGNED_IN,
        limit="credentials",
        graphql_type=PasskeyDeletePayload,
        description="Removes a passkey of the viewer's.",
    )
