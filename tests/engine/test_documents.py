"""The cache of documents is bounded by their text, and keeps only what can run."""

from graphql import build_schema

from engine.reading.bounds import Limits
from engine.reading.documents import Documents
from tests.engine.admitting import admit

SCHEMA = build_schema("type Query { a: Int }")


def documents(max_bytes: int = 1000) -> Documents:
    return Documents(SCHEMA, Limits(), introspection=True, max_bytes=max_bytes)


async def test_a_document_is_read_once() -> None:
    kept = documents()
    assert await kept.get("{ a }", admit) is await kept.get("{ a }", admit)


async def test_what_cannot_run_is_not_kept() -> None:
    kept = documents()
    for text in ("{ b }", "{", "x" * (Limits().document_bytes + 1)):
        assert (await kept.get(text, admit)).errors
    assert kept._documents == {}


async def test_the_least_used_goes_when_there_is_no_room() -> None:
    kept = documents(max_bytes=100)
    first, second = await kept.get("{ a }" + " " * 35, admit), await kept.get("{ a }" + " " * 36, admit)
    assert await kept.get("{ a }" + " " * 35, admit) is first
    await kept.get("{ a }" + " " * 37, admit)
    assert await kept.get("{ a }" + " " * 35, admit) is first
    assert await kept.get("{ a }" + " " * 36, admit) is not second
    assert sum(size for _, size in kept._documents.values()) <= 100
