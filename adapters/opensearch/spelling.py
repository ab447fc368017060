"""What somebody may have meant to type, asked of OpenSearch."""

from collections.abc import Mapping
from typing import Any

from adapters.language.spelling import LOOKED_AT, changes_allowed, closest, spelling_key


def spelling_body(word: str) -> dict[str, Any] | None:
    """Products with a key near that of the word; None for what is too short to be mistyped."""
    key = spelling_key(word)
    allowed = changes_allowed(key)
    if not allowed:
        return None
    near = {"fuzzy": {"name_keys": {"value": key, "fuzziness": allowed, "transpositions": True}}}
    return {
        "query": {"bool": {"filter": [{"term": {"public": True}}, near]}},
        "sort": [{"prominence": "desc"}, {"id": "asc"}],
        "size": LOOKED_AT,
        "track_total_hits": False,
        "_source": ["name_keys", "name_written"],
    }


def spelled(word: str, answer: Mapping[str, Any]) -> str | None:
    kept = [each["_source"] for each in answer["hits"]["hits"]]
    keys = (pair for each in kept for pair in zip(each["name_keys"], each["name_written"], strict=True))
    return closest(spelling_key(word), keys)
