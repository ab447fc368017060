"""`/metrics`: what is told, and to whom."""

import asyncio
from uuid import uuid4

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from gateway import create_app
from resolvers.global_ids import encode
from settings import Mode, Settings
from tests.api.conftest import client_of
from tests.factories import Factory
from tests.postgres.shop import connect


async def figures(http: httpx.AsyncClient, token: str | None = None) -> dict[tuple[str, ...], float]:
    """Samples by their name and the values of their labels, whose names are in order."""
    answer = await http.get("/metrics", headers={"authorization": f"Bearer {token}"} if token else {})
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, *(sample.labels[label] for label in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_operations_are_counted_by_type_and_outcome(http: httpx.AsyncClient) -> None:
    before = await figures(http)
    for query in ("{ __typename }", "{ nope }", 'mutation { cartItemAdd(input: {productId: "x"}) { cart { id } } }'):
        await http.post("/graphql", json={"query": query})
    after = await figures(http)

    def grown(*name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    assert grown("torii_operation_seconds_count", "ok", "query") == 1
    assert grown("torii_operation_seconds_count", "refused", "unknown") == 2
    assert (
        grown("torii_engine_operations_total", "compiled") + grown("torii_engine_operations_total", "interpreted") == 1
    )
    assert after["process_resident_memory_bytes",] > 0


async def test_how_much_of_the_log_capture_holds_back_is_told(prepared: Settings) -> None:
    slot = f"t_{uuid4().hex[:12]}"
    app = create_app(prepared.model_copy(update={"capture_slot": slot}))
    worker = await connect(prepared.database_worker_url.get_secret_value())
    async with app.router.lifespan_context(app), client_of(app) as http:
        assert not any(name.startswith("torii_capture") for name, *_ in await figures(http))
        await worker.execute("SET ROLE torii_capture")
        await worker.execute("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", slot)
        try:
            told = await figures(http)
        finally:
            await worker.execute("SELECT pg_drop_replication_slot($1)", slot)
            await worker.close()
    assert told["torii_capture_held_bytes",] >= 0
    assert told["torii_capture_most_bytes",] == 2**30


async def test_a_token_keeps_others_out(prepared: Settings) -> None:
    app = create_app(prepared.model_copy(update={"metrics_token": SecretStr("let-me-see")}))
    async with app.router.lifespan_context(app), client_of(app) as http:
        assert (await http.get("/metrics")).status_code == 401
        assert (await http.get("/metrics", headers={"authorization": "Bearer let-me-se"})).status_code == 401
        assert await figures(http, "let-me-see")


@pytest.mark.parametrize("token", ["", "let-me-see"])
async def test_production_shows_them_to_nobody_without_a_token(prepared: Settings, token: str) -> None:
    # the mode alone: its other demands, such as a real user pool, are not what this is about
    update = {"mode": Mode.PRODUCTION, "metrics_token": SecretStr(token)}
    app = create_app(prepared.model_copy(update=update))
    async with app.router.lifespan_context(app), client_of(app) as http:
        assert (await http.get("/metrics")).status_code == (401 if token else 404)


async def test_plans_are_compared_with_graphql_core_where_asked_for(prepared: Settings, make: Factory) -> None:
    product = await make.product(seller_id=await make.seller(), category_id=await make.category())
    await make.review(product, user_id=await make.user())
    query = """
      query ($id: ID!) {
        product(id: $id) { name seller { name } reviews(first: 2) { nodes { rating author { displayName } } } }
        node(id: $id) { ... on Product { sku } }
      }
    """
    app = create_app(prepared.model_copy(update={"shadow_share": 1.0}))
    async with app.router.lifespan_context(app), client_of(app) as http:
        for _ in range(3):
            answer = await http.post("/graphql", json={"query": query, "variables": {"id": encode("Product", product)}})
            assert answer.json()["data"]["product"]["reviews"]["nodes"]
        async with asyncio.timeout(60):
            while not (found := await figures(http))["torii_shadow_total", "same"]:
                await asyncio.sleep(0)
        assert found["torii_shadow_total", "different"] == 0
