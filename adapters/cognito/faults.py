"""What Cognito says no with, as refusals of the domain.

Nothing of Cognito's own text goes on: it may quote an address, and moto's quotes tokens. So causes are cut off (`from None`).
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from botocore.exceptions import ClientError

from adapters.aws.clients import COGNITO, Aws, error_code
from domain.accounts.refusals import NotSupported, TooManyAttempts
from domain.shared.refusals import InvalidInput, Refusal, Unavailable

Refusals = Mapping[str, Callable[[], Exception]]
"""Cognito's name for an error -> what it means for the operation at hand."""

LIMITS = ("LimitExceededException", "TooManyFailedAttemptsException", "TooManyRequestsException")
NOT_OFFERED = (
    "FeatureUnavailableInTierException",
    "UnknownOperationException",
    "UnsupportedOperationException",
    "UnsupportedTokenTypeException",
    "WebAuthnConfigurationMissingException",
    "WebAuthnNotEnabledException",
)


class PoolFault(Exception):
    """An error of Cognito's that its documents do not have for this operation, or that our settings cause."""

    def __init__(self, code: str) -> None:
        super().__init__(f"Cognito answered {code or 'an error without a name'}")


class RefusedByPool(Refusal):
    """A rule of the pool's own: a Lambda trigger, or the delivery of mails."""


@asynccontextmanager
async def calling_pool(aws: Aws, refusals: Refusals | None = None) -> AsyncIterator[None]:
    """Around one call to the pool.

    Raises what `refusals` say, else TooManyAttempts, NotSupported, InvalidInput, Unavailable.
    """
    try:
        async with aws.calling(COGNITO):
            yield
    except Unavailable as outage:
        cause = outage.__cause__
        if isinstance(cause, ClientError) and error_code(cause) in LIMITS:
            raise TooManyAttempts from None
        raise Unavailable(COGNITO) from None
    except ClientError as error:
        raise _meaning(error_code(error), refusals or {}) from None


def _meaning(code: str, refusals: Refusals) -> Exception:
    if code in refusals:
        return refusals[code]()
    if code in LIMITS:
        return TooManyAttempts()
    if code in NOT_OFFERED:
        return NotSupported()
    if code == "InvalidParameterException":
        return InvalidInput(key="pool_input")
    if code in ("UserLambdaValidationException", "ForbiddenException"):
        return RefusedByPool()
    if code == "CodeDeliveryFailureException":
        return Unavailable("the delivery of codes")
    return PoolFault(code)


class Done(Exception):
    """Not a failure: an error of Cognito's that means there is nothing to do, or that must not be told."""
