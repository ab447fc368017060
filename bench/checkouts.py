"""`python -m bench.checkouts`: how many checkouts a second, and how long each takes, with so many buyers at once.

A throwaway marketplace as `torii up` starts it, the payment sandbox included, all on this machine, which the figures are of. Each
buyer is a guest with two products. What is measured is `checkout` alone, from the request to its answer, which hands out the payment or
says that it is still being begun: carts are filled, and quotes asked for, before.
"""

import asyncio
import os
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any
from uuid import UUID, uuid4

import httpx
import typer
import uvloop
from rich.console import Console
from sqlalchemy import select

from adapters.postgres import tables
from adapters.postgres.database import Database
from bench.lookups import counted
from bench.operations import SQL
from bench.parts import cpu_seconds
from bench.torii import in_throwaway
from gateway import create_app
from infra.backends import load_settings, running_backends
from resolvers.global_ids import encode
from settings import Settings

ADD = "mutation ($input: CartItemAddInput!) { cartItemAdd(input: $input) { userErrors { code } } }"
QUOTE = "{ cart { quote { quoteHash } } }"
CHECKOUT = """
mutation ($input: CheckoutInput!) {
  checkout(input: $input) {
    checkout { __typename ... on CheckoutActionRequired { clientSecret order { id orderNumber total { amount currencyCode } } } }
    userErrors { code }
  }
}
"""
ADDRESS = {
    "recipientName": "山田花子",
    "postalCode": "100-0001",
    "prefecture": "東京都",
    "city": "千代田区",
    "line1": "千代田1-1",
}
LINES = 2
SHOP = 1_000
"""Products of the marketplace."""
STOCK_MIN = 10
GUEST = "x-guest-token"
TIMEOUT_S = 30.0

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


@dataclass(slots=True)
class Buyer:
    """A guest who is about to buy."""

    http: httpx.AsyncClient
    headers: dict[str, str] = field(default_factory=dict)

    async def ask(self, query: str, **variables: Any) -> Any:
        """Raises RuntimeError where the answer has errors."""
        body = await self._answer(query, variables)
        if "errors" in body:
            raise RuntimeError(str(body["errors"]))
        return body["data"]

    async def check_out(self, given: dict[str, Any]) -> str:
        """What came of it: a type of the result, or a code."""
        body = await self._answer(CHECKOUT, {"input": given})
        if "errors" in body:
            return str(body["errors"][0]["extensions"]["code"])
        answer = body["data"]["checkout"]
        return str(answer["checkout"]["__typename"] if answer["checkout"] else answer["userErrors"][0]["code"])

    async def _answer(self, query: str, variables: dict[str, Any]) -> Any:
        self.http.cookies.clear()  # shared by all
        answer = await self.http.post("/graphql", json={"query": query, "variables": variables}, headers=self.headers)
        self.headers.setdefault(GUEST, answer.headers.get(GUEST, ""))
        return answer.json()

    async def fill(self, products: Sequence[UUID]) -> dict[str, Any]:
        """The input of the checkout."""
        for product in products:
            added = await self.ask(ADD, input={"productId": encode("Product", product), "quantity": 1})
            if added["cartItemAdd"]["userErrors"]:
                raise RuntimeError(str(added))
        quote = (await self.ask(QUOTE))["cart"]["quote"]
        mail = f"{uuid4()}@example.com"
        return {"idempotencyKey": str(uuid4()), "quoteHash": quote["quoteHash"], "address": ADDRESS, "email": mail}


