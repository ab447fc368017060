"""What the database keeps true of products by itself, whoever writes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from domain.shared.ids import uuid7
from settings import Settings
from tests.postgres.shop import Shop, connect


@dataclass(frozen=True, slots=True)
class Shelf:
    """A seller and a category to put products on."""

    shop: Shop
    seller: UUID
    category: UUID

    async def product(self, **columns: Any) -> UUID:
        return await self.shop.product(self.seller, self.category, **columns)

    async def change(self, table: str, key: UUID, **columns: Any) -> None:
        places = ", ".join(f"{name} = ${number}" for number, name in enumerate(columns, 2))
        await self.shop.connection.execute(f"UPDATE catalog.{table} SET {places} WHERE id = $1", key, *columns.values())

    async def delete(self, table: str, key: UUID) -> None:
        await self.shop.connection.execute(f"DELETE FROM catalog.{table} WHERE id = $1", key)

    async def read(self, product: UUID) -> Any:
        return await self.shop.connection.fetchrow("SELECT * FROM catalog.products WHERE id = $1", product)

    async def stock(self, product: UUID) -> int:
        return int((await self.read(product))["stock_quantity"])


@pytest.fixture
async def shelf(shop: Shop) -> Shelf:
    return Shelf(shop, await shop.seller(), await shop.category())


class TestWhatMustNeverBe:
    @pytest.mark.parametrize(
        "columns",
        [
            {"stock_quantity": -1},
            {"base_price": -1},
            {"sale_price": -1},
            {"base_price": 1000, "sale_price": 1001},
            {"currency": "jpy"},
            {"status": "sold"},
            {"status": "active", "published_at": None},
            {"attributes": []},
            {"shipping_info": []},
        ],
    )
    async def test_such_a_product_is_refused(self, shelf: Shelf, columns: dict[str, Any]) -> None:
        with pytest.raises(asyncpg.CheckViolationError):
            await shelf.product(**columns)

    async def test_a_sale_at_the_base_price_or_for_nothing_is_allowed(self, shelf: Shelf) -> None:
        assert (await shelf.read(await shelf.product(sale_price=1000)))["effective_price"] == 1000
        assert (await shelf.read(await shelf.product(sale_price=0)))["effective_price"] == 0

    async def test_stock_cannot_be_sold_below_zero(self, shelf: Shelf) -> None:
        product = await shelf.product(stock_quantity=1)
        with pytest.raises(asyncpg.CheckViolationError):
            await shelf.change("products", product, stock_quantity=-1)

    async def test_a_variation_has_no_negative_stock(self, shelf: Shelf) -> None:
        with pytest.raises(asyncpg.CheckViolationError):
            await shelf.shop.variation(await shelf.product(), stock_quantity=-1)

    async def test_a_category_is_not_its_own_parent(self, shelf: Shelf) -> None:
        with pytest.raises(asyncpg.CheckViolationError):
            await shelf.change("categories", shelf.category, parent_id=shelf.category)

    async def test_a_product_has_one_primary_image(self, shelf: Shelf) -> None:
        product = await shelf.product()
        await shelf.shop.image(product, is_primary=True)
        with pytest.raises(asyncpg.UniqueViolationError):
            await shelf.shop.image(product, is_primary=True)


class TestStatus:
    async def test_the_last_unit_sold_makes_it_out_of_stock_and_the_next_one_active_again(self, shelf: Shelf) -> None:
        product = await shelf.product(stock_quantity=1)
        await shelf.change("products", product, stock_quantity=0)
        assert (await shelf.read(product))["status"] == "out_of_stock"
        await shelf.change("products", product, stock_quantity=2)
        assert (await shelf.read(product))["status"] == "active"

    async def test_an_active_product_without_stock_starts_out_of_stock(self, shelf: Shelf) -> None:
        assert (await shelf.read(await shelf.product(stock_quantity=0)))["status"] == "out_of_stock"

    @pytest.mark.parametrize("status", ["draft", "discontinued"])
    async def test_stock_does_not_bring_other_products_to_the_shelf(self, shelf: Shelf, status: str) -> None:
        product = await shelf.product(status=status, stock_quantity=0)
        await shelf.change("products", product, stock_quantity=5)
        assert (await shelf.read(product))["status"] == status


class TestStockOfVariations:
    async def test_it_is_the_sum_of_the_active_ones_whatever_happens_to_them(self, shelf: Shelf) -> None:
        product = await shelf.product(stock_quantity=99)
        large = await shelf.shop.variation(product, stock_quantity=3)
        assert await shelf.stock(product) == 3
        small = await shelf.shop.variation(product, stock_quantity=4)
        assert await shelf.stock(product) == 7
        await shelf.change("product_variations", large, stock_quantity=1)
        assert await shelf.stock(product) == 5
        await shelf.change("product_variations", small, is_active=False)
        assert await shelf.stock(product) == 1
        await shelf.delete("product_variations", large)
        assert await shelf.stock(product) == 0
        assert (await shelf.read(product))["status"] == "out_of_stock"

    async def test_it_cannot_be_typed_into_the_product(self, shelf: Shelf) -> None:
        product = await shelf.product()
        await shelf.shop.variation(product, stock_quantity=3)
        await shelf.change("products", product, stock_quantity=1000)
        assert await shelf.stock(product) == 3

    async def test_it_goes_with_the_last_variation(self, shelf: Shelf) -> None:
        product = await shelf.product()
        variation = await shelf.shop.variation(product, stock_quantity=3)
        await shelf.delete("product_variations", variation)
        assert await shelf.stock(product) == 0

    async def test_it_moves_with_a_variation(self, shelf: Shelf) -> None:
        left, joined = await shelf.product(), await shelf.product()
        moving = await shelf.shop.variation(left, stock_quantity=3)
        await shelf.shop.variation(left, stock_quantity=2)
        await shelf.change("product_variations", moving, product_id=joined)
        assert (await shelf.stock(left), await shelf.stock(joined)) == (2, 3)

    async def test_several_variations_of_several_products_change_in_one_statement(self, shelf: Shelf) -> None:
        products = [await shelf.product() for _ in range(3)]
        for product in products:
            await shelf.shop.variation(product)
            await shelf.shop.variation(product)
        await shelf.shop.connection.execute(
            "UPDATE catalog.product_variations SET stock_quantity = 5 WHERE product_id = ANY ($1)", products
        )
        assert [await shelf.stock(product) for product in products] == [10, 10, 10]

    async def test_a_deleted_product_takes_its_parts_along(self, shelf: Shelf) -> None:
        product = await shelf.product()
        await shelf.shop.variation(product)
        await shelf.shop.image(product)
        await shelf.delete("products", product)
        left = "SELECT count(*) FROM catalog.product_variations WHERE product_id = $1"
        assert await shelf.shop.connection.fetchval(left, product) == 0

    async def test_two_variations_changed_at_once_add_up_without_a_deadlock(
        self, shelf: Shelf, settings: Settings
    ) -> None:
        product = await shelf.product()
        variations = [await shelf.shop.variation(product, stock_quantity=0) for _ in range(2)]

        async def restock(variation: UUID) -> None:
            connection = await connect(settings.database_worker_url.get_secret_value())
            for _ in range(40):
                await connection.execute(
                    "UPDATE catalog.product_variations SET stock_quantity = stock_quantity + 1 WHERE id = $1", variation
                )
            await connection.close()

        await asyncio.gather(*(restock(variation) for variation in variations))
        assert await shelf.stock(product) == 80

    async def test_a_change_waits_for_one_that_is_not_committed_and_counts_it(
        self, shelf: Shelf, settings: Settings
    ) -> None:
        product = await shelf.product()
        first, second = [await shelf.shop.variation(product, stock_quantity=1) for _ in range(2)]
        other = await connect(settings.database_worker_url.get_secret_value())
        transaction = other.transaction()
        await transaction.start()
        await other.execute("UPDATE catalog.product_variations SET stock_quantity = 10 WHERE id = $1", first)
        waiting = asyncio.create_task(shelf.change("product_variations", second, stock_quantity=20))
        await until_somebody_waits_for(other)
        await transaction.commit()
        await waiting
        await other.close()
        assert await shelf.stock(product) == 30


async def until_somebody_waits_for(connection: Any) -> None:
    """Until another session is blocked by `connection`'s."""
    waiting = (
        "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
    )
    async with asyncio.timeout(5):
        while not await connection.fetchval(waiting):  # noqa: ASYNC110 - there is no event to wait for but the server's own state
            await asyncio.sleep(0)


