"""The one place where AWS sessions and clients are made, and where their outages get a name."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from types import TracebackType
from typing import Any, Self

import aioboto3
from aiobotocore.session import AioSession
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
)
from botocore.exceptions import ConnectionError as NoConnection
from botocore.loaders import Loader

from adapters.breaker import Breaker
from domain.shared.refusals import Unavailable

DYNAMODB = "DynamoDB"
COGNITO = "Cognito"
EVENTBRIDGE = "EventBridge"
SQS = "SQS"
SES = "SES"
KINESIS = "Kinesis"
S3 = "S3"
NAMES = {
    DYNAMODB: "dynamodb",
    COGNITO: "cognito-idp",
    EVENTBRIDGE: "events",
    SQS: "sqs",
    SES: "sesv2",
    KINESIS: "kinesis",
    S3: "s3",
}
"""What botocore calls them."""
OF_REQUESTS = (DYNAMODB, COGNITO)
OF_EVENTS = (EVENTBRIDGE, SQS, SES)
OF_CAPTURE = (KINESIS, S3)
LONGEST_WAIT_S = {SQS: 20.0}
"""What a service waits at most for something to answer with, where it is asked to."""
ATTEMPTS = {SES: 1}
"""A request path retries at most once; a mail is never sent again on a guess."""

DESCRIPTIONS = Loader()
"""What botocore knows of each service, megabytes of JSON: read once a process, and not once for each `Aws`."""
PLAIN = "http://"

SLOW = 0.5
"""A call that its caller gave up after this part of its time is held against the service."""
NO_CREDENTIALS = (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError)
OUTAGE_CODES = frozenset(
    {
        "AccessDeniedException",
        "ExpiredTokenException",
        "InternalError",
        "InternalErrorException",
        "InternalFailure",
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "ServiceUnavailable",
        "ThrottlingException",
        "TooManyRequestsException",
        "UnrecognizedClientException",
    }
)
"""Error codes that say "not now": the same request may work later, maybe once somebody has put our rights in order."""


class Aws:
    """Low-level clients, open between enter and exit.

    Parameters:
        endpoint_url: an emulator's address; empty for AWS itself.
        timeout_ms: the longest that one call may take, its retry included. A request path and a bulk job
            want different ones: each makes its own `Aws`.
        cognito_timeout_ms: the same for Cognito, which mails codes and hashes passwords; default `timeout_ms`.
        pool_size: connections kept to each service.
        services: those that are used; each costs time and memory.
        breakers: by service, for a request path, which leaves alone for a while what keeps failing. A job asks
            however things are, and rests by rules of its own.

    Credentials come from boto's own chain (AWS_ACCESS_KEY_ID, container or instance role, ...).
    """

    def __init__(
        self,
        region: str,
        endpoint_url: str = "",
        timeout_ms: int = 1000,
        pool_size: int = 20,
        *,
        cognito_timeout_ms: int | None = None,
        services: Sequence[str] = OF_REQUESTS,
        breakers: Mapping[str, Breaker] | None = None,
    ) -> None:
        self._region = region
        self._endpoint_url = endpoint_url
        limits = dict.fromkeys(services, timeout_ms / 1000)
        self._limits_s = limits | {COGNITO: (cognito_timeout_ms or timeout_ms) / 1000}
        self._services = services
        self._breakers = breakers or {}
        self._pool_size = pool_size
        self._stack = AsyncExitStack()
        self._clients: dict[str, Any] = {}

    async def __aenter__(self) -> Self:
        described = AioSession()
        described.register_component("data_loader", DESCRIPTIONS)
        session = aioboto3.Session(region_name=self._region, botocore_session=described)
        endpoint = self._endpoint_url or None
        # where nothing is encrypted no certificate is looked at, and reading those of all authorities takes 15 ms a client
        verify = False if self._endpoint_url.startswith(PLAIN) else None
        async with AsyncExitStack() as stack:
            for service in self._services:
                made = session.client(
                    NAMES[service], endpoint_url=endpoint, config=self._config(service), verify=verify
                )
                self._clients[service] = await stack.enter_async_context(made)
            self._stack = stack.pop_all()
        return self

    def _config(self, service: str) -> Config:
        # A call that timed out is not tried again: its time is up, and what it was to do may have been done.
        return Config(
            connect_timeout=self._limits_s[service],
            read_timeout=self._limits_s[service] + LONGEST_WAIT_S.get(service, 0.0),
            max_pool_connections=self._pool_size,
            retries={"total_max_attempts": ATTEMPTS.get(service, 2), "mode": "standard"},
        )

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clients.clear()
        await self._stack.aclose()

    @property
    def dynamodb(self) -> Any:
        """The low-level DynamoDB client; untyped, as aiobotocore is."""
        return self._opened(DYNAMODB)

    @property
    def cognito(self) -> Any:
        """The low-level Cognito user pool client."""
        return self._opened(COGNITO)

    @property
    def events(self) -> Any:
        """The low-level EventBridge client."""
        return self._opened(EVENTBRIDGE)

    @property
    def sqs(self) -> Any:
        """The low-level SQS client."""
        return self._opened(SQS)

    @property
    def ses(self) -> Any:
        """The low-level client of version 2 of SES."""
        return self._opened(SES)

    @property
    def kinesis(self) -> Any:
        """The low-level Kinesis client."""
        return self._opened(KINESIS)

    @property
    def s3(self) -> Any:
        """The low-level S3 client."""
        return self._opened(S3)

    def _opened(self, service: str) -> Any:
        if service not in self._clients:
            raise RuntimeError(f"{service} is used outside `async with`, or is none of the services that were opened")
        return self._clients[service]

    @asynccontextmanager
    async def calling(self, service: str, wait_s: float = 0.0) -> AsyncIterator[None]:
        """Around calls that share one time limit, that of the service. Raises Unavailable for outages and nothing else.

        `wait_s`: how long the service was asked to wait before it answers, which comes on top.
        The limit is ours and not botocore's, whose attempts each have one, with up to a second of waiting in between.
        After five outages in a row a service with a breaker is left alone for half a minute: then this says so at once.
        """
        breaker, limit_s = self._breakers.get(service), self._limits_s[service]
        if breaker is not None and breaker.is_open:
            raise Unavailable(service) from ConnectionError("it failed too often, and is left alone for a while")
        with nullcontext() if breaker is None else breaker.watching(SLOW * limit_s, _is_outage):
            try:
                async with asyncio.timeout(limit_s + wait_s):
                    yield
            except (TimeoutError, NoConnection, HTTPClientError, IncompleteReadError, *NO_CREDENTIALS) as error:
                raise Unavailable(service) from error
            except ClientError as error:
                if error_code(error) in OUTAGE_CODES or _status(error) >= 500:
                    raise Unavailable(service) from error
                raise


def error_code(error: ClientError) -> str:
    """AWS's name for a failure, such as ConditionalCheckFailedException."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _is_outage(error: Exception) -> bool:
    """Whether nobody answered, or not from what is asked. Who is refused for asking too much has found it there."""
    cause = error.__cause__
    return isinstance(error, Unavailable) and not (isinstance(cause, ClientError) and _status(cause) < 500)
