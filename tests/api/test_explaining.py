"""How an operation ran: `extensions.trace`, the header `Server-Timing`, and what `torii explain` makes of it."""

import asyncio
import json
import re
from functools import partial
from io import StringIO
from typing import Any

import httpx
import pytest
from rich.console import Console
from starlette.applications import Starlette

from commands import explain
from gateway import create_app
from resolvers.global_ids import encode
from settings import Settings
from tests.api.client import Client
from tests.api.conftest import client_of
from tests.api.sockets import serving
from tests.factories import Factory

SHOP = """
query ($id: ID!) { product(id: $id) { name seller { name } images { url } reviews(first: 2) { nodes { title } } } }
"""


def names(steps: list[dict[str, Any]]) -> dict[str, Any]:
    """The spans as a tree of names."""
    return {f"{each['kind']} {each['name']} {each['count']}": names(each.get("inside", [])) for each in steps}


@pytest.fixture
async def product(make: Factory) -> str:
    product = await make.product(seller_id=await make.seller(), category_id=await make.category(), name="秘密の品")
    await make.image(product)
    return encode("Product", product)


async def ask(http: httpx.AsyncClient, query: str, variables: Any = None, token: str | None = None) -> httpx.Response:
    body = {"query": query, "variables": variables or {}, "extensions": {"trace": True}}
    return await http.post("/graphql", json=body, headers={"authorization": f"Bearer {token}"} if token else {})


async def test_a_plan_tells_its_fields_and_their_loads(http: httpx.AsyncClient, product: str) -> None:
    for _ in range(2):
        answer = (await ask(http, SHOP, {"id": product})).json()
    trace = answer["extensions"]["trace"]
    assert trace["ranBy"] == "plan"
    told = names(trace["steps"])["field product 1"]
    assert "load sellers 1" in told["field seller 1"]
    assert "load images_of_product 1" in told["field images 1"]
    assert "load reviews_of_product 1" in told["field reviews 1"]
    assert trace["tookMs"] >= trace["steps"][0]["tookMs"] > 0
    assert "秘密の品" in json.dumps(answer["data"], ensure_ascii=False)
    assert "秘密の品" not in json.dumps(trace, ensure_ascii=False), "nothing that was loaded"


async def test_graphql_core_tells_its_loads(http: httpx.AsyncClient, product: str) -> None:
    once = SHOP.replace("name seller", "name slug seller")  # a document that comes for the first time
    trace = (await ask(http, once, {"id": product})).json()["extensions"]["trace"]
    assert trace["ranBy"] == "graphql-core: not_yet"
    assert {"load sellers 1", "load images_of_product 1"} <= set(names(trace["steps"]))


async def test_only_who_asks_is_told(api: Client) -> None:
    assert "trace" not in (await api.answer("{ __typename }"))["extensions"]


async def test_admins_alone_are_told_unless_all_are(prepared: Settings, token_of: Any) -> None:
    app = create_app(prepared.model_copy(update={"traces": False}))
    admin, buyer = await token_of("traced@example.com", "admin"), await token_of("untraced@example.com", "buyer")
    async with app.router.lifespan_context(app), client_of(app) as http:
        assert "trace" in (await ask(http, "{ __typename }", token=admin)).json()["extensions"]
        assert "trace" not in (await ask(http, "{ __typename }", token=buyer)).json()["extensions"]
        assert "trace" not in (await ask(http, "{ __typename }")).json()["extensions"]


async def test_each_answer_says_how_long_it_took(http: httpx.AsyncClient) -> None:
    timing = (await http.post("/graphql", json={"query": "{ __typename }"})).headers["server-timing"]
    assert re.fullmatch(r"prepare;dur=\d+\.\d\d, run;dur=\d+\.\d\d", timing)


async def test_the_command_draws_what_ran(app: Starlette, prepared: Settings, product: str) -> None:
    async with serving(app, prepared) as host:
        asking = partial(explain.answers, f"http://{host}/graphql", SHOP, json.dumps({"id": product}), None, None, 3)
        runs = await asyncio.to_thread(asking)
    console = Console(width=100, file=StringIO(), color_system=None)
    console.print(explain.report(runs))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert shown.startswith("ran by plan; ")
    assert re.search(r"^ +load sellers +1 +\d+\.\d\d +\d+\.\d\d +━", shown, re.MULTILINE)


@pytest.mark.parametrize(
    ("query", "variables", "told"),
    [("{ nope }", None, "did not run: Cannot query field 'nope'"), ("{ __typename }", "{", "--variables is not JSON")],
)
async def test_the_command_says_what_is_wrong(
    app: Starlette, prepared: Settings, query: str, variables: str | None, told: str
) -> None:
    async with serving(app, prepared) as host:
        with pytest.raises(explain.NotExplained, match=told):
            await asyncio.to_thread(explain.answers, f"http://{host}/graphql", query, variables, None, None, 1)


def test_the_command_says_that_no_gateway_answers() -> None:
    with pytest.raises(explain.NotExplained, match="no gateway answers at http"):
        explain.answers("http://127.0.0.1:1/graphql", "{ __typename }", None, None, None, 1)
