"""AWS as the settings name it: its clients and the user pool. By itself, so that `torii token` loads nothing else."""

from collections.abc import Mapping, Sequence

from adapters.aws.clients import OF_REQUESTS, Aws
from adapters.breaker import Breaker
from adapters.cognito.pool import Pool, access_token, ensure_pool, find_pool
from settings import Settings, require

POOL_NAME = "torii"
"""The user pool that is found, or made, where the settings name none: the emulator's."""

MAKING_MS = 60_000


def open_aws(
    settings: Settings,
    timeout_ms: int | None = None,
    services: Sequence[str] = OF_REQUESTS,
    *,
    breakers: Mapping[str, Breaker] | None = None,
) -> Aws:
    return Aws(
        settings.aws_region,
        settings.aws_endpoint_url,
        timeout_ms or settings.dynamodb_timeout_ms,
        cognito_timeout_ms=timeout_ms or settings.cognito_timeout_ms,
        services=services,
        breakers=breakers,
    )


async def user_pool(settings: Settings, aws: Aws) -> Pool:
    """The pool that the settings name, else the emulator's: on AWS itself none is made. Raises MissingSettings."""
    if settings.cognito_user_pool_id or not settings.aws_endpoint_url:
        require(settings, "cognito_user_pool_id", "cognito_client_id")
        return Pool(settings.cognito_user_pool_id, settings.cognito_client_id)
    return await find_pool(aws, POOL_NAME) or await make_pool(settings, aws, POOL_NAME)


async def make_pool(settings: Settings, aws: Aws, name: str) -> Pool:
    """The emulator's pool of this name, made by one process of several that start at once. Raises MissingSettings."""
    from adapters.postgres.database import Database  # most commands find the pool there, and need no database for that
    from adapters.postgres.locks import one_at_a_time

    require(settings, "database_url")
    database = Database(settings.database_url.get_secret_value(), pool_size=1, timeout_ms=MAKING_MS)
    try:
        async with one_at_a_time(database, f"user pool {name}"):
            return await ensure_pool(aws, name)
    finally:
        await database.close()


async def token(settings: Settings, email: str, password: str) -> str:
    """An access token of the pool. Raises SignInRefused, Unavailable."""
    async with open_aws(settings) as aws:
        return await access_token(aws, await user_pool(settings, aws), email, password)
