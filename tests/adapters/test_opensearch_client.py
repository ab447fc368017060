"""How OpenSearch is reached: who we say we are, whom we believe, and how long we wait."""

import asyncio
import datetime as dt
import ipaddress
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapters.breaker import FAILURES_TO_OPEN
from adapters.opensearch.index import OpenSearchIndex
from adapters.opensearch.mapping import FORMAT
from domain.search.model import SearchScope
from domain.search.request import SearchRequest
from domain.shared.paging import Count
from domain.shared.refusals import Unavailable
from tests.contract.search_shop import words

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SCOPE = SearchScope(SearchRequest.of("急須"))


@asynccontextmanager
async def server(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """The address of one that answers everything by `handler`."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    yield f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@asynccontextmanager
async def index(url: str, **options: Any) -> AsyncIterator[OpenSearchIndex]:
    opened = OpenSearchIndex(url, "products", words(), **options)
    yield opened
    await opened.close()


def found(total: int, request: web.Request) -> web.Response:
    """The answer of an index that finds so many of whatever it is asked."""
    if request.path.endswith("point_in_time"):
        return web.json_response({"pit_id": "a" * 40})
    return web.json_response({"hits": {"total": {"value": total}, "hits": []}})


async def counts_one(request: web.Request) -> web.Response:
    return found(1, request)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Of 127.0.0.1, which nobody vouches for, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "certificate.pem"
    pkcs8, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(serialization.Encoding.PEM, pkcs8, plain)
    )
    return file


async def test_user_password_and_path_are_taken_from_the_address() -> None:
    seen: list[tuple[str | None, str]] = []

    async def look(request: web.Request) -> web.Response:
        seen.append((request.headers.get("Authorization"), request.path))
        return found(3, request)

    async with server(look) as url:
        address = url.replace("://", "://torii:p%40ss%3Aword@") + "/search/"
        async with index(address) as opened:
            assert await opened.count(SCOPE) == Count(3)
    login = "Basic dG9yaWk6cEBzczp3b3Jk"
    assert seen == [(login, f"/search/products-v{FORMAT}/_search/point_in_time"), (login, "/search/_search")]


class TestCertificates:
    async def test_one_that_nobody_vouches_for_is_refused(self, certificate: Path) -> None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(certificate)
        async with server(counts_one, tls) as url, index(url) as opened:
            with pytest.raises(Unavailable) as refused:
                await opened.count(SCOPE)
        assert "CERTIFICATE_VERIFY_FAILED" in str(refused.value.__cause__)

    async def test_ones_own_authority_is_named_in_the_environment(
        self, certificate: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(certificate)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        async with server(counts_one, tls) as url, index(url) as opened:
            assert await opened.count(SCOPE) == Count(1)


class TestAway:
    async def test_a_closed_port_is_an_outage(self, unused_tcp_port: int) -> None:
        async with index(f"http://127.0.0.1:{unused_tcp_port}") as opened:
            for call in (opened.count(SCOPE), opened.is_built(), opened.check(), opened.remove([], 1)):
                with pytest.raises(Unavailable):
                    await call

    async def test_one_that_never_answers_is_an_outage_within_the_time_limit(self) -> None:
        given_up = asyncio.Event()

        async def never(request: web.Request) -> web.Response:
            await given_up.wait()
            return web.Response()

        async with server(never) as url, index(url, timeout_ms=200, write_timeout_ms=300) as opened:
            started = time.perf_counter()
            for call in (opened.count(SCOPE), opened.is_built()):
                with pytest.raises(Unavailable):
                    await call
            assert time.perf_counter() - started < 15
            given_up.set()

    @pytest.mark.parametrize("status", [401, 403, 429, 503])
    async def test_a_refusal_of_the_server_is_an_outage(self, status: int) -> None:
        async def refuse(request: web.Request) -> web.Response:
            return web.json_response({"error": "no"}, status=status)

        async with server(refuse) as url, index(url) as opened:
            with pytest.raises(Unavailable):
                await opened.count(SCOPE)

    async def test_what_is_no_json_is_an_outage(self) -> None:
        async def page(request: web.Request) -> web.Response:
            return web.Response(text="<html>the load balancer</html>", content_type="application/json")

        async with server(page) as url, index(url) as opened:
            with pytest.raises(Unavailable):
                await opened.count(SCOPE)

    async def test_one_that_keeps_failing_is_left_alone_by_requests_but_not_by_checks(self) -> None:
        asked: list[str] = []

        async def fail(request: web.Request) -> web.Response:
            asked.append(request.path)
            return web.json_response({"error": "no"}, status=503)

        async with server(fail) as url, index(url) as opened:
            deadline = time.monotonic() + 60
            before = -1
            while len(asked) != before:  # failures close together count as one
                before = len(asked)
                assert time.monotonic() < deadline
                with pytest.raises(Unavailable):
                    await opened.count(SCOPE)
            assert len(asked) >= FAILURES_TO_OPEN
            with pytest.raises(Unavailable):
                await opened.check()
            assert len(asked) == before + 1
