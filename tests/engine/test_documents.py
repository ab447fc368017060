"""The cache of documents is bounded by their text, and keeps only what can run."""

from graphql import build_schema

from engine.documents import MAX_DOCUMENT_BYTES, Documents

SCHEMA = build_schema("type Query { a: Int }")


def documents(max_bytes: int = 1000) -> Documents:
    return Documents(SCHEMA, introspection=True, max_bytes=max_bytes)


def test_a_document_is_read_once() -> None:
    kept = documents()
    assert kept.get("{ a }") is kept.get("{ a }")


def test_what_cannot_run_is_not_kept() -> None:
    kept = documents()
    for text in ("{ b }", "{", "x" * (MAX_DOCUMENT_BYTES + 1)):
        assert kept.get(text).errors
    assert kept._documents == {}


def test_the_least_used_goes_when_there_is_no_room() -> None:
    kept = documents(max_bytes=100)
    first, second = kept.get("{ a }" + " " * 35), kept.get("{ a }" + " " * 36)
    assert kept.get("{ a }" + " " * 35) is first
    kept.get("{ a }" + " " * 37)
    assert kept.get("{ a }" + " " * 35) is first
    assert kept.get("{ a }" + " " * 36) is not second
    assert sum(size for _, size in kept._documents.values()) <= 100
