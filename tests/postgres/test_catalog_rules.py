"""What the database keeps true of products by itself, whoever writes."""

import asyncio
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from domain.shared.ids import uuid7
from settings import Settings
from tests.postgres.shelf import Shelf, until_somebody_waits_for
from tests.postgres.shop import Shop, connect


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


class TestWhatIsSetAside:
    async def test_the_last_unit_set_aside_makes_it_out_of_stock_and_letting_go_active_again(
        self, shelf: Shelf
    ) -> None:
        product = await shelf.product(stock_quantity=2)
        await shelf.change("products", product, reserved_quantity=2)
        row = await shelf.read(product)
        assert (row["status"], row["stock_quantity"], row["sellable_quantity"]) == ("out_of_stock", 2, 0)
        await shelf.change("products", product, reserved_quantity=1)
        row = await shelf.read(product)
        assert (row["status"], row["sellable_quantity"]) == ("active", 1)

    async def test_it_is_the_sum_of_the_active_variations(self, shelf: Shelf) -> None:
        product = await shelf.product()
        large = await shelf.shop.variation(product, stock_quantity=3)
        small = await shelf.shop.variation(product, stock_quantity=4)
        await shelf.change("product_variations", large, reserved_quantity=2)
        await shelf.change("product_variations", small, reserved_quantity=1)
        row = await shelf.read(product)
        assert (row["stock_quantity"], row["reserved_quantity"], row["sellable_quantity"]) == (7, 3, 4)
        await shelf.change("product_variations", small, is_active=False)
        row = await shelf.read(product)
        assert (row["stock_quantity"], row["reserved_quantity"], row["sellable_quantity"]) == (3, 2, 1)

    async def test_a_stocktake_that_finds_less_than_was_promised_leaves_nothing_to_sell(self, shelf: Shelf) -> None:
        product = await shelf.product(stock_quantity=5)
        await shelf.change("products", product, reserved_quantity=3)
        await shelf.change("products", product, stock_quantity=1)
        row = await shelf.read(product)
        assert (row["status"], row["sellable_quantity"]) == ("out_of_stock", 0)

    async def test_it_is_never_below_nothing(self, shelf: Shelf) -> None:
        with pytest.raises(asyncpg.CheckViolationError):
            await shelf.change("products", await shelf.product(), reserved_quantity=-1)
