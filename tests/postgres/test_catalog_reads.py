"""What the public's reads of the catalogue leave out, and which of two servers a read goes to."""

from sqlalchemy import func, select

from adapters.postgres.catalog import PostgresBrands, PostgresCategories, PostgresProducts
from adapters.postgres.database import Database
from domain.shared.ids import BrandId, CategoryId, ProductId
from domain.shared.paging import PageRequest
from domain.shared.viewer import ANONYMOUS
from settings import Settings
from tests.postgres.shelf import Shelf
from tests.postgres.shop import Shop


async def test_variations_that_are_not_active_are_not_listed(database: Database, shelf: Shelf) -> None:
    product = ProductId(await shelf.product())
    sold = await shelf.shop.variation(product)
    await shelf.shop.variation(product, is_active=False)
    [found] = await PostgresProducts(database).variations_of([product])
    assert [variation.id for variation in found] == [sold]


async def test_brands_that_are_not_active_are_neither_found_listed_nor_counted(database: Database, shop: Shop) -> None:
    brands = PostgresBrands(database)
    before = (await brands.count()).value
    last = "\U0010ffff"  # by code point, so that the last page of the list holds them, and no other test's first one
    shown = BrandId(await shop.brand(name=last))
    hidden = BrandId(await shop.brand(name=last, is_active=False))
    found = await brands.by_ids([hidden, shown])
    assert [brand.id if brand else None for brand in found] == [None, shown]
    listed = {brand.id for brand in (await brands.page(PageRequest(100, backward=True))).nodes}
    assert listed & {shown, hidden} == {shown}
    assert (await brands.count()).value == before + 1


async def test_categories_that_are_not_active_are_not_in_the_tree(database: Database, shop: Shop) -> None:
    shown = CategoryId(await shop.category())
    hidden = CategoryId(await shop.category(is_active=False))
    tree = await PostgresCategories(database).tree()
    assert tree.by_id.keys() & {shown, hidden} == {shown}


async def test_public_reads_go_to_the_replica_and_all_others_to_the_writer(
    settings: Settings, demo_settings: Settings
) -> None:
    """The replica is another database here, so that it can be told from the writer."""
    writer, replica = settings.database_url.get_secret_value(), demo_settings.database_url.get_secret_value()
    database = Database(writer, replica_url=replica, pool_size=1)
    name = select(func.current_database())
    try:
        read = {
            "public": await database.public(name),
            "fresh": await database.fresh(name),
            "seen by": await database.seen_by(ANONYMOUS, name),
        }
        names = {way: rows[0][0] for way, rows in read.items()}
    finally:
        await database.close()
    assert names["public"] == replica.split("?")[0].rsplit("/", 1)[1]
    assert names["fresh"] == names["seen by"] == writer.split("?")[0].rsplit("/", 1)[1]
    assert names["public"] != names["fresh"]
