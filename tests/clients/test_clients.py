"""Clients of other projects in their default settings, and the audits of GraphQL over HTTP, against a running gateway."""

import asyncio
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.postgres import tables
from resolvers.global_ids import encode
from tests.factories import Factory

pytestmark = pytest.mark.clients
WITHIN_S = 60.0
AUDITS = 61
MISTAKE = "GRAPHQL_VALIDATION_FAILED"


@asynccontextmanager
async def running(node: Path, scripts: Path, name: str, *arguments: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        node, f"{name}.js", *arguments, cwd=scripts, stdout=PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def said(process: Process) -> tuple[str, Any]:
    """The next thing that a script found. What it says in other words is why it failed."""
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), WITHIN_S)
    if not line.startswith(b'{"step"'):
        pytest.fail((line + await asyncio.wait_for(process.stdout.read(), WITHIN_S)).decode() or "it said nothing more")
    found = json.loads(line)
    return found["step"], found.get("value")


PUT_OFF = {"first": False, "last": 9, "results": 2}


@pytest.mark.parametrize(
    ("name", "puts_off"),
    [
        ("urql", ["defer"]),
        ("apollo", ["defer", "defer now"]),
        ("graphql-ws", []),
        ("graphql-sse", []),
        ("graphql-sse-single", []),
    ],
)
async def test_a_client_works_as_it_comes(
    node_path: Path, scripts: Path, address: str, make: Factory, name: str, puts_off: list[str]
) -> None:
    product = await make.product(name="茶碗", stock_quantity=9)
    url = address.replace("ws:", "http:")
    async with running(node_path, scripts, name, url, encode("Product", product)) as client:
        assert await said(client) == ("query", "茶碗")
        # over a socket that is open already nobody can be handed an identity
        assert await said(client) == ("mutation", "NO_CART_OWNER" if name == "graphql-ws" else "LINE_NOT_FOUND")
        # in single connection mode this client shows no more of it than its status
        mistake = "Server responded with 400: Bad Request" if name == "graphql-sse-single" else MISTAKE
        step, found = await said(client)
        assert (step, found.removeprefix("NetworkError: ")) == ("mistake", mistake)
        for step in puts_off:
            assert await said(client) == (step, PUT_OFF)
        assert await said(client) == ("stock", 9)
        await make.change(tables.products, product, stock_quantity=8)
        assert await said(client) == ("stock", 8)
        assert await asyncio.wait_for(client.wait(), WITHIN_S) == 0


async def test_all_audits_of_graphql_over_http_pass(node_path: Path, scripts: Path, address: str) -> None:
    async with running(node_path, scripts, "audits", address.replace("ws:", "http:")) as audits:
        found = [await said(audits) for _ in range(AUDITS)]
        assert audits.stdout is not None
        assert await asyncio.wait_for(audits.stdout.read(), WITHIN_S) == b""
    assert [audit for status, audit in found if status != "ok"] == []
