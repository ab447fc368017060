"""`torii serve` in production, as a process of its own on the test session's back ends, seen from outside.

The emulator of AWS is reached as a private endpoint would be, by boto3's own variable: the gateway's setting for emulators has to be
empty in production. The pool's key set is the emulator's, whose private key everybody has.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.cognito.issuer import jwks_url_of
from resolvers.global_ids import encode
from settings import Settings
from tests.api.conftest import Tokens
from tests.factories import Factory
from tests.infra.running import PATIENCE_S, ROOT, free_port

SHOP, HOST = "https://www.shop.example", "api.shop.example"
PRODUCT = "query Shown($id: ID!) { product(id: $id) { id name attributes { value } } }"
JSON = {"host": HOST, "content-type": "application/json", "accept": "application/graphql-response+json"}


@dataclass(frozen=True, slots=True)
class Serving:
    http: httpx.AsyncClient
    log: Path

    async def ask(self, body: dict[str, Any], **headers: str) -> httpx.Response:
        return await self.http.post("/graphql", json=body, headers=JSON | headers)

    async def code(self, body: dict[str, Any], **headers: str) -> Any:
        answer = (await self.ask(body, **headers)).json()
        return answer["errors"][0]["extensions"]["code"] if "errors" in answer else None

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


def environment(settings: Settings, **more: str) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("TORII_", "AWS_"))}
    return own | {
        "TORII_MODE": "production",
        "TORII_DATABASE_URL": settings.database_url.get_secret_value(),
        "TORII_REDIS_URL": settings.redis_url.get_secret_value(),
        "TORII_SECRET_KEY": "s" * 40,
        "TORII_COGNITO_USER_POOL_ID": settings.cognito_user_pool_id,
        "TORII_COGNITO_CLIENT_ID": settings.cognito_client_id,
        "TORII_COGNITO_JWKS_URL": jwks_url_of(
            settings.aws_region, settings.cognito_user_pool_id, settings.aws_endpoint_url
        ),
        "TORII_AWS_REGION": settings.aws_region,
        "TORII_DYNAMODB_TABLE_PREFIX": settings.dynamodb_table_prefix,
        "TORII_SEARCH_INDEX_DIR": str(settings.search_index_dir),
        "TORII_STRIPE_SECRET_KEY": "sk_live_1",
        "TORII_STRIPE_WEBHOOK_SECRET": "whsec_1",
        "TORII_ALLOWED_HOSTS": HOST,
        "TORII_ALLOWED_ORIGINS": SHOP,
        "AWS_ENDPOINT_URL": settings.aws_endpoint_url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        **more,
    }


@pytest.fixture(scope="module", params=["any document", "only trusted documents"])
async def production(
    prepared: Settings, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> AsyncIterator[Serving]:
    folder = tmp_path_factory.mktemp("production")
    (folder / "manifest.json").write_text(json.dumps({"shown": PRODUCT}))
    trusted = {"TORII_TRUSTED_DOCUMENTS": str(folder / "manifest.json"), "TORII_ONLY_TRUSTED_DOCUMENTS": "true"}
    port, log = free_port(), folder / "log.jsonl"
    variables = environment(prepared, PORT=str(port), **(trusted if "only" in request.param else {}))
    with log.open("w") as written:
        process = subprocess.Popen(  # noqa: ASYNC220  (it takes no time to begin)
            [sys.executable, str(ROOT / "cli.py"), "serve"],
            cwd=folder,  # where no `.env` is
            env=variables | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=written,
        )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S) as http:
            await until_ready(http, process, log)
            yield Serving(http, log)
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


async def until_ready(http: httpx.AsyncClient, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 2 * PATIENCE_S
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        try:
            await http.get("/health")
            return
        except httpx.ConnectError:
            await asyncio.sleep(0.05)


def only(production_of: str) -> Any:
    return pytest.mark.parametrize("production", [production_of], indirect=True)


@only("any document")
async def test_the_schema_is_nobodys_to_read_and_no_name_is_suggested(production: Serving) -> None:
    for query in ("{ __schema { types { name } } }", '{ __type(name: "Product") { name } }'):
        assert await production.code({"query": query}) == "GRAPHQL_VALIDATION_FAILED"
    for query in ("{ produts { nodes { id } } }", "{ products(frst: 1) { nodes { id } } }", "{ cart { versio } }"):
        told = (await production.ask({"query": query})).text
        assert "GRAPHQL_VALIDATION_FAILED" in told
        assert "Did you mean" not in told
    page = await production.http.get("/graphql", headers={"host": HOST, "accept": "text/html"})
    assert page.status_code != 200
    assert "<html" not in page.text.lower()
    assert (await production.http.get("/graphiql/graphiql.js", headers={"host": HOST})).status_code == 404


@only("only trusted documents")
async def test_trusted_documents_run_and_no_others(production: Serving, make: Factory) -> None:
    variables = {"id": encode("Product", await make.product(name="煎茶"))}
    shown = (await production.ask({"documentId": "shown", "variables": variables})).json()
    assert shown["data"]["product"]["name"] == "煎茶"
    for other in ({"query": PRODUCT, "variables": variables}, {"documentId": "x"}, {"query": "{ __typename }"}):
        assert await production.code(other) == "DOCUMENT_NOT_TRUSTED"


@only("any document")
async def test_only_known_hosts_and_origins_are_answered(production: Serving) -> None:
    asked = {"query": "{ __typename }"}
    assert (await production.ask(asked)).status_code == 200
    assert (await production.ask(asked, host="evil.example")).status_code == 400
    preflight = {
        "host": HOST,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
    }
    allowed = await production.http.options("/graphql", headers=preflight | {"origin": SHOP})
    assert allowed.headers["access-control-allow-origin"] == SHOP
    refused = await production.http.options("/graphql", headers=preflight | {"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in refused.headers
    assert "access-control-allow-origin" not in (await production.ask(asked, origin="https://evil.example")).headers


@only("any document")
async def test_a_token_that_the_emulators_key_signed_is_refused(production: Serving, token_of: Tokens) -> None:
    token = await token_of("forger@example.com", "buyer")
    answer = await production.ask({"query": "{ viewer { email } }"}, authorization=f"Bearer {token}")
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert token not in production.log.read_text()


@only("any document")
async def test_what_went_wrong_is_in_the_log_under_the_reference_that_the_client_is_given(
    production: Serving, make: Factory
) -> None:
    broken = await make.product(attributes={"size": {"marked-in-the-row": 1}})
    answer = (await production.ask({"query": PRODUCT, "variables": {"id": encode("Product", broken)}})).json()
    [error] = answer["errors"]
    assert error["message"] == "Something went wrong."
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    reference = error["extensions"]["reference"]
    [line] = [line for line in production.lines() if reference in json.dumps(line)]
    assert line["level"] == "error"
    assert "marked-in-the-row" not in json.dumps(answer) + production.log.read_text()


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"TORII_AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "names an emulator"),
        ({"TORII_STRIPE_API_BASE": "http://127.0.0.1:1"}, "TORII_STRIPE_API_BASE"),
        ({"TORII_SECRET_KEY": ""}, "production needs TORII_SECRET_KEY"),
    ],
)
def test_production_does_not_start_on_what_is_for_development(
    prepared: Settings, variables: dict[str, str], said: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "cli.py"), "serve"],
        cwd=tmp_path,
        env=environment(prepared, **variables) | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode != 0
    assert said in " ".join((done.stdout + done.stderr).split())
