"""What clients may do: limits, rates, origins, documents."""

from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from domain.orders.buying import Holding, HoldLimits
from domain.shared.rates import Rate, parse_rates
from engine.reading.bounds import Limits
from settings.backends import BackEndSettings
from settings.modes import Mode
from settings.values import listed

DEFAULT_OPERATION_RATES = (
    "sign-in=20/60 sign-up=10/60 code-mail=10/600 code-entry=20/600 credentials=20/600 refresh=60/60 sign-out=60/60"
    " checkout=60/60 order-lookup=10/600"
)
"""An address may be that of a whole office; what guesses needs thousands."""


class GuardSettings(BackEndSettings):
    graphiql: bool | None = Field(None, description="Serve GraphiQL and introspection; default only in development.")
    traces: bool | None = Field(
        None,
        description="Tell anybody who asks how an operation ran; default only in development. Admins are told anyway.",
    )
    metrics_token: SecretStr = Field(
        SecretStr(""),
        description="Bearer token for `/metrics`. Without one anybody may read them in development, and nobody in production.",
    )
    rate_limits: bool = Field(True, description="Whether there are rate limits at all.")
    rate_requests_per_s: float = Field(
        100, gt=0, description="Operations a second of a user, or of an address where nobody is signed in."
    )
    rate_requests_burst: int = Field(200, ge=1, description="Operations at once.")
    rate_at_once: int = Field(
        50, ge=1, description="Operations that a process runs of one user or address at the same time."
    )
    rate_cost_per_minute: int = Field(
        200_000, ge=100, description="Points of cost a minute; `extensions.cost` shows them."
    )
    rate_cost_burst: int = Field(50_000, ge=100, description="Points of cost at once: the depth of that bucket.")
    connections_per_address: int = Field(
        500, ge=1, description="Connections that a process has open of one address, but for trusted proxies."
    )
    websockets_per_address: int = Field(
        200, ge=1, description="WebSockets that a process has open of one address, or of one client of a trusted proxy."
    )
    rate_operations: str = Field(
        DEFAULT_OPERATION_RATES,
        description="Limits of sign-ins, checkouts and the like by address: so many in so many seconds, each field counted.",
    )
    unpaid_units: int = Field(
        1_000,
        ge=1,
        description="Units that an order may set aside before it is paid; a buyer has one such order at a time.",
    )
    unpaid_orders_per_address: int = Field(
        30,
        ge=1,
        description="Unpaid orders that guests of one address may have at once; none are counted without rate limits.",
    )
    unpaid_units_per_address: int = Field(1_000, ge=1, description="Units that they may have set aside together.")
    websocket_init_s: float = Field(3, gt=0, description="How long a WebSocket may take to send `connection_init`.")
    websocket_ping_s: float = Field(30, gt=0, description="How often a WebSocket is pinged; two in vain close it.")
    websocket_idle_s: float = Field(600, gt=0, description="How long a WebSocket may stay open with nothing asked.")
    websocket_max_operations: int = Field(100, ge=1, description="Operations a WebSocket may have running.")
    max_batch: int = Field(10, ge=1, description="Operations of one request, sent as a JSON array; 1: no arrays.")
    max_subscriptions: int = Field(5_000, ge=1, description="Subscriptions that a process has open.")
    max_subscriptions_each: int = Field(
        500, ge=1, description="Of one client: a user, or all who have not signed in behind one address."
    )
    websocket_max_messages: int = Field(100, ge=1, description="Messages a second that a WebSocket may send.")
    query_timeout_ms: int = Field(
        1900, ge=10, description="Deadline of an operation, so that even an outage is told within two seconds."
    )
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
    max_document_lines: int = Field(Limits().lines, ge=1, description="Lines of a document.")
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

    @field_validator("rate_operations")
    @classmethod
    def rates_are_complete(cls, value: str) -> str:
        missing = parse_rates(DEFAULT_OPERATION_RATES).keys() - parse_rates(value).keys()
        if missing:
            raise ValueError(f"lacks {', '.join(sorted(missing))}")
        return value

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
    def operation_rates(self) -> dict[str, Rate]:
        """By the name that a field's `limit` has. Without Redis nobody may guess passwords, but all may stay signed in, and buy."""
        return parse_rates(self.rate_operations, open_when_uncounted=("refresh", "sign-out", "checkout"))

    @property
    def hold_limits(self) -> HoldLimits:
        """How much of the stock may be set aside by those who have not paid."""
        of_address = Holding(self.unpaid_orders_per_address, self.unpaid_units_per_address)
        return HoldLimits(self.unpaid_units, of_address if self.rate_limits else None)

    @property
    def shows_traces(self) -> bool:
        return self.mode is Mode.DEVELOPMENT if self.traces is None else self.traces

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
            lines=self.max_document_lines,
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
