"""GraphQL over HTTP, as the draft of the GraphQL Foundation has it."""

import hashlib
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest
from pydantic import SecretStr

from commands import jobs
from gateway import create_app
from infra.draining import Draining
from settings import Settings
from tests.api.client import Client
from tests.api.conftest import client_of
from tests.relay import relayed

OK = "{ __typename }"
GRAPHQL = "application/graphql-response+json"
JSON = "application/json"


@pytest.mark.parametrize("path", ["/graphql", "/api/graphql"])
async def test_both_paths_answer(http: httpx.AsyncClient, path: str) -> None:
    answer = (await http.post(path, json={"query": OK})).json()
    assert answer["data"] == {"__typename": "Query"}
    assert answer["extensions"]["cost"] == {"requested": 1, "actual": 1}


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        (None, JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}; charset=utf-8, {JSON}; charset=utf-8", GRAPHQL),
        (f"{JSON};q=0.5, {GRAPHQL};q=0.9", GRAPHQL),
        (f"{GRAPHQL};q=0, {JSON}", JSON),
        (f"{GRAPHQL}, {JSON}, text/event-stream, multipart/mixed", GRAPHQL),
    ],
)
async def test_the_answer_has_the_type_asked_for(http: httpx.AsyncClient, accept: str | None, media: str) -> None:
    headers = {"accept": accept} if accept else {}
    request = http.build_request("POST", "/graphql", json={"query": OK}, headers=headers)
    if accept is None:
        del request.headers["accept"]
    response = await http.send(request)
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{media}; charset=utf-8"


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", {}, 400),
        (b"{", {}, 400),
        (b'"text"', {}, 400),
        (b"[]", {}, 400),
        (b"{}", {}, 400),
        (b'{"query": 1}', {}, 400),
        (b'{"query": "{ __typename }", "variables": []}', {}, 400),
        (b'{"query": "{ __typename }", "operationName": 1}', {}, 400),
        (b'{"query": "{ __typename }", "extensions": "x"}', {}, 400),
        (b'\xff\xfe{"query"', {}, 400),
        (b"[" * 10_000, {}, 400),
        (b"[" * 100_000, {}, 413),
        (b'{"query": "{ __typename }"}', {"content-type": "text/plain"}, 415),
        (b'{"query": "{ __typename }"}', {"content-type": ""}, 415),
        (b'{"query": "{ __typename }"}', {"content-type": "application/json; charset=utf-16"}, 415),
        (b'{"query": "{ __typename }"}', {"accept": "text/html"}, 406),
        (b'{"query": "' + b"x" * 2_100_000 + b'"}', {}, 413),
    ],
)
async def test_what_is_not_graphql_gets_a_graphql_error(
    http: httpx.AsyncClient, body: bytes, headers: dict[str, str], status: int
) -> None:
    response = await http.post("/graphql", content=body, headers={"content-type": JSON} | headers)
    assert response.status_code == status
    assert response.json()["errors"][0]["message"]
    assert "data" not in response.json()


@pytest.mark.parametrize(
    ("operation", "problem"),
    [
        ({"query": "{"}, "Syntax Error"),
        ({"query": "{ nothing }"}, "nothing"),
        ({"query": "query A { __typename } query B { __typename }"}, "operation name"),
        ({"query": OK, "operationName": "C"}, "'C'"),
        ({"query": "query ($n: Int!) { products(first: $n) { nodes { id } } }"}, "$n"),
        ({"query": "query ($n: Int!) { products(first: $n) { nodes { id } } }", "variables": {"n": "x"}}, "$n"),
        ({"query": "subscription { x }"}, "Subscription"),
    ],
)
@pytest.mark.parametrize(("media", "status"), [(GRAPHQL, 400), (JSON, 200)])
async def test_a_bad_document_has_no_data_and_the_status_of_its_media_type(
    http: httpx.AsyncClient, operation: dict[str, Any], problem: str, media: str, status: int
) -> None:
    response = await http.post("/graphql", json=operation, headers={"accept": media})
    assert response.status_code == status
    assert problem in response.json()["errors"][0]["message"]
    assert response.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert "data" not in response.json()


