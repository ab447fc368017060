"""Every setting of the program, from `TORII_…` variables and `.env`. README has them in a table."""

import os
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from domain.shared.rates import Rate, parse_rates
from engine.limits import Limits

MIN_SECRET = 32
DEFAULT_DATA_DIR = Path(".data")
STRIPE_WEBHOOKS = "/api/webhooks/stripe"
"""Where the gateway takes Stripe's events."""
ENV_FILE = ".env"
RUN_ENV = "run.env"
"""File under the data folder in which `torii up` writes the addresses of what it started, for the other commands."""


DEFAULT_OPERATION_RATES = (
    "sign-in=20/60 sign-up=10/60 code-mail=10/600 code-entry=20/600 credentials=20/600 refresh=60/60 sign-out=60/60"
)
"""An address may be that of a whole office; what guesses needs thousands."""


class EngineKind(StrEnum):
    COMPILED = "compiled"
    STOCK = "stock"


class Mode(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


def data_dir_from_environment() -> Path:
    """The data folder, which has to be known before anything in it can be read."""
    _, named = _named("DATA_DIR")
    return Path(named) if named else DEFAULT_DATA_DIR


def _named(name: str) -> tuple[str, str | None]:
    """Which variable gives a setting that is read with and without our prefix, and its value; they win over `.env`."""
    for source in (os.environ, dotenv_values(ENV_FILE)):
        for variable in (f"TORII_{name}", name):
            if source.get(variable):
                return variable, source[variable]
    return f"TORII_{name}", None


class Settings(BaseSettings):
    """Addresses, secrets and limits. Addresses left empty are those of the embedded back ends, filled in by `torii up`."""

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
    secret_key: SecretStr = Field(SecretStr(""), description="Signs guest identities; at least 32 characters.")
    secret_key_previous: SecretStr = Field(
        SecretStr(""), description="The secret of before, whose guest identities are still read for 30 days."
    )

    database_url: SecretStr = Field(SecretStr(""), description="PostgreSQL, as the gateway's role (owns nothing).")
    database_replica_url: SecretStr = Field(
        SecretStr(""), description="Read replica for public reads; default the writer."
    )
    database_worker_url: SecretStr = Field(
        SecretStr(""), description="PostgreSQL, as the role of imports, jobs and `torii migrate`."
    )
    database_owner_url: SecretStr = Field(
        SecretStr(""), description="PostgreSQL, as the owner of the tables, for `torii migrate` alone."
    )
    database_pool_size: int = Field(
        10,
        ge=1,
        le=200,
        description="Connections a gateway process keeps for each use: public reads, private work, and a replica's.",
    )
    database_timeout_ms: int = Field(
        1500, ge=10, description="Longest read or transaction, enforced by client and server."
    )

    redis_url: SecretStr = Field(SecretStr(""), description="Redis or Valkey.")
    redis_timeout_ms: int = Field(50, ge=1, description="Longest Redis call; then the cache is skipped.")

    aws_region: str = Field("ap-northeast-1", description="Region of DynamoDB and Cognito.")
    aws_endpoint_url: str = Field("", description="Address of an AWS emulator; empty in production.")
    dynamodb_table_prefix: str = Field("torii-", description="Put before each DynamoDB table's name.")
    dynamodb_timeout_ms: int = Field(1000, ge=10, description="Longest DynamoDB call.")
    cognito_timeout_ms: int = Field(1500, ge=10, description="Longest Cognito call; signing up mails a code.")
    cognito_user_pool_id: str = Field("", description="User pool whose access tokens are accepted.")
    cognito_client_id: str = Field("", description="App client whose access tokens are accepted.")
    cognito_jwks_url: str = Field("", description="Key set of the pool; default the pool's own.")

    identity_pace_ms: int = Field(
        500,
        ge=0,
        description="Shortest answer to a sign-up, sign-in or reset, so that its time tells nothing; above what the pool needs.",
    )
    stripe_secret_key: SecretStr = Field(
        SecretStr(""), description="Stripe, as the platform: `sk_live_…`, or `sk_test_…` where no money is real."
    )
    stripe_webhook_secret: SecretStr = Field(
        SecretStr(""), description="Signs what Stripe sends to `/api/webhooks/stripe`: `whsec_…`."
    )
    stripe_api_base: str = Field("", description="Address of a Stripe sandbox; empty in production.")
    stripe_timeout_ms: int = Field(5000, ge=10, description="Longest Stripe call.")

    search_index_dir: Path | None = Field(None, description="Folder of the tantivy index; default `DATA_DIR/search`.")
    opensearch_url: SecretStr = Field(SecretStr(""), description="OpenSearch; empty for the tantivy index.")
    opensearch_index: str = Field(
        "products", pattern="^[a-z0-9][a-z0-9_-]{0,60}$", description="What the names of its indexes begin with."
    )
    opensearch_timeout_ms: int = Field(1000, ge=10, description="Longest search on OpenSearch.")

    graphiql: bool | None = Field(None, description="Serve GraphiQL and introspection; default only in development.")
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="debug, info, warning or error.")
    log_slow_ms: int = Field(
        1000, ge=0, description="Operations that take as long get a line in the log; 0 for every operation."
    )
    engine: EngineKind = Field(
        EngineKind.COMPILED,
        description="`compiled` plans, or `stock` for graphql-core alone: the same answers, slower.",
    )
    rate_limits: bool = Field(True, description="Whether there are rate limits at all.")
    rate_requests_per_s: float = Field(
        100, gt=0, description="Operations a second of a user, or of an address where nobody is signed in."
    )
    rate_requests_burst: int = Field(200, ge=1, description="Operations at once.")
    rate_cost_per_minute: int = Field(
        200_000, ge=100, description="Points of cost a minute, and at once; `extensions.cost` shows them."
    )
    rate_operations: str = Field(
        DEFAULT_OPERATION_RATES,
        description="Limits of sign-ins and the like by address: so many in so many seconds, each field counted.",
    )
    websocket_init_s: float = Field(3, gt=0, description="How long a WebSocket may take to send `connection_init`.")
    websocket_ping_s: float = Field(30, gt=0, description="How often a WebSocket is pinged; two in vain close it.")
    websocket_idle_s: float = Field(600, gt=0, description="How long a WebSocket may stay open with nothing asked.")
    websocket_max_operations: int = Field(100, ge=1, description="Operations a WebSocket may have running.")
    websocket_max_messages: int = Field(100, ge=1, description="Messages a second that a WebSocket may send.")
    query_timeout_ms: int = Field(2000, ge=10, description="Deadline of an operation.")
    max_body_bytes: int = Field(
        Limits().body_bytes, ge=1, description="Largest body of a request, or message of a WebSocket."
    )
    body_timeout_ms: int = Field(10_000, ge=10, description="How long a body may take to come.")
    max_url_bytes: int = Field(Limits().url_bytes, ge=1, description="Longest query string of a GET.")
    max_json_values: int = Field(
        Limits().json_values, ge=1, description="Values in the JSON of a request, all together."
    )
    max_input_depth: int = Field(
        Limits().input_depth, ge=1, description="Lists and objects within each other, in variables."
    )
    max_list_items: int = Field(
        Limits().list_items, ge=1, description="Items of one list, in a document or in variables."
    )
    max_document_bytes: int = Field(Limits().document_bytes, ge=1, description="Largest document.")
    max_document_tokens: int = Field(Limits().tokens, ge=1, description="Tokens of a document, comments included.")
    max_trusted_document_bytes: int = Field(
        Limits().trusted_bytes, ge=1, description="Largest document of the manifest."
    )
    max_trusted_document_tokens: int = Field(
        Limits().trusted_tokens, ge=1, description="Tokens of a document of the manifest."
    )
    max_nesting: int = Field(
        Limits().nesting, ge=1, description="Brackets of any kind within each other, in a document."
    )
    max_depth: int = Field(Limits().depth, ge=1, description="Fields within fields.")
    max_fields: int = Field(Limits().fields, ge=1, description="Fields of a document, with fragments put in place.")
    max_breadth: int = Field(
        Limits().breadth, ge=1, description="Fields of one selection set, with fragments put in place."
    )
    max_root_fields: int = Field(Limits().root_fields, ge=1, description="Fields at the root of an operation.")
    max_aliases: int = Field(Limits().aliases, ge=1, description="Aliases, with fragments put in place.")
    max_repeats: int = Field(Limits().repeats, ge=1, description="Fields of one name in one place.")
    max_fragments: int = Field(
        Limits().fragments, ge=1, description="Fragment spreads and inline fragments, with fragments put in place."
    )
    max_directives: int = Field(Limits().directives, ge=1, description="Directives, with fragments put in place.")
    max_cost: int = Field(
        Limits().cost, ge=1, description="Highest cost of an operation; docs/limits.md says how it is counted."
    )
    assumed_list_size: int = Field(
        Limits().list_size, ge=1, description="How long a list is taken to be, for its cost, where nothing bounds it."
    )
    allowed_origins: str = Field(
        "", description="Pages that may call from another origin, such as `https://shop.example`; comma-separated."
    )
    allowed_hosts: str = Field(
        "",
        description="Host names that are answered, `*.shop.example` too; comma-separated; empty: any. Not for health.",
    )
    trusted_documents: Path | None = Field(
        None, description="Manifest of trusted documents: a JSON object from ids to texts."
    )
    only_trusted_documents: bool = Field(False, description="Run documents of that manifest, and no others.")
    automatic_persisted_queries: bool = Field(True, description="Let clients register documents by their SHA-256.")
    drain_s: float = Field(
        0,
        ge=0,
        description="How long to go on serving after SIGTERM while `/api/health` is 503: the load balancer's time.",
    )
    shutdown_grace_s: int = Field(10, ge=0, description="How long running requests may finish after SIGTERM.")

    @field_validator("database_url", "database_replica_url", "database_worker_url", "database_owner_url", "redis_url")
    @classmethod
    def address_is_one(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        kinds = ("redis", "rediss") if info.field_name == "redis_url" else ("postgresql", "postgres")
        if value.get_secret_value() and not _is_address(value.get_secret_value(), kinds):
            raise ValueError(f"an address has the form {kinds[0]}://user:password@host:port/…")
        return value

    @field_validator("opensearch_url")
    @classmethod
    def opensearch_address_is_one(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and not _is_address(value.get_secret_value(), ("http", "https")):
            raise ValueError("an address has the form https://user:password@host:port")
        return value

    @field_validator("aws_endpoint_url", "public_url", "cognito_jwks_url", "stripe_api_base")
    @classmethod
    def web_address_is_one(cls, value: str) -> str:
        if value and not _is_address(value, ("http", "https")):
            raise ValueError("an address has the form http://host:port")
        return value

    @field_validator("rate_operations")
    @classmethod
    def rates_are_complete(cls, value: str) -> str:
        missing = parse_rates(DEFAULT_OPERATION_RATES).keys() - parse_rates(value).keys()
        if missing:
            raise ValueError(f"lacks {', '.join(sorted(missing))}")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def proxies_are_networks(cls, value: str) -> str:
        for each in filter(None, map(str.strip, value.split(","))):
            try:
                ip_network(each)
            except ValueError as error:
                raise ValueError(f"{each} is neither an address nor a network such as 10.0.0.0/8") from error
        return value

    @field_validator("stripe_secret_key", "stripe_webhook_secret")
    @classmethod
    def stripe_secret_is_one(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        prefixes = ("whsec_",) if info.field_name == "stripe_webhook_secret" else ("sk_", "rk_")
        if value.get_secret_value() and not value.get_secret_value().startswith(prefixes):
            raise ValueError(f"begins with {' or '.join(prefixes)}")
        return value

    @field_validator("secret_key", "secret_key_previous")
    @classmethod
    def secret_is_long(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < MIN_SECRET:
            raise ValueError(f"needs at least {MIN_SECRET} characters")
        return value

    @model_validator(mode="after")
    def production_has_no_defaults(self) -> Self:
        if self.mode is not Mode.PRODUCTION:
            return self
        stripe = ("stripe_secret_key", "stripe_webhook_secret")
        secrets = ("secret_key", "database_url", "redis_url", "cognito_user_pool_id", "cognito_client_id", *stripe)
        missing = [f"TORII_{name.upper()}" for name in secrets if not _plain(getattr(self, name))]
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

    @model_validator(mode="after")
    def live_keys_stay_out_of_sandboxes(self) -> Self:
        if self.stripe_api_base and "_live_" in self.stripe_secret_key.get_secret_value():
            raise ValueError(
                "TORII_STRIPE_SECRET_KEY is a live key, and TORII_STRIPE_API_BASE names a sandbox: set one of them"
            )
        return self

    @field_validator("allowed_origins")
    @classmethod
    def origins_are_some(cls, value: str) -> str:
        for each in listed(value):
            parts = urlsplit(each)
            if parts.scheme not in ("http", "https") or not parts.netloc or parts.path or "*" in each:
                raise ValueError(f"{each} is no origin such as https://shop.example, without a path")
        return value

    @model_validator(mode="after")
    def trusted_documents_are_somewhere(self) -> Self:
        if self.only_trusted_documents and self.trusted_documents is None:
            raise ValueError("TORII_ONLY_TRUSTED_DOCUMENTS needs TORII_TRUSTED_DOCUMENTS, the manifest")
        return self

    @property
    def embedded(self) -> bool:
        """Whether the back ends are those that `torii up` starts."""
        return not self.database_url.get_secret_value()

    @property
    def operation_rates(self) -> dict[str, Rate]:
        """By the name that a field's `limit` has. Without Redis nobody may guess passwords, but all may stay signed in."""
        return parse_rates(self.rate_operations, open_when_uncounted=("refresh", "sign-out"))

    @property
    def url(self) -> str:
        return self.public_url or f"http://{self.host}:{self.port}"

    @property
    def serves_graphiql(self) -> bool:
        return self.mode is Mode.DEVELOPMENT if self.graphiql is None else self.graphiql

    @property
    def limits(self) -> Limits:
        """What an operation may ask for."""
        return Limits(
            body_s=self.body_timeout_ms / 1000,
            body_bytes=self.max_body_bytes,
            url_bytes=self.max_url_bytes,
            json_values=self.max_json_values,
            input_depth=self.max_input_depth,
            list_items=self.max_list_items,
            document_bytes=self.max_document_bytes,
            tokens=self.max_document_tokens,
            trusted_bytes=self.max_trusted_document_bytes,
            trusted_tokens=self.max_trusted_document_tokens,
            nesting=self.max_nesting,
            depth=self.max_depth,
            fields=self.max_fields,
            breadth=self.max_breadth,
            root_fields=self.max_root_fields,
            aliases=self.max_aliases,
            repeats=self.max_repeats,
            fragments=self.max_fragments,
            directives=self.max_directives,
            cost=self.max_cost,
            list_size=self.assumed_list_size,
        )

    @property
    def search_dir(self) -> Path:
        return self.search_index_dir or self.data_dir / "search"


def listed(value: str) -> list[str]:
    """What a comma-separated setting names."""
    return [each.strip() for each in value.split(",") if each.strip()]


def _is_address(value: str, kinds: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in kinds and bool(parts.hostname or parts.query) and parts.port != 0
    except ValueError:
        return False


class MissingSettings(Exception):
    """Settings without which a command cannot do its work."""

    def __init__(self, variables: list[str]) -> None:
        super().__init__(f"set {', '.join(variables)}, or start the embedded back ends with `torii up`")


def require(settings: Settings, *names: str) -> None:
    """Raises MissingSettings where one of these is empty."""
    missing = [f"TORII_{name.upper()}" for name in names if not _plain(getattr(settings, name))]
    if missing:
        raise MissingSettings(missing)


def _plain(value: SecretStr | str) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def load() -> Settings:
    """Read the settings. Raises pydantic.ValidationError.

    `.env` wins over what a running `torii up` wrote, and variables win over both.
    """
    data_dir = data_dir_from_environment()
    _, port = _named("PORT")
    plain = {"data_dir": data_dir} | ({"port": port} if port else {})
    return Settings(_env_file=(data_dir / RUN_ENV, ENV_FILE), **plain)  # type: ignore[call-arg, arg-type]


def explain(error: ValidationError) -> str:
    """What is wrong with the settings and what to do, a line for each. Secrets are not shown."""
    return "\n".join(_line(problem) for problem in error.errors())


def _line(problem: ErrorDetails) -> str:
    said = problem["msg"].removeprefix("Value error, ")
    field = Settings.model_fields.get(str(problem["loc"][0])) if problem["loc"] else None
    if field is None:  # about several settings at once: the text names them
        return said
    name = str(problem["loc"][0])
    variable, _ = _named(name.upper()) if name == "port" else (f"TORII_{name.upper()}", None)
    value = "" if field.annotation is SecretStr else f"={problem['input']}"
    default = field.get_default()
    otherwise = f"or leave it out (default: {default})" if default not in ("", None) else "or leave it out"
    return f"{variable}{value}: {said[0].lower()}{said[1:]}. Set it right ({field.description}) {otherwise}."