Ready = tuple[Buyer, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Figures:
    """`took`: seconds, sorted; `outcomes`: how often an answer was of which kind; `cpu`: seconds of each part."""

    seconds: float
    took: Sequence[float]
    outcomes: Counter[str]
    cpu: Mapping[str, float]


async def on_sale(settings: Settings, count: int) -> Sequence[UUID]:
    """Products with stock, without variations."""
    database = Database(settings.database_worker_url.get_secret_value(), pool_size=1, timeout_ms=30_000)
    products, variations = tables.products.c, tables.product_variations.c
    plain = select(products.id).where(
        products.status == "active",
        products.stock_quantity >= STOCK_MIN,
        ~select(variations.id).where(variations.product_id == products.id).exists(),
    )
    found = await database.fresh(plain.order_by(products.id).limit(count))
    await database.close()
    return [row.id for row in found]


async def measure(settings: Settings, buyers: int, each: int, shelf: Sequence[UUID]) -> Figures:
    dice = random.Random(1)
    async with httpx.AsyncClient(base_url=settings.url, timeout=TIMEOUT_S, trust_env=False) as http:
        ready: Iterator[Ready] = iter(
            [
                (buyer, await buyer.fill(dice.sample(shelf, LINES)))
                for buyer in (Buyer(http) for _ in range(buyers * each))
            ]
        )
        took: list[float] = []
        outcomes: Counter[str] = Counter()

        async def buy() -> None:
            for buyer, given in ready:
                began = time.perf_counter()
                outcome = await buyer.check_out(given)
                took.append(time.perf_counter() - began)
                outcomes[outcome] += 1

        files = (settings.data_dir / "run").glob("*.pid")
        pids = {file.stem: int(pid) for file in files if (pid := file.read_text())} | {"these buyers": os.getpid()}
        before, began = cpu_seconds(pids), time.perf_counter()
        await asyncio.gather(*(buy() for _ in range(buyers)))
        seconds, after = time.perf_counter() - began, cpu_seconds(pids)
        return Figures(seconds, sorted(took), outcomes, {name: after[name] - before[name] for name in pids})


async def statements(settings: Settings, shelf: Sequence[UUID]) -> int:
    """How many a checkout sends, with those that its payment is begun by: by a gateway in this process."""
    gateway = create_app(settings)
    transport = httpx.ASGITransport(gateway)
    async with (
        gateway.router.lifespan_context(gateway),
        httpx.AsyncClient(transport=transport, base_url="http://bench", timeout=TIMEOUT_S) as http,
    ):
        counts = []
        for products in (shelf[:LINES], shelf[LINES : 2 * LINES]):
            buyer = Buyer(http)
            given = await buyer.fill(products)
            with counted() as calls:
                await buyer.check_out(given)
            counts.append(calls[SQL])
        return counts[-1]  # the first one's found nothing prepared


def told(figures: Figures, buyers: int, sent: int) -> str:
    cuts = statistics.quantiles(figures.took, n=100)
    kinds = ", ".join(f"{count} {name}" for name, count in figures.outcomes.most_common())
    parts = sorted(figures.cpu.items(), key=lambda each: -each[1])
    cpu = ", ".join(f"{name} {spent / len(figures.took) * 1000:.1f}" for name, spent in parts)
    return (
        f"{len(figures.took)} checkouts by {buyers} buyers at once: {len(figures.took) / figures.seconds:.1f}/s;"
        f" p50 {cuts[49] * 1000:.0f} ms, p95 {cuts[94] * 1000:.0f} ms; {sent} statements a checkout; {kinds}\n"
        f"CPU a checkout, with what the worker does for it meanwhile, ms: {cpu}"
    )


@app.command()
def main(
    buyers: Annotated[int, typer.Option(min=1, max=256, help="How many buy at once.")] = 32,
    each: Annotated[int, typer.Option(min=1, max=200, help="How many checkouts each of them makes.")] = 8,
    products: Annotated[int, typer.Option(min=4, max=3_000, help="Out of how many products they choose.")] = 200,
    here: Annotated[bool, typer.Option(help="In the marketplace that runs, instead of a throwaway one.")] = False,
) -> None:
    """Status 1 where a checkout was refused."""
    console = Console(highlight=False, soft_wrap=True)
    if not here:
        raise typer.Exit(in_throwaway("bench.checkouts", SHOP, sys.argv[1:]))
    with running_backends(load_settings(), must_run=True) as settings:
        shelf = uvloop.run(on_sale(settings, products))
        figures = uvloop.run(measure(settings, buyers, each, shelf))
        sent = uvloop.run(statements(settings, shelf))
    console.print(told(figures, buyers, sent))
    raise typer.Exit(int(any(not kind.startswith("Checkout") for kind in figures.outcomes)))


if __name__ == "__main__":
    app()
