"""The catalogue's cache: products for an hour, the category tree for a day, dropped when PostgreSQL says they changed.

While the channel that says so is down the cache is not used at all, and it starts empty when the channel is back.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress

from msgspec import DecodeError, msgpack

from adapters.redis.cache import VersionedCache
from adapters.redis.client import Missed
from domain.catalog.categories import Category, CategoryTree
from domain.catalog.model import Image, Product, ProductFilter, ProductRef, ProductSort, Variation
from domain.catalog.ports import Categories, Products
from domain.shared.ids import CategoryId, ProductId
from domain.shared.needs import Needs
from domain.shared.paging import Count, Page, PageRequest
from domain.shared.viewer import ANONYMOUS, Viewer

PRODUCT_TTL_S = 3600
TREE_TTL_S = 24 * 3600
TREE = "tree"


Asked = tuple[int, ProductId]
"""After how many changes a product was asked for."""


class CatalogCache:
    """What is cached of the catalogue, and whether it may be used: never, unless `is_used`."""

    def __init__(self, cache: VersionedCache, *, is_used: bool = True) -> None:
        self.values = cache
        self.is_in_step = False
        self._is_used = is_used
        self.changes = 0
        """Counts what was told: whoever asks after a change does not wait for a load that began before it."""

    @property
    def is_left_out(self) -> bool:
        """Whether it is meant to be used, and is not."""
        return self._is_used and not self.is_in_step

    async def changed(self, versions: Mapping[str, int] | None) -> None:
        """Products changed, to these versions; None when anything may have. Called in the order of the changes."""
        self.changes += 1
        try:
            if versions is None:
                await self.values.drop()
            else:
                await self.values.forget({f"product:{key}": version for key, version in versions.items()})
        except Missed:
            self.is_in_step = False  # what Redis did not hear it may go on believing
            raise

    async def joined(self) -> None:
        """The channel is up: what happened before is unknown, so the cache starts empty. Raises Missed."""
        self.changes += 1
        await self.values.drop()
        self.is_in_step = self._is_used

    def left(self) -> None:
        """The channel is down."""
        self.is_in_step = False


class CachedProducts:
    """The port `Products`, with single products cached. Concurrent misses of one product are one load."""

    def __init__(self, products: Products, cache: CatalogCache) -> None:
        self._products = products
        self._cache = cache
        self._loading: dict[Asked, asyncio.Task[dict[ProductId, Product | None]]] = {}
        self._encode = msgpack.Encoder().encode
        self._decode = msgpack.Decoder(Product).decode

    @property
    def is_current(self) -> bool:
        return self._products.is_current

    async def by_ids(
        self, ids: Sequence[ProductId], viewer: Viewer = ANONYMOUS, needs: Needs = None
    ) -> Sequence[Product | None]:
        """Whole products where the cache is in use, for it keeps them for whoever asks next."""
        if not self._cache.is_in_step or not viewer.is_public:  # the cache holds what the public sees
            return await self._products.by_ids(ids, viewer, needs)
        wanted = list(dict.fromkeys(ids))
        generation: int | None = None
        found: dict[ProductId, Product | None] = {}
        try:
            generation, bodies = await self._cache.values.get([_key(each) for each in wanted])
            read = [self._read(body) if body else None for body in bodies]
            if len(wanted) == len(ids) and all(read):  # in order already
                return read
            found = dict(zip(wanted, read, strict=True))
        except Missed:
            pass
        loads = self._loads([each for each in wanted if found.get(each) is None], generation)
        for loaded in await asyncio.gather(*(asyncio.shield(load) for load in loads)):
            found |= loaded
        return [found.get(each) for each in ids]

    def _loads(
        self, missing: Sequence[ProductId], generation: int | None
    ) -> set[asyncio.Task[dict[ProductId, Product | None]]]:
        """The loads that bring these products: those under way, and one more for the rest."""
        changes = self._cache.changes
        rest = [each for each in missing if (changes, each) not in self._loading]
        if rest:
            load = asyncio.create_task(self._load(rest, generation))
            self._loading |= {(changes, each): load for each in rest}
            load.add_done_callback(lambda _: [self._loading.pop((changes, each)) for each in rest])
        return {self._loading[changes, each] for each in missing}

    async def _load(self, ids: Sequence[ProductId], generation: int | None) -> dict[ProductId, Product | None]:
        loaded = dict(zip(ids, await self._products.by_ids(ids), strict=True))
        fresh = {_key(each.id): (each.version, self._encode(each)) for each in loaded.values() if each}
        if generation is not None and fresh:
            with suppress(Missed):
                await self._cache.values.put(generation, fresh, PRODUCT_TTL_S)
        return loaded

    def _read(self, body: bytes) -> Product | None:
        try:
            return self._decode(body)
        except DecodeError:  # written by another release of the program
            return None

    async def find(self, viewer: Viewer, ref: ProductRef, needs: Needs = None) -> Product | None:
        return await self._products.find(viewer, ref, needs)

    async def page(
        self, viewer: Viewer, which: ProductFilter, sort: ProductSort, request: PageRequest, needs: Needs = None
    ) -> Page[Product]:
        return await self._products.page(viewer, which, sort, request, needs)

    async def count(self, viewer: Viewer, which: ProductFilter, at_most: int) -> Count:
        return await self._products.count(viewer, which, at_most)

    async def after(self, last: ProductId | None, size: int) -> Sequence[Product]:
        return await self._products.after(last, size)

    async def images_of(
        self, ids: Sequence[ProductId], viewer: Viewer = ANONYMOUS, needs: Needs = None
    ) -> Sequence[Sequence[Image]]:
        return await self._products.images_of(ids, viewer, needs)

    async def variations_of(
        self, ids: Sequence[ProductId], viewer: Viewer = ANONYMOUS
    ) -> Sequence[Sequence[Variation]]:
        return await self._products.variations_of(ids, viewer)


class CachedCategories:
    """The port `Categories`, cached. The tree is built again only when its bytes are others."""

    def __init__(self, categories: Categories, cache: CatalogCache) -> None:
        self._categories = categories
        self._cache = cache
        self._decode = msgpack.Decoder(list[Category]).decode
        self._built: tuple[bytes, CategoryTree] | None = None
        self._loading: asyncio.Task[CategoryTree] | None = None
        self._asked = 0
        """After how many changes that load began."""

    async def tree(self) -> CategoryTree:
        generation: int | None = None
        if self._cache.is_in_step:
            try:
                generation, [body] = await self._cache.values.get([TREE])
            except Missed:
                body = None
            if body and (tree := self._read(body)):
                return tree
        if self._loading is None or self._loading.done() or self._asked != self._cache.changes:
            self._asked = self._cache.changes
            self._loading = asyncio.create_task(self._load(generation))
        return await asyncio.shield(self._loading)

    async def by_ids(self, ids: Sequence[CategoryId], needs: Needs = None) -> Sequence[Category | None]:
        if not self._cache.is_in_step:
            return await self._categories.by_ids(ids, needs)
        tree = await self.tree()
        return [tree.by_id.get(each) for each in ids]

    def _read(self, body: bytes) -> CategoryTree | None:
        if self._built is None or self._built[0] != body:
            try:
                self._built = body, CategoryTree(self._decode(body))
            except DecodeError:  # written by another release of the program
                return None
        return self._built[1]

    async def _load(self, generation: int | None) -> CategoryTree:
        tree = await self._categories.tree()
        if generation is not None:
            with suppress(Missed):
                await self._cache.values.put(
                    generation, {TREE: (0, msgpack.encode(list(tree.by_id.values())))}, TREE_TTL_S
                )
        return tree


def _key(product_id: ProductId) -> str:
    return f"product:{product_id}"
