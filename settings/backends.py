"""Addresses and secrets of the back ends, and how long a call to each may take."""

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator

from settings.general import GeneralSettings
from settings.values import check_web_address, is_address


class BackEndSettings(GeneralSettings):
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
    fragments: bool = Field(
        True, description="Keep what the public is shown, as bytes, in the memory of each gateway process."
    )
    fragment_bytes: int = Field(
        64 * 1024 * 1024, ge=0, description="Most that the fragments of a process may take, in bytes."
    )
    catalog_cache: bool = Field(
        True, description="Keep products and categories in Redis; off, to see what the database takes."
    )

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
    search_words: Path | None = Field(
        None,
        description="File of synonyms and of words for the search's dictionary; default the one that comes with Torii.",
    )
    opensearch_url: SecretStr = Field(SecretStr(""), description="OpenSearch; empty for the tantivy index.")
    opensearch_index: str = Field(
        "products", pattern="^[a-z0-9][a-z0-9_-]{0,60}$", description="What the names of its indexes begin with."
    )
    opensearch_timeout_ms: int = Field(1000, ge=10, description="Longest search on OpenSearch.")

    @field_validator("database_url", "database_replica_url", "database_worker_url", "database_owner_url", "redis_url")
    @classmethod
    def address_is_one(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        kinds = ("redis", "rediss") if info.field_name == "redis_url" else ("postgresql", "postgres")
        if value.get_secret_value() and not is_address(value.get_secret_value(), kinds):
            raise ValueError(f"an address has the form {kinds[0]}://user:password@host:port/…")
        return value

    @field_validator("opensearch_url")
    @classmethod
    def opensearch_address_is_one(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and not is_address(value.get_secret_value(), ("http", "https")):
            raise ValueError("an address has the form https://user:password@host:port")
        return value

    @field_validator("aws_endpoint_url", "cognito_jwks_url", "stripe_api_base")
    @classmethod
    def web_address_is_one(cls, value: str) -> str:
        return check_web_address(value)

    @field_validator("stripe_secret_key", "stripe_webhook_secret")
    @classmethod
    def stripe_secret_is_one(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        prefixes = ("whsec_",) if info.field_name == "stripe_webhook_secret" else ("sk_", "rk_")
        if value.get_secret_value() and not value.get_secret_value().startswith(prefixes):
            raise ValueError(f"begins with {' or '.join(prefixes)}")
        return value

    @model_validator(mode="after")
    def live_keys_stay_out_of_sandboxes(self) -> Self:
        if self.stripe_api_base and "_live_" in self.stripe_secret_key.get_secret_value():
            raise ValueError(
                "TORII_STRIPE_SECRET_KEY is a live key, and TORII_STRIPE_API_BASE names a sandbox: set one of them"
            )
        return self

    @property
    def embedded(self) -> bool:
        """Whether the back ends are those that `torii up` starts."""
        return not self.database_url.get_secret_value()

    @property
    def search_dir(self) -> Path:
        return self.search_index_dir or self.data_dir / "search"