class TestPrices:
    async def test_a_variation_cannot_cost_less_than_nothing(self, shelf: Shelf) -> None:
        product = await shelf.product(base_price=1000, sale_price=800)
        await shelf.shop.variation(product, price_adjustment=-800)
        with pytest.raises(asyncpg.CheckViolationError):
            await shelf.shop.variation(product, price_adjustment=-801)

    @pytest.mark.parametrize("cheaper", [{"base_price": 499}, {"sale_price": 499}])
    async def test_a_price_that_would_make_a_variation_negative_is_refused(
        self, shelf: Shelf, cheaper: dict[str, int]
    ) -> None:
        product = await shelf.product(base_price=1000)
        await shelf.shop.variation(product, price_adjustment=-500)
        with pytest.raises(asyncpg.CheckViolationError):
            await shelf.change("products", product, **cheaper)
        assert (await shelf.read(product))["effective_price"] == 1000

    async def test_a_price_cannot_fall_while_a_cheaper_variation_is_being_added(
        self, shelf: Shelf, settings: Settings
    ) -> None:
        product = await shelf.product(base_price=1000)
        other = await connect(settings.database_worker_url.get_secret_value())
        transaction = other.transaction()
        await transaction.start()
        await Shop(other).variation(product, price_adjustment=-500)
        falling = asyncio.create_task(shelf.change("products", product, base_price=400))
        await until_somebody_waits_for(other)
        await transaction.commit()
        with pytest.raises(asyncpg.CheckViolationError):
            await falling
        await other.close()


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
        async with asyncio.timeout(5):
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


