"""The rating of a product, kept in step with its reviews by the database."""

import asyncio
from uuid import UUID

import asyncpg
import pytest

from settings import Settings
from tests.postgres.shelf import Shelf
from tests.postgres.shop import Shop, connect


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