async def test_get_reads_and_never_changes(http: httpx.AsyncClient) -> None:
    variables = orjson.dumps({"n": 1}).decode()
    query = "query ($n: Int!) { products(first: $n) { nodes { id } } }"
    read = await http.get("/graphql", params={"query": query, "variables": variables})
    assert read.status_code == 200
    assert "errors" not in read.json()
    changed = await http.get(
        "/graphql", params={"query": 'mutation { cartItemRemove(input: {lineId: ""}) { cart { version } } }'}
    )
    assert (changed.status_code, changed.headers["allow"]) == (405, "POST")
    assert (await http.get("/graphql", params={"query": OK, "variables": "{"})).status_code == 400
    assert (await http.get("/graphql")).status_code == 400
    assert (await http.get("/graphql?" + "a=0&" * 30)).status_code == 400
    assert (await http.patch("/graphql", json={"query": OK})).status_code == 405


async def test_browsers_get_graphiql_that_asks_no_other_address(http: httpx.AsyncClient) -> None:
    page = await http.get("/graphql", headers={"accept": "text/html,application/xhtml+xml"})
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert "http://" not in page.text
    assert "https://" not in page.text
    for asset in ("graphiql.min.js", "graphiql.min.css", "react.production.min.js"):
        assert f"/graphiql/{asset}" in page.text
        assert (await http.get(f"/graphiql/{asset}")).status_code == 200


async def test_fields_of_a_back_end_fail_alone_with_their_code(api: Client) -> None:
    answer = await api.answer(
        '{ products(first: 1000) { nodes { id } } categories { id } search(query: "\\u0000") { nodes { score } } }'
    )
    assert answer["data"]["products"] is answer["data"]["search"] is None
    assert isinstance(answer["data"]["categories"], list)
    codes = {error["path"][0]: error["extensions"]["code"] for error in answer["errors"]}
    assert codes == {"products": "BAD_USER_INPUT", "search": "BAD_USER_INPUT"}


async def test_the_gateway_says_that_it_lives_and_how_its_back_ends_are(http: httpx.AsyncClient) -> None:
    assert (await http.get("/health")).json() == {"status": "alive"}
    health = await http.get("/api/health")
    assert health.status_code == 200
    assert set(health.json()["backEnds"]) == {"postgres", "redis", "dynamodb", "cognito", "search", "stripe"}
    down = {name for name, state in health.json()["backEnds"].items() if state["status"] != "up"}
    assert down <= {"search"}  # which has an index only where something was indexed


async def test_health_is_503_while_draining_so_that_the_load_balancer_turns_away(prepared: Settings) -> None:
    draining = Draining()
    app = create_app(prepared, draining)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as outside:
        assert (await outside.get("/api/health")).status_code == 503
        async with app.router.lifespan_context(app):
            assert (await outside.get("/api/health")).status_code == 200
            draining.has_begun = True
            response = await outside.get("/api/health")
            assert (response.status_code, response.json()) == (503, {"status": "draining"})
            assert (await outside.post("/graphql", json={"query": OK})).status_code == 200


async def test_a_back_end_that_is_down_degrades_the_gateway_and_no_more(prepared: Settings) -> None:
    away = prepared.model_copy(update={"redis_url": SecretStr("redis://127.0.0.1:1")})
    app = create_app(away)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as outside,
    ):
        health = await outside.get("/api/health")
        assert (health.status_code, health.json()["status"]) == (200, "degraded")
        assert health.json()["backEnds"]["redis"]["status"] == "down"
        query = {"query": "{ products(first: 1) { nodes { category { name } } } categories { name } }"}
        assert "errors" not in (await outside.post("/graphql", json=query)).json()


