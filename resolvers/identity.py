"""Signing up, in and out, and credentials: mutations that a front end needs nothing else beside.

A refusal is data. What acts on somebody who is signed in takes the bearer token of the request.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeVar

from domain.accounts.model import Challenge, ChallengeAnswer, NewPassword, Passkey, TokenSet
from domain.accounts.passwords import PasswordRule
from domain.accounts.refusals import InvalidToken, WeakPassword
from domain.carts.model import CartOutcome, CartWarning
from resolvers import carts
from resolvers.context import Info
from resolvers.errors import UserError, outcome_or_refusal

T = TypeVar("T")


class NextStep(StrEnum):
    """What a front end shows next."""

    ENTER_CODE = "ENTER_CODE"
    SIGN_IN = "SIGN_IN"
    DONE = "DONE"


@dataclass(frozen=True, slots=True)
class StepPayload:
    """What a mutation without an object of its own shows. `missing`: what a refused password lacks."""

    next_step: NextStep | None
    user_errors: Sequence[UserError]
    missing: Sequence[PasswordRule] = ()


@dataclass(frozen=True, slots=True)
class PasswordPayload(StepPayload):
    """Of the mutations that replace a password; tokens come with a changed one."""

    sessions_ended: bool = False
    access_token: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    expires_in: int | None = None


@dataclass(frozen=True, slots=True)
class SessionPayload:
    """Tokens, or what the pool asks for first, or why there is neither."""

    access_token: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    expires_in: int | None = None
    challenge: Challenge | None = None
    merged_lines: Sequence[str] = ()
    cart_warnings: Sequence[CartWarning] = ()
    user_errors: Sequence[UserError] = ()
    missing: Sequence[PasswordRule] = ()


@dataclass(frozen=True, slots=True)
class SessionEndPayload:
    ended: bool
    refresh_token_revoked: bool
    user_errors: Sequence[UserError]


@dataclass(frozen=True, slots=True)
class PasskeyPayload:
    """Of the mutations on passkeys; `options` is JSON for the browser."""

    user_errors: Sequence[UserError]
    options: str | None = None
    passkeys: Sequence[Passkey] | None = None
    deleted_id: str | None = None


@dataclass(slots=True)
class _Missing:
    """What a refused password lacks, picked up on the way from the refusal to the payload."""

    rules: tuple[PasswordRule, ...] = field(default=())


async def register(info: Info, email: str, password: str) -> StepPayload:
    registration = info.context.services.registration
    return await _step(info, lambda: registration.register(email, password), NextStep.ENTER_CODE)


async def confirm(info: Info, email: str, code: str) -> StepPayload:
    return await _step(info, lambda: info.context.services.registration.confirm(email, code), NextStep.SIGN_IN)


async def resend(info: Info, email: str) -> StepPayload:
    return await _step(info, lambda: info.context.services.registration.resend(email), NextStep.ENTER_CODE)


async def sign_in(info: Info, email: str, password: str | None) -> SessionPayload:
    context = info.context
    return await _sign_in(info, lambda: context.services.sign_in.sign_in(email, password, context.shown_device()))


async def answer_challenge(info: Info, answer: ChallengeAnswer) -> SessionPayload:
    context = info.context
    return await _sign_in(info, lambda: context.services.sign_in.answer(answer, context.shown_device()))


async def refresh(info: Info, refresh_token: str) -> SessionPayload:
    return await _session(info, lambda: info.context.services.sign_in.refresh(refresh_token))


async def sign_out(info: Info, refresh_token: str | None, everywhere: bool) -> SessionEndPayload:
    context = info.context

    async def use_case() -> bool:
        return await context.services.sign_in.sign_out(
            context.viewer, _bearer(info), refresh_token, everywhere=everywhere
        )

    taken_back, refusals = await outcome_or_refusal(info, use_case)
    return SessionEndPayload(taken_back is not None, bool(taken_back), refusals)


async def change_password(info: Info, old: str, new: str) -> PasswordPayload:
    context = info.context

    def use_case() -> Awaitable[NewPassword]:
        return context.services.credentials.change_password(context.viewer, _bearer(info), old, new)

    return await _new_password(info, use_case, NextStep.DONE)


async def request_reset(info: Info, email: str) -> StepPayload:
    return await _step(info, lambda: info.context.services.credentials.request_reset(email), NextStep.ENTER_CODE)


async def confirm_reset(info: Info, email: str, code: str, password: str) -> PasswordPayload:
    context = info.context

    async def use_case() -> NewPassword:
        done = await context.services.credentials.confirm_reset(email, code, password, context.shown_device())
        context.keep_device(done.device_token)
        return done

    return await _new_password(info, use_case, NextStep.SIGN_IN)


async def request_address(info: Info, email: str) -> StepPayload:
    context = info.context

    async def use_case() -> NextStep:
        needs_code = await context.services.credentials.request_address(context.viewer, _bearer(info), email)
        return NextStep.ENTER_CODE if needs_code else NextStep.DONE

    step, refusals = await outcome_or_refusal(info, use_case)
    return StepPayload(step, refusals)


async def confirm_address(info: Info, code: str) -> StepPayload:
    context = info.context
    return await _step(
        info, lambda: context.services.credentials.confirm_address(context.viewer, _bearer(info), code), NextStep.DONE
    )


async def begin_passkey(info: Info) -> PasskeyPayload:
    options, refusals = await outcome_or_refusal(info, lambda: info.context.services.passkeys.begin(_bearer(info)))
    return PasskeyPayload(refusals, options=options)


async def complete_passkey(info: Info, credential: str) -> PasskeyPayload:
    async def use_case() -> Sequence[Passkey]:
        await info.context.services.passkeys.complete(_bearer(info), credential)
        return await info.context.services.passkeys.all(_bearer(info))

    kept, refusals = await outcome_or_refusal(info, use_case)
    return PasskeyPayload(refusals, passkeys=kept)


async def delete_passkey(info: Info, passkey_id: str) -> PasskeyPayload:
    async def use_case() -> str:
        await info.context.services.passkeys.delete(_bearer(info), passkey_id)
        return passkey_id

    deleted, refusals = await outcome_or_refusal(info, use_case)
    return PasskeyPayload(refusals, deleted_id=deleted)


async def passkeys(info: Info) -> Sequence[Passkey]:
    return await info.context.services.passkeys.all(_bearer(info))


def _bearer(info: Info) -> str:
    """The bearer token of whoever is signed in. Raises InvalidToken."""
    if info.context.bearer is None:
        raise InvalidToken
    return info.context.bearer


async def _step(info: Info, use_case: Callable[[], Awaitable[None]], then: NextStep) -> StepPayload:
    missing = _Missing()

    async def watched() -> NextStep:
        await _noting(missing, use_case)
        return then

    step, refusals = await outcome_or_refusal(info, watched)
    return StepPayload(step, refusals, missing.rules)


async def _new_password(info: Info, use_case: Callable[[], Awaitable[NewPassword]], then: NextStep) -> PasswordPayload:
    missing = _Missing()
    done, refusals = await outcome_or_refusal(info, lambda: _noting(missing, use_case))
    if done is None:
        return PasswordPayload(None, refusals, missing.rules)
    payload = PasswordPayload(then, refusals, sessions_ended=done.sessions_ended)
    if done.tokens is None:
        return payload
    tokens = done.tokens
    return replace(
        payload, access_token=tokens.access_token, refresh_token=tokens.refresh_token, expires_in=tokens.expires_in
    )


async def _session(info: Info, use_case: Callable[[], Awaitable[TokenSet | Challenge]]) -> SessionPayload:
    missing = _Missing()
    outcome, refusals = await outcome_or_refusal(info, lambda: _noting(missing, use_case))
    if isinstance(outcome, TokenSet):
        return SessionPayload(outcome.access_token, outcome.refresh_token, outcome.expires_in)
    return SessionPayload(challenge=outcome, user_errors=refusals, missing=missing.rules)


async def _sign_in(info: Info, use_case: Callable[[], Awaitable[TokenSet | Challenge]]) -> SessionPayload:
    """A session that begins: the device is one of the user's, the guest's cart becomes theirs, the guest another one."""
    taken_over: CartOutcome | None = None

    async def begun() -> TokenSet | Challenge:
        nonlocal taken_over
        outcome = await use_case()
        if isinstance(outcome, TokenSet):
            info.context.keep_device(outcome.device_token)
            taken_over = await carts.take_over(info, outcome.access_token)
        return outcome

    payload = await _session(info, begun)
    if taken_over is None:
        return payload
    return replace(payload, merged_lines=taken_over.merged, cart_warnings=taken_over.warnings)


async def _noting(missing: _Missing, use_case: Callable[[], Awaitable[T]]) -> T:
    try:
        return await use_case()
    except WeakPassword as refusal:
        missing.rules = refusal.missing
        raise
