"""The back ends of one command: those that the settings name, else embedded ones for as long as it runs."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from dotenv import dotenv_values

from infra.embedded import run_env
from infra.embedded.refusals import NothingRuns
from infra.embedded.stack import Progress, Stack, silent
from settings import Settings
from settings import loading as configuration

# Variables that belong together: an address of one's own never goes with an embedded key, and the other way round.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "database_url": ("TORII_DATABASE_URL", "TORII_DATABASE_WORKER_URL", "TORII_DATABASE_OWNER_URL"),
    "redis_url": ("TORII_REDIS_URL",),
    "aws_endpoint_url": ("TORII_AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "TORII_MAIL_FROM"),
    "mail_from": ("TORII_MAIL_FROM",),
    "stripe_secret_key": ("TORII_STRIPE_SECRET_KEY", "TORII_STRIPE_WEBHOOK_SECRET", "TORII_STRIPE_API_BASE"),
    "secret_key": ("TORII_SECRET_KEY",),
    "search_index_dir": ("TORII_SEARCH_INDEX_DIR",),
}


def load_settings() -> Settings:
    """The settings, without what a killed `torii up` left behind. Raises pydantic.ValidationError."""
    run_env.remove_if_stale(configuration.data_dir_from_environment())
    return configuration.load()


@contextmanager
def running_backends(settings: Settings, progress: Progress = silent, *, must_run: bool = False) -> Iterator[Settings]:
    """Settings whose back ends run. Raises what infra.embedded.refusals names.

    `must_run`: raise NothingRuns where they do not, for commands that have nothing to say about a stack made for them.

    Use it from the main thread, outside of an event loop. boto3 finds its keys in the environment while it is open.
    """
    if not settings.embedded:
        written = dotenv_values(settings.data_dir / configuration.RUN_ENV)
        keys = {name: value for name, value in written.items() if name.startswith("AWS_") and value}
        with environment({name: value for name, value in keys.items() if name not in os.environ}):
            yield settings
        return
    if must_run:
        raise NothingRuns(settings.data_dir)
    with Stack(settings.data_dir, progress=progress) as stack, environment(left_empty(settings, stack.environment)):
        yield configuration.load()


def left_empty(settings: Settings, embedded: Mapping[str, str]) -> dict[str, str]:
    """The part of the embedded back ends' addresses for which `settings` has none of its own."""
    own = {variable for field, variables in GROUPS.items() if _has_own(settings, field) for variable in variables}
    return {name: value for name, value in embedded.items() if name not in own}


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for a while."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _has_own(settings: Settings, field: str) -> bool:
    value = getattr(settings, field)
    return bool(value.get_secret_value() if hasattr(value, "get_secret_value") else value)
