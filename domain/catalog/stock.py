"""What is left of products, told to those who wait for it to change."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field

from domain.catalog.model import Product
from domain.catalog.ports import Products
from domain.shared.ids import ProductId
from domain.shared.refusals import Unavailable

RETRY_S = 1.0
BATCH = 500


@dataclass(slots=True, eq=False)
class Watched:
    """A product that is watched, as it was read last. `turn` counts its values; 0 before there is one."""

    id: ProductId
    watchers: int = 0
    turn: int = 0
    product: Product | None = None
    next: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def is_now(self, product: Product | None) -> None:
        """Wakes those who wait if its stock or availability is another, or it has come or gone."""
        if self.turn and _shown(self.product) == _shown(product):
            return
        self.product = product
        self.turn += 1
        waiting, self.next = self.next, asyncio.get_running_loop().create_future()
        waiting.set_result(None)


class StockWatch:
    """Reads watched products anew when they changed, once for all who watch: in one statement, one reading after another.

    Whoever is slow to take a value misses those in between and gets the present one, so nothing is kept for anybody. While the
    channel of changes is down nothing is told; when it is back, everything is looked at.
    """

    def __init__(self, products: Products, retry_s: float = RETRY_S) -> None:
        self._products = products
        self._retry_s = retry_s
        self._watched: dict[ProductId, Watched] = {}
        self._stale: dict[str, None] = {}
        self._has_stale = asyncio.Event()

    async def watch(self, product_id: ProductId) -> AsyncGenerator[Product | None, None]:
        """The product as the public sees it, and again whenever its stock or availability changed; None while nobody sees it.

        All who watch are given the very same value.
        """
        watched = self._watched.get(product_id)
        if watched is None:
            watched = self._watched[product_id] = Watched(product_id)
            self._mark(str(product_id))
        watched.watchers += 1
        turn = 0
        try:
            while True:
                while watched.turn == turn:
                    await asyncio.shield(watched.next)
                turn = watched.turn
                yield watched.product
        finally:
            watched.watchers -= 1
            if not watched.watchers:
                del self._watched[product_id]

    async def run(self) -> None:
        """Read what changed, for ever. Has to run beside those who watch."""
        while True:
            await self._has_stale.wait()
            try:
                await self._read()
            except Unavailable:
                await asyncio.sleep(self._retry_s)

    async def joined(self) -> None:
        """The channel is up: what happened before is not known."""
        await self.changed(None)

    async def changed(self, versions: Mapping[str, int] | None) -> None:
        """Products changed, by their ids; None when any of them may have."""
        known = {str(each) for each in self._watched}
        self._mark(*(known if versions is None else known & versions.keys()))

    def left(self) -> None:
        """The channel is down."""

    def _mark(self, *ids: str) -> None:
        self._stale |= dict.fromkeys(ids)
        if self._stale:
            self._has_stale.set()

    async def _read(self) -> None:
        """Raises Unavailable; whatever it raises, what was not read is still to be."""
        stale = {str(id): watched for id, watched in self._watched.items() if str(id) in self._stale}
        batch = list(stale)[:BATCH]
        self._stale = dict.fromkeys(list(stale)[BATCH:])
        ids = [stale[id].id for id in batch]
        try:
            found = await self._products.by_ids(ids) if ids else ()
        except Exception:
            self._mark(*batch)
            raise
        for id, product in zip(batch, found, strict=True):
            stale[id].is_now(product)
        if not self._stale:
            self._has_stale.clear()


def _shown(product: Product | None) -> object:
    return product and (product.stock_quantity, product.availability)
