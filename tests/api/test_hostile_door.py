"""What no client of good will sends: heads and bodies at the edges of GraphQL over HTTP, each with the one answer it gets."""

import asyncio
import hashlib
from typing import Any

import httpx
import orjson
import pytest

JSON, GRAPHQL = "application/json", "application/graphql-response+json"
OK = "{ __typename }"
Sent = list[tuple[str, str]]


async def post(http: httpx.AsyncClient, body: Any, headers: Sent | None = None) -> httpx.Response:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    named = {name.lower() for name, _ in headers or []}
    own = [each for each in [("content-type", JSON), ("accept", GRAPHQL)] if each[0] not in named]
    return await http.post("/graphql", content=content, headers=[*own, *(headers or [])])


@pytest.mark.parametrize(
    ("accepts", "media"),
    [
        (["text/html", JSON], JSON),  # of several headers of that name all count
        (["image/png", f"text/plain, {GRAPHQL}"], GRAPHQL),
        ([f"{JSON};q=0, */*"], GRAPHQL),  # what is refused by name is not meant by a star
        ([f"{JSON};q=0, application/*;q=0.1"], GRAPHQL),
        ([f"{GRAPHQL};q=0, {JSON};q=0, */*"], None),
        ([f"{JSON};q=0.001"], JSON),
        ([f"{JSON};q=0"], None),
        ([f"{JSON};q=-1"], None),
        ([f"{JSON};q=nan"], None),
        ([f"{JSON};q=two, {GRAPHQL}"], GRAPHQL),
        ([f"{JSON.upper()};CHARSET=UTF-8"], JSON),
        ([f"{JSON};charset=utf-16"], None),
        ([f" ,, {JSON} ;q = 0.5 ,"], JSON),
        ([""], JSON),
    ],
)
async def test_what_is_accepted_is_read_as_http_says(
    http: httpx.AsyncClient, accepts: list[str], media: str | None
) -> None:
    response = await post(http, {"query": OK}, [("accept", each) for each in accepts])
    assert response.status_code == (200 if media else 406), response.text
    assert response.headers["content-type"] == f"{media or GRAPHQL}; charset=utf-8"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([("content-type", "application/json ; charset = utf-8")], 200),
        ([("content-type", 'Application/JSON;charset="UTF-8"')], 200),
        ([("content-type", JSON), ("content-type", "text/plain")], 200),  # the first of two counts
        ([("content-type", "text/plain"), ("content-type", JSON)], 415),
        ([("content-type", "application/json; charset=utf-16; charset=utf-8")], 415),
        ([("content-type", "application/jsonx")], 415),
        ([("content-type", "application/json, text/plain")], 415),
        ([("content-encoding", "Identity")], 200),
        ([("content-encoding", "gzip, identity")], 415),
        ([("content-length", "x")], 200),
    ],
)
async def test_what_is_sent_is_read_as_it_says(http: httpx.AsyncClient, headers: Sent, status: int) -> None:
    response = await post(http, {"query": OK}, headers)
    assert response.status_code == status, response.text


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"])
async def test_other_methods_are_told_which_there_are(http: httpx.AsyncClient, method: str) -> None:
    response = await http.request(method, "/graphql", params={"query": OK})
    assert response.status_code in (201, 405)
    if response.status_code == 405:
        assert response.headers["allow"]


@pytest.mark.parametrize(
    "body",
    [
        {"query": OK, "extensions": []},
        {"query": OK, "extensions": 0},
        {"query": OK, "extensions": {"persistedQuery": []}},
        {"query": OK, "extensions": {"persistedQuery": {}}},
        {"query": OK, "extensions": {"persistedQuery": {"version": 2, "sha256Hash": "0" * 64}}},
        {"query": OK, "extensions": {"persistedQuery": {"version": 1, "sha256Hash": 1}}},
        {"query": OK, "extensions": {"operationId": {}}},
        {"query": OK, "documentId": 7},
        {"query": OK, "documentId": []},
        {"query": OK, "documentId": "x" * 257},
        {"query": OK, "variables": "{}"},
        {"query": OK, "variables": 0},
        {"query": OK, "operationName": []},
        {"query": OK, "operationName": False},
        {"query": None},
        {"query": " \n"},
        {"query": [OK]},
        {"query": {"kind": "Document"}},
        [[{"query": OK}]],
    ],
)
async def test_what_is_of_another_kind_is_not_run(http: httpx.AsyncClient, body: Any) -> None:
    told = (await post(http, body)).json()
    [told] = told if isinstance(told, list) else [told]
    assert told["errors"][0]["extensions"]["code"] in ("BAD_REQUEST", "GRAPHQL_VALIDATION_FAILED")
    assert "data" not in told


