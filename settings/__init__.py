"""Every setting of the program, from `TORII_…` variables and `.env`. README has them in a table.

Each file adds a part to one class: general.py, backends.py, guard.py, events.py, and here what concerns several of them.
"""

from typing import Self

from pydantic import model_validator

from settings.events import EventSettings
from settings.guard import DEFAULT_OPERATION_RATES
from settings.modes import EngineKind, Mode
from settings.values import listed, plain

__all__ = [
    "DEFAULT_OPERATION_RATES",
    "STRIPE_WEBHOOKS",
    "EngineKind",
    "MissingSettings",
    "Mode",
    "Settings",
    "listed",
    "require",
]

STRIPE_WEBHOOKS = "/api/webhooks/stripe"
"""Where the gateway takes Stripe's events."""


class Settings(EventSettings):
    """Addresses, secrets and limits. Addresses left empty are those of the embedded back ends, filled in by `torii up`."""

    @model_validator(mode="after")
    def production_has_no_defaults(self) -> Self:
        if self.mode is not Mode.PRODUCTION:
            return self
        stripe = ("stripe_secret_key", "stripe_webhook_secret")
        secrets = ("secret_key", "database_url", "redis_url", "cognito_user_pool_id", "cognito_client_id", *stripe)
        missing = [f"TORII_{name.upper()}" for name in secrets if not plain(getattr(self, name))]
        if missing:
            raise ValueError(f"production needs {', '.join(missing)}")
        if self.aws_endpoint_url:
            raise ValueError(
                "TORII_AWS_ENDPOINT_URL names an emulator, whose signing key is public: leave it empty in production"
            )
        if self.stripe_api_base:
            raise ValueError(
                "TORII_STRIPE_API_BASE names a sandbox, which moves no money: leave it empty in production"
            )
        return self


class MissingSettings(Exception):
    """Settings without which a command cannot do its work."""

    def __init__(self, variables: list[str]) -> None:
        super().__init__(f"set {', '.join(variables)}, or start the embedded back ends with `torii up`")


def require(settings: Settings, *names: str) -> None:
    """Raises MissingSettings where one of these is empty."""
    missing = [f"TORII_{name.upper()}" for name in names if not plain(getattr(settings, name))]
    if missing:
        raise MissingSettings(missing)
