"""`torii search …` and `torii capture …` as operators run them: processes, what they say and what they end with."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from composition.capturing import change_log, drop_capture
from domain.capture.model import Change
from domain.capture.service import Capture
from settings import Settings
from tests.backends import settings_of
from tests.postgres.shop import Shop

ROOT = Path(__file__).parents[2]


class Told:
    """A stream that takes everything."""

    async def put(self, changes: Any) -> None:
        assert all(isinstance(each, Change) for each in changes)


@pytest.fixture
def own(corner: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The corner with an index and a slot of the test's own."""
    return {**corner, "TORII_SEARCH_INDEX_DIR": str(tmp_path / "search"), "TORII_CAPTURE_SLOT": f"t_{uuid4().hex[:12]}"}


@pytest.fixture
def settings(own: dict[str, str]) -> Settings:
    return settings_of(own)


class Torii:
    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self._environment = {**os.environ, **environment, "PYTHONPATH": str(ROOT), "COLUMNS": "400"}
        self._folder = folder

    async def __call__(self, *arguments: str, ends: int = 0) -> str:
        """What it says; it has to end with that status."""
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "cli", *arguments],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode == ends, (done.returncode, done.stdout, done.stderr)
        return done.stdout + done.stderr


@pytest.fixture
def torii(own: dict[str, str], tmp_path: Path) -> Torii:
    return Torii(own, tmp_path)


async def rename(worker: Any, product: Any, name: str) -> None:
    await worker.execute("UPDATE catalog.products SET name = $2 WHERE id = $1", product, name)


def counts(told: str) -> dict[str, int]:
    """The table of `torii search verify`, by the first word of each row."""
    rows = [line.split() for line in told.splitlines() if line.strip() and line.split()[-1].replace(",", "").isdigit()]
    return {row[0].rstrip(":"): int(row[-1].replace(",", "")) for row in rows}


async def test_the_index_is_built_compared_put_right_and_rolled_back(torii: Torii, worker: Any, shop: Shop) -> None:
    await worker.fetch("SELECT * FROM catalog.check_texts('00000000-0000-0000-0000-000000000000', 100000, true)")
    product = await shop.product(await shop.seller(), await shop.category(), name="急須")
    total = await worker.fetchval("SELECT count(*) FROM catalog.products")

    assert "run `torii search reindex`" in await torii("search", "verify", ends=1)
    assert f"the search index is new, with {total:,} products" in await torii("search", "reindex")
    assert "earlier" in await torii("search", "rollback", ends=1)

    await worker.execute("UPDATE catalog.product_texts SET labels = 'old' WHERE product_id = $1", product)
    told = await torii("search", "verify", ends=1)
    assert counts(told) | {"compared": total, "stale": 0, "put": 0} == counts(told)
    assert "texts that the database searches by while the index is away: 1 differ\n" in told

    await rename(worker, product, "土瓶")
    await worker.execute("UPDATE catalog.product_texts SET labels = 'old' WHERE product_id = $1", product)
    told = await torii("search", "verify", "--repair")
    assert counts(told) | {"compared": total, "stale": 1, "put": 1} == counts(told)
    assert "1 differ, put right" in told

    await torii("search", "reindex")
    await rename(worker, product, "茶碗")
    assert f"the earlier index counts again; 1 of {total:,} products had changed since" in await torii(
        "search", "rollback"
    )


async def test_capture_is_looked_at_begun_anew_and_stopped(
    torii: Torii, own: dict[str, str], settings: Settings
) -> None:
    slot = own["TORII_CAPTURE_SLOT"]
    assert f"no replication slot {slot}: nothing is captured" in await torii("capture", "status")

    log = change_log(settings)
    await Capture(log, Told()).pump()
    await log.close()
    told = await torii("capture", "status")
    assert f"replication slot {slot}: " in told
    assert "of at most 1,073,741,824" in told

    assert "the replication slot is gone: a worker makes it again" in await torii("capture", "restart")
    assert "there was no replication slot" in await torii("capture", "stop")
    assert not await drop_capture(settings)
