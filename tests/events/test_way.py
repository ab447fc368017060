"""An event's whole way: outbox, relay, EventBridge, SQS, a worker's consumer, and what is kept of it."""

from typing import Any

from composition.pipeline import EventTools
from tests.events.conftest import at_work, until
from tests.events.shop_front import ShopFront
from tests.postgres.shop import Shop


async def processed(worker: Any, consumer: str) -> int:
    count: int = await worker.fetchval(
        "SELECT count(*) FROM events.deliveries WHERE consumer = $1 AND processed_at IS NOT NULL", consumer
    )
    return count


async def test_a_change_of_a_product_reaches_the_shop_front_once(
    tools: EventTools, shop: Shop, worker: Any, shop_front: ShopFront
) -> None:
    product = await shop.product(seller := await shop.seller(), category := await shop.category())

    async def is_done() -> bool:
        return await processed(worker, "revalidation") == 1

    async with at_work(tools):
        await until(is_done)
    assert shop_front.tags == [f"product:{product}", f"category:{category}", f"seller:{seller}", "products"]
