"""A worker as a process: killed outright in the middle of a job, and asked to stop while a job runs."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from adapters.postgres.database import Database
from adapters.postgres.jobs import PostgresRuns
from composition.periodic import JOBS
from domain.shared.clock import SystemClock
from domain.shared.periodic import Outcome, Run
from infra.worker import Job, Stop, Worker
from settings import Settings
from tests.command_line import torii

ROOT = Path(__file__).parents[2]
WORKER = """
import asyncio
from datetime import timedelta
from pathlib import Path
from composition import periodic
from infra import logs
from infra.worker import Job
from settings.loading import load

async def run(tools):
    yield 1
    Path({begun!r}).touch()
    while not Path({go!r}).exists():
        await asyncio.sleep(0.01)
    yield 1
    yield 1

periodic.JOBS = (Job({name!r}, timedelta(hours=1), "", run),)
configured = load()
logs.configure(configured.log_level)
asyncio.run(periodic.work(configured))
"""


class Process:
    """A worker with one job, which waits in the middle of its second batch for `go`."""

    def __init__(self, folder: Path, corner: dict[str, str], name: str, grace_s: int) -> None:
        self.begun, self.go, self._said = folder / "begun", folder / "go", folder / "said"
        program = WORKER.format(begun=str(self.begun), go=str(self.go), name=name)
        environment = {**os.environ, **corner, "PYTHONPATH": str(ROOT), "TORII_SHUTDOWN_GRACE_S": str(grace_s)}
        with self._said.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", program], cwd=folder, env=environment, stdout=output, stderr=output
            )

    async def until_begun(self) -> None:
        async with asyncio.timeout(60):
            while not self.begun.exists():
                assert self.process.poll() is None, self._said.read_text()
                await asyncio.sleep(0.02)

    async def until_said(self, what: str) -> None:
        async with asyncio.timeout(60):
            while what not in self.said():
                await asyncio.sleep(0.02)

    async def ended(self) -> int:
        return await asyncio.to_thread(self.process.wait, 30)

    def said(self) -> str:
        return self._said.read_text()


@pytest.fixture
def name() -> str:
    return f"test-{uuid4()}"


@pytest.fixture
async def runs(settings: Settings) -> AsyncIterator[PostgresRuns]:
    url = settings.database_worker_url.get_secret_value()
    database = Database(url, timeout_ms=10_000)
    yield PostgresRuns(database, url)
    await database.close()


@pytest.fixture
def patient(tmp_path: Path, corner: dict[str, str], name: str) -> Iterator[Process]:
    yield from started(tmp_path, corner, name, grace_s=30)


@pytest.fixture
def hasty(tmp_path: Path, corner: dict[str, str], name: str) -> Iterator[Process]:
    yield from started(tmp_path, corner, name, grace_s=0)


def started(folder: Path, corner: dict[str, str], name: str, grace_s: int) -> Iterator[Process]:
    worker = Process(folder, corner, name, grace_s)
    yield worker
    with suppress(ProcessLookupError):
        worker.process.kill()
    worker.process.wait()


async def run_of(runs: PostgresRuns, name: str) -> Run:
    return (await runs.looked_at())[name]


async def test_killed_in_the_middle_of_a_job_another_worker_takes_over(
    patient: Process, runs: PostgresRuns, name: str
) -> None:
    await patient.until_begun()
    there = await run_of(runs, name)
    assert (there.is_held, there.outcome) == (True, None)

    async def whole(_tools: None) -> AsyncGenerator[int, None]:
        yield 7

    successor = Worker([Job(name, timedelta(hours=1), "", whole)], None, runs, SystemClock(), Stop())
    await successor.look()
    await successor.settled()
    assert (await run_of(runs, name)).started_at == there.started_at  # it is at it: nobody else is

    patient.process.send_signal(signal.SIGKILL)
    await patient.ended()
    async with asyncio.timeout(30):
        while (await run_of(runs, name)).outcome is None:  # the server notices, and the lock is free
            await successor.look()
            await successor.settled()
    assert ((await run_of(runs, name)).outcome, (await run_of(runs, name)).count) == (Outcome.DONE, 7)


async def test_sigterm_lets_the_batch_at_work_end_and_no_further_one_begin(
    patient: Process, runs: PostgresRuns, name: str
) -> None:
    await patient.until_begun()
    patient.process.send_signal(signal.SIGTERM)
    await patient.until_said("asked to end")
    patient.go.touch()
    assert await patient.ended() == 0, patient.said()
    last = await run_of(runs, name)
    assert (last.outcome, last.count) == (Outcome.STOPPED, 2)
    assert '"outcome":"STOPPED"' in patient.said()


async def test_after_the_grace_the_job_is_given_up(hasty: Process, runs: PostgresRuns, name: str) -> None:
    await hasty.until_begun()
    hasty.process.send_signal(signal.SIGTERM)
    assert await hasty.ended() == 0, hasty.said()
    assert (await run_of(runs, name)).outcome is None
    assert '"outcome":"INTERRUPTED"' in hasty.said()


async def test_a_second_signal_does_not_wait_for_the_grace(patient: Process, runs: PostgresRuns, name: str) -> None:
    await patient.until_begun()
    patient.process.send_signal(signal.SIGTERM)
    with suppress(ProcessLookupError):
        async with asyncio.timeout(60):
            while patient.process.poll() is None:  # two signals that come at once are one
                patient.process.send_signal(signal.SIGTERM)
                await asyncio.sleep(0.05)
    assert (await run_of(runs, name)).outcome is None


class TestCommand:
    @pytest.fixture(autouse=True)
    def somewhere(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)

    @pytest.fixture
    def environment(self, corner: dict[str, str]) -> dict[str, str]:
        return corner | {"COLUMNS": "220"}

    def test_once_runs_it_now_however_often(self, environment: dict[str, str]) -> None:
        names = ["forget-idempotency-keys", "forget-sent-events", "make-order-partitions"] * 2
        done = torii(*(("worker", "--once", name) for name in names), environment=environment)
        for name, each in zip(names, done, strict=True):
            assert each.status == 0, each.stderr
            assert f"{name}: done" in each.stdout

    def test_list_shows_all_jobs_and_how_they_ran(self, environment: dict[str, str]) -> None:
        ran, listed = torii(
            ("worker", "--once", "forget-payment-events"), ("worker", "--list"), environment=environment
        )
        assert (ran.status, listed.status) == (0, 0), ran.stderr + listed.stderr
        rows = {line.split()[0]: line for line in listed.stdout.splitlines()[1:] if line.strip()}
        assert rows.keys() == {job.name for job in JOBS}
        assert " 1 day " in rows["forget-payment-events"]
        assert " done " in rows["forget-payment-events"]

    async def test_one_that_is_not_there_or_is_taken_is_refused(
        self, environment: dict[str, str], runs: PostgresRuns
    ) -> None:
        jobs = [("worker", "--once", name) for name in ("make-coffee", "forget-sent-events")]
        async with runs.hold("forget-sent-events") as held:
            assert held is not None
            unknown, taken = await asyncio.to_thread(torii, *jobs, environment=environment)
        assert (unknown.status, taken.status) == (1, 1)
        assert "there is no job make-coffee: there are erase-users," in unknown.stderr
        assert "forget-sent-events was not run" in taken.stderr
