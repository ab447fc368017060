"""Jobs beside requests: one that fails is begun anew, and nothing that it was to do is lost."""

import asyncio
import logging

import pytest

from domain.catalog.stock import StockWatch
from infra.background import running
from tests.shelf import Shelf


async def test_a_job_that_fails_is_told_of_and_begins_anew(caplog: pytest.LogCaptureFixture) -> None:
    begun = 0
    lasting = asyncio.Event()

    async def job() -> None:
        nonlocal begun
        begun += 1
        if begun == 1:
            raise ValueError("a fault of ours")
        if begun == 3:
            lasting.set()
            await asyncio.Event().wait()

    with caplog.at_level(logging.CRITICAL, "torii.background"):
        async with asyncio.timeout(60), running(job, again_s=0):
            await lasting.wait()
    assert [record.exc_info and record.exc_info[0] for record in caplog.records] == [ValueError, None]


async def test_what_was_to_be_read_when_reading_failed_is_read_when_it_begins_anew() -> None:
    class Failing(Shelf):
        faults = 1

        async def by_ids(self, *arguments: object) -> object:  # type: ignore[override]
            if self.faults:
                self.faults -= 1
                raise ValueError("a fault of ours")
            return await super().by_ids(*arguments)  # type: ignore[arg-type]

    shelf = Failing()
    product = shelf.product(stock=3)
    stock = StockWatch(shelf)  # type: ignore[arg-type]
    async with asyncio.timeout(60), running(stock.run, again_s=0):
        found = await anext(stock.watch(product))
    assert found is not None
    assert found.stock_quantity == 3
