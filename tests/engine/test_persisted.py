"""Documents by name: trusted ones from a manifest, and automatic persisted queries as Apollo's clients send them."""

import hashlib
from pathlib import Path
from typing import Any

import orjson
import pytest
from graphql import build_schema

from engine.exchange import Answer, Request
from engine.execution import Executor
from engine.policy import Policy
from engine.reading.bounds import Limits
from engine.reading.persisted import MAX_REGISTERED_A_MINUTE, WrongManifest
from engine.transport.http_request import BadRequest, checked

SCHEMA = build_schema("type Query { a: Int  b: Int  c: Query }")


class Shelf:
    """What processes share, kept here."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    async def get(self, sha256: str) -> str | None:
        return self.texts.get(sha256)

    async def put(self, sha256: str, text: str) -> None:
        self.texts[sha256] = text


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def executor(shelf: Shelf | None = None, **policy: Any) -> Executor:
    made = Executor(SCHEMA, lambda *_: None, Policy(5.0, **policy))
    made.entry.documents.registered = shelf
    return made


def code_of(answer: Answer) -> str | None:
    errors = answer.body.get("errors")
    return errors[0]["extensions"]["code"] if errors else None


async def run(on: Executor, query: str = "", id: str | None = None) -> Answer:
    return await on.run(Request(query, document_id=id), None)


async def test_a_query_is_asked_for_by_its_hash_once_it_was_sent_with_it() -> None:
    on, text = executor(Shelf()), "{ a }"
    unknown = await run(on, id=sha256(text))
    assert unknown.body["errors"][0]["message"] == "PersistedQueryNotFound"
    assert code_of(unknown) == "PERSISTED_QUERY_NOT_FOUND"
    for query in (text, ""):
        assert (await run(on, query, sha256(text).upper())).body["data"] == {"a": None}


async def test_another_process_serves_what_one_was_told() -> None:
    shelf, text = Shelf(), "{ a }"
    await run(executor(shelf), text, sha256(text))
    assert (await run(executor(shelf), id=sha256(text))).body["data"] == {"a": None}


async def test_a_text_under_anothers_hash_is_refused_wherever_it_comes_from() -> None:
    shelf, on = Shelf(), executor()
    assert code_of(await run(on, "{ b }", sha256("{ a }"))) == "PERSISTED_QUERY_HASH_MISMATCH"
    assert code_of(await run(on, "{ b }", "id")) == "PERSISTED_QUERY_HASH_MISMATCH"
    shelf.texts[sha256("{ a }")] = "{ b }"
    assert code_of(await run(executor(shelf), id=sha256("{ a }"))) == "PERSISTED_QUERY_NOT_FOUND"


async def test_what_cannot_run_is_not_registered_and_a_flood_is_not_stored() -> None:
    shelf = Shelf()
    on = executor(shelf)
    assert code_of(await run(on, "{ x }", sha256("{ x }"))) == "GRAPHQL_VALIDATION_FAILED"
    assert not shelf.texts
    for n in range(MAX_REGISTERED_A_MINUTE * 3):
        assert code_of(await run(on, f"{{ a }} #{n}", sha256(f"{{ a }} #{n}"))) is None
    assert MAX_REGISTERED_A_MINUTE <= len(shelf.texts) <= 2 * MAX_REGISTERED_A_MINUTE  # a minute may have ended


@pytest.mark.parametrize("id", ["", "x", "../../etc/passwd", "0" * 63, "g" * 64, "\u0660" * 64])
async def test_an_id_that_is_no_hash_is_not_found(id: str) -> None:
    assert code_of(await run(executor(Shelf()), id=id)) == "PERSISTED_QUERY_NOT_FOUND"


async def test_clients_are_told_that_nothing_is_registered_here() -> None:
    refused = await run(executor(automatic=False), id=sha256("{ a }"))
    assert refused.body["errors"][0]["message"] == "PersistedQueryNotSupported"
    assert code_of(refused) == "PERSISTED_QUERY_NOT_SUPPORTED"


def manifest(folder: Path, content: Any) -> Path:
    path = folder / "persisted-documents.json"
    path.write_bytes(content if isinstance(content, bytes) else orjson.dumps(content))
    return path


DEEP = "{ " + "c { " * 20 + "a" + " }" * 21


async def test_trusted_documents_run_by_id_whatever_their_shape(tmp_path: Path) -> None:
    on = executor(manifest=manifest(tmp_path, {"one": "{ a }", "deep": DEEP}))
    assert (await run(on, id="one")).body["data"] == {"a": None}
    assert (await run(on, id="deep")).body["data"] == {"c": None}
    assert (await run(on, "{ b }", id="one")).body["data"] == {"a": None}  # the id says which, not what is sent with it
    assert code_of(await run(on, DEEP)) == "DEPTH_LIMIT_EXCEEDED"


async def test_only_trusted_documents_run_where_that_is_set(tmp_path: Path) -> None:
    on = executor(Shelf(), manifest=manifest(tmp_path, {"one": "{ a }"}), only_trusted=True)
    assert code_of(await run(on, id="one")) is None
    for query, id in (("{ a }", None), ("{ b }", sha256("{ b }")), ("", "two"), ("", sha256("{ a }"))):
        assert code_of(await run(on, query, id)) == "DOCUMENT_NOT_TRUSTED"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{", "not JSON"),
        ([], "not a JSON object"),
        ({"a": 1}, "not a JSON object"),
        ({"a": "{ a }", "b": "{ x }"}, "b: Cannot query field 'x'"),
        ({"b": "{"}, "b: Syntax Error"),
        ({"b": "#" * 200 + "\n{ a }"}, "b: The operation has 206 bytes"),
        ({"b": "{ " + "a " * 50 + "}"}, "tokens"),
    ],
)
def test_a_wrong_manifest_keeps_the_gateway_from_starting_and_says_why(
    tmp_path: Path, content: Any, problem: str
) -> None:
    with pytest.raises(WrongManifest, match="persisted-documents") as wrong:
        executor(manifest=manifest(tmp_path, content), limits=Limits(trusted_bytes=200, trusted_tokens=50))
    assert problem in str(wrong.value)
    with pytest.raises(WrongManifest, match="cannot be read"):
        executor(manifest=tmp_path / "nothing.json")


@pytest.mark.parametrize(
    ("sent", "id"),
    [
        ({"documentId": "one"}, "one"),
        ({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "ab"}}}, "ab"),
        ({"query": "{ a }", "extensions": {"persistedQuery": {"version": 1, "sha256Hash": "ab"}}}, "ab"),
        ({"query": None, "documentId": "one"}, "one"),
        ({"query": "{ a }"}, None),
    ],
)
def test_both_ways_of_naming_a_document_are_understood(sent: dict[str, Any], id: str | None) -> None:
    assert checked(sent).document_id == id


@pytest.mark.parametrize(
    "sent",
    [
        {"documentId": 1},
        {"documentId": ""},
        {"documentId": "x" * 257},
        {"query": 1, "documentId": "one"},
        {"extensions": {"persistedQuery": "x"}},
        {"extensions": {"persistedQuery": {"version": 1}}},
        {"extensions": {"persistedQuery": {"version": 2, "sha256Hash": "ab"}}},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": ["ab"]}}},
    ],
)
def test_what_names_nothing_is_a_bad_request(sent: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        checked(sent)
