"""Where the program runs, under which secret, and how it starts and stops."""

from ipaddress import ip_network
from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from settings.modes import EngineKind, Mode
from settings.values import check_web_address

MIN_SECRET = 32
ENV_FILE = ".env"


class GeneralSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="TORII_", env_file=ENV_FILE, extra="ignore", frozen=True)

    mode: Mode = Field(Mode.DEVELOPMENT, description="`production` refuses embedded keys and secrets left empty.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=1, le=65535, description="Port to listen on; `PORT` is read too.")
    data_dir: Path = Field(
        Path(".data"), description="Where the embedded back ends keep their data; `DATA_DIR` is read too."
    )
    public_url: str = Field("", description="How the outside reaches the gateway; default `http://HOST:PORT`.")
    trusted_proxies: str = Field(
        "",
        description="Proxies whose `X-Forwarded-For` is believed: addresses and networks, with commas between; none by default.",
    )
    secret_key: SecretStr = Field(
        SecretStr(""), description="Signs guest identities and known devices; at least 32 characters."
    )
    secret_key_previous: SecretStr = Field(
        SecretStr(""),
        description="The secret of before, whose guest identities and known devices are still read; for 30 days.",
    )
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="debug, info, warning or error.")
    log_slow_ms: int = Field(
        1000, ge=0, description="Operations that take as long get a line in the log; 0 for every operation."
    )
    engine: EngineKind = Field(
        EngineKind.COMPILED,
        description="`compiled` plans, or `stock` for graphql-core alone: the same answers, slower.",
    )
    shadow_share: float = Field(
        0,
        ge=0,
        le=1,
        description="Share of compiled queries that are run once more on graphql-core and compared; `/metrics` and the log tell.",
    )
    drain_s: float = Field(
        0,
        ge=0,
        description="How long to go on serving after SIGTERM while `/api/health` is 503: the load balancer's time.",
    )
    shutdown_grace_s: int = Field(10, ge=0, description="How long running requests may finish after SIGTERM.")

    @field_validator("public_url")
    @classmethod
    def public_url_is_one(cls, value: str) -> str:
        return check_web_address(value)

    @field_validator("trusted_proxies")
    @classmethod
    def proxies_are_networks(cls, value: str) -> str:
        for each in filter(None, map(str.strip, value.split(","))):
            try:
                ip_network(each)
            except ValueError as error:
                raise ValueError(f"{each} is neither an address nor a network such as 10.0.0.0/8") from error
        return value

    @field_validator("secret_key", "secret_key_previous")
    @classmethod
    def secret_is_long(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < MIN_SECRET:
            raise ValueError(f"needs at least {MIN_SECRET} characters")
        return value

    @property
    def url(self) -> str:
        return self.public_url or f"http://{self.host}:{self.port}"
