"""Documents by name over a WebSocket: registered by their hash as Apollo's clients do, or trusted ones of a manifest."""

import hashlib
import json
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from gateway import create_app
from settings import Settings
from tests.api.sockets import PROTOCOL, begin, exchange, serving

QUERY = "{ cart { totalQuantity } __typename }"
SHA256 = hashlib.sha256(QUERY.encode()).hexdigest()


def persisted(sha256: str, **rest: Any) -> dict[str, Any]:
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha256}}} | rest


async def ask(socket: ClientConnection, payload: dict[str, Any]) -> Any:
    """The data of the answer, or the code of the error that it is refused with."""
    said = await exchange(socket, {"type": "subscribe", "id": "1", "payload": payload})
    if said["type"] == "error":
        return said["payload"][0]["extensions"]["code"]
    assert json.loads(await socket.recv()) == {"type": "complete", "id": "1"}
    return said["payload"]["data"]


async def test_a_hash_is_enough_once_it_came_with_the_document(address: str) -> None:
    shown = {"cart": {"totalQuantity": 0}, "__typename": "Query"}
    async with connect(address, subprotocols=[PROTOCOL]) as socket:
        await begin(socket)
        assert await ask(socket, persisted(SHA256)) == "PERSISTED_QUERY_NOT_FOUND"
        assert await ask(socket, persisted(SHA256, query=QUERY)) == shown
        assert await ask(socket, persisted(SHA256)) == shown
        assert await ask(socket, persisted(SHA256.upper())) == shown
    async with connect(address, subprotocols=[PROTOCOL]) as other:
        await begin(other)
        assert await ask(other, persisted(SHA256)) == shown, "on every connection"


async def test_a_document_under_the_hash_of_another_is_refused_and_not_kept(address: str) -> None:
    wrong = hashlib.sha256(b"{ another }").hexdigest()
    async with connect(address, subprotocols=[PROTOCOL]) as socket:
        await begin(socket)
        assert await ask(socket, persisted(wrong, query=QUERY)) == "PERSISTED_QUERY_HASH_MISMATCH"
        assert await ask(socket, persisted(wrong)) == "PERSISTED_QUERY_NOT_FOUND"
        assert await ask(socket, {"query": "{ __typename }"}) == {"__typename": "Query"}


async def test_trusted_documents_run_by_name_and_nothing_else_does(prepared: Settings, tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"the-cart": QUERY}))
    only = prepared.model_copy(update={"trusted_documents": manifest, "only_trusted_documents": True})
    app = create_app(only)
    async with (
        app.router.lifespan_context(app),
        serving(app, only) as host,
        connect(f"ws://{host}/graphql", subprotocols=[PROTOCOL]) as socket,
    ):
        await begin(socket)
        for named in ({"documentId": "the-cart"}, persisted("the-cart")):
            assert await ask(socket, named) == {"cart": {"totalQuantity": 0}, "__typename": "Query"}
        for other in ({"query": QUERY}, persisted(SHA256), persisted(SHA256, query=QUERY), {"documentId": "x"}):
            assert await ask(socket, other) == "DOCUMENT_NOT_TRUSTED"