class TestNames:
    async def test_a_sku_is_unique_within_its_seller_only(self, shelf: Shelf) -> None:
        await shelf.product(sku="A-1")
        with pytest.raises(asyncpg.UniqueViolationError):
            await shelf.product(sku="A-1")
        await shelf.shop.product(await shelf.shop.seller(), shelf.category, sku="A-1")

    async def test_a_variation_has_the_seller_of_its_product_and_a_sku_of_its_own(self, shelf: Shelf) -> None:
        product, stranger = await shelf.product(), await shelf.shop.seller()
        variation = await shelf.shop.variation(product, sku="V-1", seller_id=stranger)
        read = "SELECT seller_id FROM catalog.product_variations WHERE id = $1"
        assert await shelf.shop.connection.fetchval(read, variation) == shelf.seller
        with pytest.raises(asyncpg.UniqueViolationError):
            await shelf.shop.variation(product, sku="V-1")
        await shelf.shop.variation(await shelf.shop.product(stranger, shelf.category), sku="V-1")

    async def test_a_slug_is_unique_among_all_products(self, shelf: Shelf) -> None:
        slug = f"chawan-{uuid7()}"
        await shelf.product(slug=slug)
        with pytest.raises(asyncpg.UniqueViolationError):
            await shelf.shop.product(await shelf.shop.seller(), shelf.category, slug=slug)


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


class TestRatings:
    """`product_ratings` is the reviews, counted."""

    @staticmethod
    async def both(shelf: Shelf, product: UUID) -> tuple[tuple[int, int], tuple[int, int]]:
        """What is kept, and what the reviews say."""
        connection = shelf.shop.connection
        kept = "SELECT rating_count, rating_total FROM reviews.product_ratings WHERE product_id = $1"
        counted = "SELECT count(*), coalesce(sum(rating), 0) FROM reviews.reviews WHERE product_id = $1"
        return tuple(await connection.fetchrow(kept, product)), tuple(await connection.fetchrow(counted, product))

    async def test_they_follow_inserts_updates_and_deletes(self, shelf: Shelf) -> None:
        product, other = await shelf.product(), await shelf.product()
        reviews = [await shelf.shop.review(await shelf.shop.user(), product, rating=rating) for rating in (1, 5, 3)]
        await shelf.shop.review(await shelf.shop.user(), other, rating=2)
        assert await self.both(shelf, product) == ((3, 9), (3, 9))
        await shelf.shop.connection.execute("UPDATE reviews.reviews SET rating = 4 WHERE id = $1", reviews[0])
        assert await self.both(shelf, product) == ((3, 12), (3, 12))
        await shelf.shop.connection.execute(
            "UPDATE reviews.reviews SET product_id = $2 WHERE id = $1", reviews[1], other
        )
        assert await self.both(shelf, product) == ((2, 7), (2, 7))
        assert await self.both(shelf, other) == ((2, 7), (2, 7))
        await shelf.shop.connection.execute("DELETE FROM reviews.reviews WHERE product_id = $1", product)
        assert await self.both(shelf, product) == ((0, 0), (0, 0))

    async def test_they_go_with_their_product(self, shelf: Shelf) -> None:
        product = await shelf.product()
        await shelf.shop.review(await shelf.shop.user(), product)
        await shelf.delete("products", product)
        left = "SELECT count(*) FROM reviews.product_ratings WHERE product_id = $1"
        assert await shelf.shop.connection.fetchval(left, product) == 0

    async def test_64_reviews_at_once_are_64(self, shelf: Shelf, settings: Settings) -> None:
        product = await shelf.product()
        users = [await shelf.shop.user() for _ in range(64)]
        url = settings.database_worker_url.get_secret_value()
        connections = await asyncio.gather(*(connect(url) for _ in users))
        await asyncio.gather(
            *(
                Shop(connection).review(user, product, rating=1 + number % 5)
                for number, (user, connection) in enumerate(zip(users, connections, strict=True))
            )
        )
        await asyncio.gather(*(connection.close() for connection in connections))
        kept, counted = await self.both(shelf, product)
        assert kept == counted
        assert kept[0] == 64

    @pytest.mark.parametrize("rating", [0, 6])
    async def test_there_are_one_to_five_stars(self, shelf: Shelf, rating: int) -> None:
        with pytest.raises(asyncpg.CheckViolationError):
            await shelf.shop.review(await shelf.shop.user(), await shelf.product(), rating=rating)

    async def test_a_user_reviews_a_product_once(self, shelf: Shelf) -> None:
        user, product = await shelf.shop.user(), await shelf.product()
        await shelf.shop.review(user, product)
        with pytest.raises(asyncpg.UniqueViolationError):
            await shelf.shop.review(user, product)