@pytest.mark.parametrize(
    "hash_", ["0" * 64, hashlib.sha256(b"{ other }").hexdigest(), "x", hashlib.md5(OK.encode()).hexdigest()]
)
async def test_a_text_is_kept_under_its_own_hash_alone(http: httpx.AsyncClient, hash_: str) -> None:
    persisted = {"persistedQuery": {"version": 1, "sha256Hash": hash_}}
    first = await post(http, {"query": OK, "extensions": persisted})
    assert first.status_code == 400
    again = (await post(http, {"extensions": persisted})).json()
    assert "data" not in again


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1, 2**63, 10**30, 1.5, 1e308, True, "1", [[1]], {"a": 1}])
async def test_numbers_that_are_none_of_the_types_are_told_and_not_quoted_at_length(
    http: httpx.AsyncClient, value: Any
) -> None:
    query = "query ($n: Int!) { products(first: $n) { nodes { id } } }"
    body = b'{"query":"' + query.encode() + b'","variables":{"n":' + _json(value) + b"}}"
    response = await post(http, body)
    assert response.status_code == 400
    message = response.json()["errors"][0]["message"]
    assert "$n" in message or "costs" in message  # as many as that would cost too much, whatever else they are
    assert len(response.content) < 1_000


def _json(value: Any) -> bytes:
    return str(value).encode() if type(value) is int else orjson.dumps(value)


async def test_numbers_in_a_document_may_be_as_long_as_the_document(http: httpx.AsyncClient) -> None:
    response = await post(http, {"query": "{ products(first: %s) { nodes { id } } }" % ("9" * 5_000)})
    assert response.status_code == 400
    assert len(response.content) < 12_000


@pytest.mark.parametrize("depth", [20, 200, 900, 1_100, 5_000])
async def test_variables_may_not_be_deeper_than_anybody_looks(http: httpx.AsyncClient, depth: int) -> None:
    deep = b'{"a":' * depth + b"1" + b"}" * depth
    query = b"query ($f: ProductFilter) { products(first: 1, filter: $f) { nodes { id } } }"
    response = await post(http, b'{"query":"' + query + b'","variables":{"f":' + deep + b"}}")
    assert response.status_code in (400, 413)
    assert len(response.content) < 5_000


@pytest.mark.parametrize(
    "text", [rb"\u0000", rb"\u2028", rb"\uffff", rb"\udbff\udfff", rb"\ud83d\ude00", b"a\xcc\x81" * 50]
)
@pytest.mark.parametrize(
    "field", ["node(id: $s) { id }", "product(slug: $s) { id }", "search(query: $s) { __typename }"]
)
async def test_any_text_is_found_or_not_found(http: httpx.AsyncClient, text: bytes, field: str) -> None:
    type_ = "ID" if field.startswith("node") else "String"
    query = f"query ($s: {type_}!) {{ {field} }}"
    response = await post(http, b'{"query":"' + query.encode() + b'","variables":{"s":"' + text + b'"}}')
    assert response.status_code in (200, 400)
    codes = [each["extensions"]["code"] for each in response.json().get("errors", [])]
    assert "INTERNAL_SERVER_ERROR" not in codes


async def test_a_get_changes_nothing_however_it_is_hidden(http: httpx.AsyncClient) -> None:
    two = "query A { __typename } mutation B { __typename }"
    for query, name, status in ((two, "A", 200), (two, "B", 405), ("mutation { __typename }", "", 405)):
        response = await http.get(
            "/graphql", params={"query": query, "operationName": name}, headers={"accept": GRAPHQL}
        )
        assert response.status_code == status, response.text
    twice = await http.get("/graphql?query=mutation{__typename}&query={__typename}", headers={"accept": GRAPHQL})
    assert twice.status_code == 400


async def test_a_batch_may_have_anything_in_it_and_answers_each(http: httpx.AsyncClient) -> None:
    sent = [
        {"query": OK},
        None,
        7,
        [],
        {},
        {"query": "subscription { stockChanged(productId: 1) { id } }"},
        {"query": OK},
    ]
    response = await post(http, sent)
    assert response.status_code == 200
    told = response.json()
    assert [("data" in each, "errors" in each) for each in told] == [
        (True, False), (False, True), (False, True), (False, True), (False, True), (False, True), (True, False),
    ]  # fmt: skip


async def test_a_body_in_very_many_pieces_is_one_body(http: httpx.AsyncClient) -> None:
    async def pieces() -> Any:
        for byte in orjson.dumps({"query": OK}):
            yield b""
            yield bytes([byte])
            await asyncio.sleep(0)

    headers = {"content-type": JSON, "accept": GRAPHQL}
    response = await http.post("/graphql", content=pieces(), headers=headers)
    assert response.json()["data"] == {"__typename": "Query"}
