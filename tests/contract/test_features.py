"""The port Features, on DynamoDB."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from adapters.aws.clients import Aws
from adapters.dynamodb.features import POPULAR_KEPT, DynamoFeatures
from adapters.dynamodb.tables import ensure_tables
from domain.recommendations.model import Model, Scored
from domain.shared.ids import ProductId, uuid7
from domain.shared.refusals import Unavailable
from settings import Settings
from tests.watch import Watch


class Switched(Aws):
    """DynamoDB with a switch: off, it refuses every call as an outage."""

    on = True

    @property
    def dynamodb(self) -> Any:
        if not self.on:
            raise Unavailable("DynamoDB")
        return super().dynamodb


@pytest_asyncio.fixture(scope="module")
async def switched(settings: Settings) -> AsyncIterator[Switched]:
    async with Switched(settings.aws_region, settings.aws_endpoint_url, timeout_ms=30_000) as opened:
        await ensure_tables(opened, prefix(settings))
        yield opened


def prefix(settings: Settings) -> str:
    """Tables of its own: a model replaces all that is in them."""
    return f"{settings.dynamodb_table_prefix}features-"


@pytest.fixture
def features(switched: Switched, settings: Settings, watch: Watch) -> DynamoFeatures:
    return DynamoFeatures(switched, prefix(settings), watch)


def ranked(count: int) -> list[Scored]:
    return [Scored(ProductId(uuid7()), 1 - place / 512) for place in range(count)]


def some_model(products: int = 3) -> Model:
    return Model(str(uuid7()), {ProductId(uuid7()): ranked(4) for _ in range(products)}, ranked(5))


async def test_a_model_reads_back_in_the_order_asked_for(features: DynamoFeatures) -> None:
    model = some_model(products=120)
    await features.replace(model)
    keys = list(model.neighbours)[::-1]
    assert await features.neighbours(keys) == [model.neighbours[key] for key in keys]
    assert await features.popular() == model.popular


async def test_a_product_without_features_has_none(features: DynamoFeatures) -> None:
    model = some_model(products=1)
    await features.replace(model)
    [known] = model.neighbours
    unknown = ProductId(uuid7())
    assert await features.neighbours([unknown, known, unknown]) == [(), model.neighbours[known], ()]


async def test_a_training_leaves_nothing_of_the_one_before(features: DynamoFeatures) -> None:
    old, new = some_model(products=30), some_model()
    await features.replace(old)
    await features.replace(new)
    assert set(await features.neighbours(list(old.neighbours))) == {()}
    assert await features.popular() == new.popular


async def test_a_model_of_nothing_empties_everything(features: DynamoFeatures) -> None:
    model = some_model()
    await features.replace(model)
    await features.replace(Model("nothing", {}, []))
    assert (await features.neighbours(list(model.neighbours)), await features.popular()) == ([()] * 3, [])


async def test_the_popular_list_is_read_once_a_minute(
    features: DynamoFeatures, switched: Switched, settings: Settings, watch: Watch
) -> None:
    model = some_model()
    await features.replace(model)
    await features.popular()
    elsewhere = DynamoFeatures(switched, prefix(settings), watch)
    newer = replace(some_model(), version="newer")
    await elsewhere.replace(newer)
    assert await features.popular() == model.popular
    watch.wind(POPULAR_KEPT)
    assert await features.popular() == newer.popular


async def test_the_popular_list_outlives_an_outage_but_is_not_made_up(
    features: DynamoFeatures, switched: Switched, settings: Settings, watch: Watch
) -> None:
    model = some_model()
    await features.replace(model)
    await features.popular()
    watch.wind(POPULAR_KEPT + timedelta(hours=1))
    switched.on = False
    try:
        assert await features.popular() == model.popular
        with pytest.raises(Unavailable):
            await DynamoFeatures(switched, prefix(settings), watch).popular()
    finally:
        switched.on = True
