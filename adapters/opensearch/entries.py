"""What an index knows of products: for who compares it with the database."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from adapters.opensearch.client import Client
from domain.search.ports import Entry
from domain.shared.ids import ProductId

PAGE = 5_000
TIMEOUT_S = 60.0
_KEPT = "public,revision,fingerprint"


async def entries(client: Client, index: str, after: ProductId | None, upto: ProductId | None) -> Sequence[Entry]:
    """All past `after` and up to `upto`, by id. What was written before is seen. Raises Unavailable."""
    bounds = {name: str(each) for name, each in (("gt", after), ("lte", upto)) if each is not None}
    body = {"query": {"range": {"id": bounds}}, "size": PAGE, "sort": [{"id": "asc"}], "_source": _KEPT.split(",")}
    body |= {"version": True, "track_total_hits": False}
    found: list[Entry] = []
    async with client.working(TIMEOUT_S) as api:
        await api.indices.refresh(index=index)
        while True:
            rows = (await api.search(index=index, body=body))["hits"]["hits"]
            found += [_entry(each) for each in rows]
            if len(rows) < PAGE:
                return found
            body["search_after"] = rows[-1]["sort"]


async def entries_of(client: Client, index: str, ids: Sequence[ProductId]) -> Sequence[Entry]:
    """These, by id: read from what was written last, whether it can be searched or not. Raises Unavailable."""
    if not ids:
        return []
    async with client.working(TIMEOUT_S) as api:
        answer = await api.mget(
            index=index, body={"ids": [str(each) for each in ids]}, params={"_source_includes": _KEPT}
        )
    return sorted((_entry(each) for each in answer["docs"] if each.get("found")), key=lambda each: each.product_id)


def _entry(row: Mapping[str, Any]) -> Entry:
    kept = row["_source"]
    product_id, version = ProductId(UUID(row["_id"])), int(row["_version"])
    return Entry(product_id, version, kept.get("revision", 0), kept["public"], kept.get("fingerprint", 0))
