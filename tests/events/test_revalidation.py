"""The webhook of shop fronts: signed, tried again where that may help, and left to people where not."""

import hashlib
import hmac
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import pytest

from adapters.page_cache import HttpPageCache
from domain.events.ports import GivenUp
from domain.shared.events import EventId
from domain.shared.refusals import Unavailable
from settings import Settings
from tests.events.shop_front import ShopFront
from tests.watch import Watch

EVENT = EventId(UUID(int=1))
NOW = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture
async def pages(shop_front: ShopFront) -> AsyncIterator[HttpPageCache]:
    async with HttpPageCache(shop_front.url, shop_front.secret, Watch(NOW)) as pages:
        yield pages


async def test_the_body_and_its_time_are_signed(pages: HttpPageCache, shop_front: ShopFront) -> None:
    await pages.revalidate(EVENT, ["product:1", "catalog"])
    ((body, signature),) = shop_front.requests
    assert body == b'{"id":"00000000-0000-0000-0000-000000000001","type":"revalidate","tags":["product:1","catalog"]}'
    time = int(NOW.timestamp())
    digest = hmac.new(b"s" * 32, f"{time}.".encode() + body, hashlib.sha256).hexdigest()
    assert signature == f"t={time},v1={digest}"
    assert not shop_front.is_signed(body + b" ", signature)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
async def test_what_may_be_different_later_is_an_outage(
    pages: HttpPageCache, shop_front: ShopFront, status: int
) -> None:
    shop_front.answers = [status]
    with pytest.raises(Unavailable):
        await pages.revalidate(EVENT, ["catalog"])
    await pages.revalidate(EVENT, ["catalog"])
    assert shop_front.tags == ["catalog"]


@pytest.mark.parametrize("status", [301, 307, 401, 404])
async def test_what_will_not_be_is_left_to_people_and_no_redirect_is_followed(
    pages: HttpPageCache, shop_front: ShopFront, status: int
) -> None:
    shop_front.answers = [status]
    with pytest.raises(GivenUp, match=f"answered {status}"):
        await pages.revalidate(EVENT, ["catalog"])
    assert len(shop_front.requests) == 1


async def test_a_front_that_never_answers_costs_a_few_seconds(
    pages: HttpPageCache, shop_front: ShopFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.page_cache.TIMEOUT_S", 0.2)
    shop_front.is_held.clear()
    async with HttpPageCache(shop_front.url, shop_front.secret, Watch(NOW)) as hasty:
        with pytest.raises(Unavailable):
            await hasty.revalidate(EVENT, ["catalog"])


async def test_one_that_is_not_there_is_an_outage() -> None:
    async with HttpPageCache("http://127.0.0.1:9/", "s" * 32, Watch(NOW)) as nowhere:
        with pytest.raises(Unavailable):
            await nowhere.revalidate(EVENT, ["catalog"])


def test_an_address_needs_a_secret_that_is_long() -> None:
    with pytest.raises(ValueError, match="TORII_REVALIDATE_SECRET"):
        Settings(_env_file=None, revalidate_url="https://shop.example.com/api", revalidate_secret="short")