async def test_introspection_goes_with_graphiql(prepared: Settings) -> None:
    app = create_app(prepared.model_copy(update={"graphiql": False}))
    query = {"query": "{ __schema { queryType { name } } }"}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as outside,
    ):
        assert "introspection" in (await outside.post("/graphql", json=query)).json()["errors"][0]["message"]
        assert (await outside.get("/graphql", headers={"accept": "text/html"})).status_code == 406


async def test_answers_are_nobody_elses_to_keep(http: httpx.AsyncClient) -> None:
    response = await http.get("/graphql", params={"query": OK})
    assert (response.headers["cache-control"], response.headers["vary"]) == ("no-store", "Accept")
    refused = await http.post("/graphql", json={"query": OK}, headers={"authorization": "Bearer x"})
    assert refused.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "path", ["products/00000000-0000-0000-0000-000000000000/" + "9" * 5000, "logos/" + "x" * 10_000]
)
async def test_no_picture_has_such_a_name(http: httpx.AsyncClient, path: str) -> None:
    assert (await http.get(f"/images/{path}.svg")).status_code == 404


async def test_a_frozen_database_costs_its_own_fields_and_less_than_two_seconds(
    prepared: Settings, token_of: Any, tmp_path: Path
) -> None:
    token = await token_of("frozen@example.com", "buyer")
    prepared = prepared.model_copy(update={"search_index_dir": tmp_path / "search"})
    await jobs.rebuild(prepared, lambda *_: None)  # without an index it is the database that is searched
    query = """{ cart { totalQuantity } search(query: "x") { nodes { score } }
        products { nodes { id } } nodes(ids: ["x"]) { id } }"""
    limits = {"database_timeout_ms": 600, "query_timeout_ms": 30_000}
    async with relayed(prepared.database_url.get_secret_value()) as (relay, url):
        app = create_app(prepared.model_copy(update={"database_url": SecretStr(url), **limits}))
        async with app.router.lifespan_context(app), client_of(app) as outside:
            headers = {"authorization": f"Bearer {token}"}
            assert "errors" not in (await outside.post("/graphql", json={"query": query}, headers=headers)).json()
            relay.flowing.clear()
            began = time.perf_counter()
            answer = (await outside.post("/graphql", json={"query": query}, headers=headers)).json()
            assert time.perf_counter() - began < 10  # not the query's half a minute
            assert (await outside.get("/api/health")).json()["backEnds"]["postgres"]["status"] == "down"
            relay.flowing.set()
    assert answer["data"]["cart"] == {"totalQuantity": 0}
    assert answer["data"]["search"] is not None
    assert answer["data"]["products"] is None
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["SERVICE_UNAVAILABLE"]


async def test_a_persisted_query_goes_by_get_and_through_redis_to_another_process(prepared: Settings) -> None:
    text = f"{{ __typename }} # {uuid4()}"
    named = {"persistedQuery": {"version": 1, "sha256Hash": hashlib.sha256(text.encode()).hexdigest()}}
    address = {"extensions": orjson.dumps(named).decode()}
    for first in (True, False):
        app = create_app(prepared)  # as another process: it has read nothing yet
        async with app.router.lifespan_context(app), client_of(app) as outside:
            if first:
                unknown = (await outside.get("/graphql", params=address)).json()
                assert unknown["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
                sent = await outside.post("/graphql", json={"query": text, "extensions": named})
                assert sent.json()["data"] == {"__typename": "Query"}
            assert (await outside.get("/graphql", params=address)).json()["data"] == {"__typename": "Query"}


async def test_persisted_queries_work_without_redis(prepared: Settings) -> None:
    text = f"{{ __typename }} # {uuid4()}"
    named = {"persistedQuery": {"version": 1, "sha256Hash": hashlib.sha256(text.encode()).hexdigest()}}
    app = create_app(prepared.model_copy(update={"redis_url": SecretStr("redis://127.0.0.1:1")}))
    async with app.router.lifespan_context(app), client_of(app) as outside:
        for body in ({"query": text, "extensions": named}, {"extensions": named}):
            assert (await outside.post("/graphql", json=body)).json()["data"] == {"__typename": "Query"}
