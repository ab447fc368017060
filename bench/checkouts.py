"""Checkouts: how many a second, and how long they take, with so many buyers at once.

    python -m bench.checkouts [--buyers 32] [--each 8] [--products 200]

Throwaway back ends of its own: PostgreSQL (without fsync), DynamoDB's emulator and the payment sandbox, all on this machine, which
the figures are of. The gateway runs in this process, without a socket. What is measured is `checkout` alone: carts are filled, and
quotes asked for, before. Each buyer is a guest with two products out of so many.
"""

import argparse
import asyncio
import os
import random
import shutil
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from adapters.postgres.migrate import upgrade_async
from gateway import create_app
from infra.embedded.stack import Stack
from settings import Settings
from tests.api.buying import Shopper, guest
from tests.api.conftest import client_of, prepare
from tests.api.statements import counted
from tests.backends import settings_of
from tests.factories import open_factory


@dataclass(frozen=True, slots=True)
class Figures:
    seconds: float
    latencies: list[float]
    refused: int
    statements: int

    def told(self, buyers: int) -> str:
        done = len(self.latencies) - self.refused
        cuts = statistics.quantiles(self.latencies, n=100)
        return (
            f"{done} checkouts by {buyers} buyers at once: {done / self.seconds:.1f}/s;"
            f" p50 {cuts[49] * 1000:.0f} ms, p95 {cuts[94] * 1000:.0f} ms; {self.refused} refused;"
            f" {self.statements} statements a checkout"
        )


async def measure(settings: Settings, buyers: int, each: int, products: int) -> Figures:
    app = create_app(settings)
    async with (
        app.router.lifespan_context(app),
        client_of(app) as http,
        open_factory(settings.database_worker_url.get_secret_value()) as make,
    ):
        seller = await make.seller()
        shelf = [await make.product(seller_id=seller, stock_quantity=100_000) for _ in range(products)]
        dice = random.Random(1)
        ready = [await _ready(http, dice.sample(shelf, 2)) for _ in range(buyers * each + 1)]
        last, given = ready.pop()
        with counted() as statements:
            await last.send(given)
        queue = iter(ready)
        latencies: list[float] = []
        refused = 0

        async def buyer() -> None:
            nonlocal refused
            for shopper, asked in queue:
                begun = time.perf_counter()
                answer = await shopper.send(asked)
                latencies.append(time.perf_counter() - begun)
                refused += answer["checkout"] is None

        begun = time.perf_counter()
        await asyncio.gather(*(buyer() for _ in range(buyers)))
        return Figures(time.perf_counter() - begun, latencies, refused, len(statements))


async def _ready(http: httpx.AsyncClient, products: list[Any]) -> tuple[Shopper, dict[str, Any]]:
    shopper = guest(http)
    for product in products:
        await shopper.add(product)
    return shopper, await shopper.input()


async def run(environment: dict[str, str], buyers: int, each: int, products: int) -> Figures:
    settings = settings_of(environment)
    await upgrade_async(settings.database_owner_url.get_secret_value())
    return await measure(await prepare(settings), buyers, each, products)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--buyers", type=int, default=32)
    parser.add_argument("--each", type=int, default=8, help="checkouts of each buyer")
    parser.add_argument("--products", type=int, default=200)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="torii-bench-"))
    folder.chmod(0o711)
    stack = Stack(folder, throwaway=True)
    try:
        stack.start()
        os.environ.update({name: value for name, value in stack.environment.items() if name.startswith("AWS_")})
        figures = asyncio.run(run(stack.environment, asked.buyers, asked.each, asked.products))
        print(figures.told(asked.buyers))
    finally:
        stack.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
