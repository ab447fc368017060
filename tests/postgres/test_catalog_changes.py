"""How a change of the catalogue shows: versions, announcements to caches, `updated_at`."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from tests.postgres.shelf import Shelf


class TestVersions:
    async def test_every_change_of_a_product_or_a_part_of_it_raises_the_version(self, shelf: Shelf) -> None:
        product = await shelf.product()
        versions = [(await shelf.read(product))["version"]]

        async def note() -> None:
            versions.append((await shelf.read(product))["version"])

        await shelf.change("products", product, name="湯呑")
        await note()
        variation = await shelf.shop.variation(product)
        await note()
        await shelf.change("product_variations", variation, name="小")
        await note()
        await shelf.delete("product_variations", variation)
        await note()
        image = await shelf.shop.image(product)
        await note()
        await shelf.change("product_images", image, alt_text="湯呑")
        await note()
        await shelf.delete("product_images", image)
        await note()
        assert versions == sorted(set(versions))
        assert len(versions) == 8

    async def test_it_cannot_be_set_back(self, shelf: Shelf) -> None:
        product = await shelf.product()
        await shelf.change("products", product, version=1)
        assert (await shelf.read(product))["version"] == 2

    async def test_an_image_that_moves_changes_both_products(self, shelf: Shelf) -> None:
        left, joined = await shelf.product(), await shelf.product()
        image = await shelf.shop.image(left)
        before = [(await shelf.read(product))["version"] for product in (left, joined)]
        await shelf.change("product_images", image, product_id=joined)
        assert [(await shelf.read(product))["version"] for product in (left, joined)] == [n + 1 for n in before]


class TestAnnouncements:
    @pytest.fixture
    async def heard(self, app: Any) -> AsyncIterator["asyncio.Queue[str]"]:
        """What the gateway's role hears on the channel."""
        payloads: asyncio.Queue[str] = asyncio.Queue()

        def hear(_connection: Any, _pid: int, _channel: str, payload: str) -> None:
            payloads.put_nowait(payload)

        await app.add_listener("catalog_changed", hear)
        yield payloads
        await app.remove_listener("catalog_changed", hear)

    @staticmethod
    async def next_of(heard: "asyncio.Queue[str]") -> str:
        async with asyncio.timeout(60):
            return await heard.get()

    async def test_a_change_tells_id_and_version(self, shelf: Shelf, heard: "asyncio.Queue[str]") -> None:
        product = await shelf.product()
        await shelf.change("products", product, name="湯呑")
        assert await self.next_of(heard) == f"{product}:2"
        await shelf.shop.image(product)
        assert await self.next_of(heard) == f"{product}:3"

    async def test_one_statement_makes_one_announcement(self, shelf: Shelf, heard: "asyncio.Queue[str]") -> None:
        products = [await shelf.product() for _ in range(100)]
        await self.rename(shelf, products)
        payload = await self.next_of(heard)
        assert set(payload.split(" ")) == {f"{product}:2" for product in products}
        assert heard.empty()

    async def test_more_than_a_hundred_are_everything(self, shelf: Shelf, heard: "asyncio.Queue[str]") -> None:
        await self.rename(shelf, [await shelf.product() for _ in range(101)])
        assert await self.next_of(heard) == "*"

    async def test_a_deletion_and_a_change_of_the_tree_are_everything(
        self, shelf: Shelf, heard: "asyncio.Queue[str]"
    ) -> None:
        product = await shelf.product()
        await shelf.delete("products", product)
        assert await self.next_of(heard) == "*"
        await shelf.change("categories", shelf.category, name="茶器")
        assert await self.next_of(heard) == "*"

    async def test_what_is_rolled_back_is_not_told(self, shelf: Shelf, heard: "asyncio.Queue[str]") -> None:
        product = await shelf.product()
        transaction = shelf.shop.connection.transaction()
        await transaction.start()
        await shelf.change("products", product, name="never")
        await transaction.rollback()
        await shelf.change("products", product, name="湯呑")
        assert await self.next_of(heard) == f"{product}:2"

    @staticmethod
    async def rename(shelf: Shelf, products: list[UUID]) -> None:
        await shelf.shop.connection.execute("UPDATE catalog.products SET name = '湯呑' WHERE id = ANY ($1)", products)


async def test_updated_at_follows_every_update_of_every_table_that_has_it(owner: Any) -> None:
    """By triggers: each table with the column has one that runs before its updates and sets it."""
    without = await owner.fetch(
        """
        SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attname = 'updated_at' AND NOT EXISTS (
            SELECT FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
            WHERE t.tgrelid = c.oid AND t.tgtype & 19 = 19 AND f.prosrc ~ 'NEW.updated_at := clock_timestamp\\(\\)'
        )
        """
    )
    assert [row["name"] for row in without] == []


async def test_updated_at_cannot_be_typed_in(shelf: Shelf) -> None:
    product = await shelf.product()
    before = (await shelf.read(product))["updated_at"]
    await shelf.shop.connection.execute("UPDATE catalog.products SET updated_at = 'epoch' WHERE id = $1", product)
    assert (await shelf.read(product))["updated_at"] > before
