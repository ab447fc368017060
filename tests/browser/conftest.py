"""The marketplace as a person starts it, and the browser to visit it with."""

import asyncio
import os
import shutil
import sys
from asyncio.subprocess import STDOUT
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from tests.infra.running import free_port

TORII = Path(sys.executable).with_name("torii")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",  # root has none
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
FIRST_START_S = 180.0
STOP_S = 30.0


@dataclass(frozen=True, slots=True)
class Marketplace:
    """A running `torii up`."""

    url: str
    environment: dict[str, str]
    folder: Path

    async def torii(self, *arguments: str) -> str:
        """What another `torii` command says on standard output, on the same data folder."""
        process = await asyncio.create_subprocess_exec(
            TORII, *arguments, cwd=self.folder, env=self.environment, stdout=asyncio.subprocess.PIPE
        )
        said, _ = await process.communicate()
        assert process.returncode == 0, said.decode()
        return said.decode().strip()


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
async def marketplace(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Marketplace]:
    """`torii up` on a folder and a port of its own."""
    folder = tmp_path_factory.mktemp("marketplace")
    port = free_port()
    environment = os.environ | {"DATA_DIR": str(folder / "data"), "PORT": str(port), "COLUMNS": "120"}
    said = folder / "said.txt"
    with said.open("w") as output:
        process = await asyncio.create_subprocess_exec(
            TORII, "up", cwd=folder, env=environment, stdout=output, stderr=STDOUT
        )
    try:
        await asyncio.wait_for(_until_up(process, said), FIRST_START_S)
        yield Marketplace(f"http://127.0.0.1:{port}", environment, folder)
    finally:
        assert await _stopped(process) == 0, said.read_text()


async def _until_up(process: asyncio.subprocess.Process, said: Path) -> None:
    while "Torii is up" not in said.read_text():
        assert process.returncode is None, said.read_text()
        await asyncio.sleep(0.05)


async def _stopped(process: asyncio.subprocess.Process) -> int:
    """Its exit status. One that does not end when it is told to is killed, and that is a failure."""
    if process.returncode is None:
        process.terminate()
    try:
        return await asyncio.wait_for(process.wait(), STOP_S)
    except TimeoutError:
        process.kill()
        raise
