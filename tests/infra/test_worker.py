"""Workers on a real database: what is due, who takes it, and what a fault or a stop leaves behind."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from adapters.postgres.database import Database
from adapters.postgres.jobs import PostgresRuns
from domain.shared.periodic import Outcome, Run, is_due
from domain.shared.refusals import Unavailable
from infra.logs import JsonLines
from infra.worker import PAUSES_S, Job, Stop, Worker
from settings import Settings
from tests.watch import Watch

HOUR = timedelta(hours=1)
Batches = Callable[[list[str]], AsyncGenerator[int, None]]
SECRET = "hanako@example.com"


def job(run: Batches, every: timedelta = HOUR) -> Job[list[str]]:
    """One of a name that no other test uses."""
    return Job(f"test-{uuid4()}", every, "", run)


async def note(done: list[str]) -> AsyncGenerator[int, None]:
    done.append("ran")
    yield 1


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    database = Database(settings.database_worker_url.get_secret_value(), timeout_ms=10_000)
    yield database
    await database.close()


@pytest.fixture
def runs(database: Database, settings: Settings) -> PostgresRuns:
    return PostgresRuns(database, settings.database_worker_url.get_secret_value())


class Crew:
    """Workers that share a clock and a database, each as a process of its own would be."""

    def __init__(self, runs: PostgresRuns) -> None:
        self.runs, self.watch, self.done, self.paused = runs, Watch(), list[str](), list[float]()

    def worker(self, *jobs: Job[list[str]], stop: Stop | None = None) -> Worker[list[str]]:
        async def pause(seconds: float) -> bool:
            self.paused.append(seconds)
            return False

        return Worker(jobs, self.done, self.runs, self.watch, stop or Stop(), pause=pause)

    async def turn(self, *workers: Worker[list[str]]) -> None:
        await asyncio.gather(*(worker.look() for worker in workers))
        await asyncio.gather(*(worker.settled() for worker in workers))

    async def last(self, job: Job[list[str]]) -> Run | None:
        return (await self.runs.looked_at()).get(job.name)


@pytest.fixture
def crew(runs: PostgresRuns) -> Crew:
    return Crew(runs)


class TestTurns:
    async def test_a_job_runs_at_once_and_then_every_so_often(self, crew: Crew) -> None:
        worker = crew.worker(job(note))
        for wound, ran in ((timedelta(0), 1), (timedelta(minutes=59), 1), (timedelta(minutes=1), 2), (3 * HOUR, 3)):
            crew.watch.wind(wound)
            await crew.turn(worker)
            assert len(crew.done) == ran

    async def test_another_worker_goes_by_the_same_schedule(self, crew: Crew) -> None:
        hourly = job(note)
        await crew.turn(crew.worker(hourly))
        crew.watch.wind(HOUR / 2)
        await crew.turn(crew.worker(hourly))
        assert crew.done == ["ran"]

    def test_a_start_written_by_a_clock_that_was_wrong_stops_nothing_for_good(self) -> None:
        now = datetime(2026, 4, 1, tzinfo=UTC)
        ahead = Run("job", now + timedelta(days=365), now + timedelta(days=365), Outcome.DONE)
        assert is_due(ahead, HOUR, now)
        assert not is_due(Run("job", now + timedelta(seconds=5), now, Outcome.DONE), HOUR, now)

    async def test_what_is_left_of_a_run_is_when_how_and_how_much(self, crew: Crew) -> None:
        async def some(done: list[str]) -> AsyncGenerator[int, None]:
            yield 40
            crew.watch.wind(timedelta(seconds=3))
            yield 2

        mine, began = job(some), crew.watch.now()
        await crew.turn(crew.worker(mine))
        assert await crew.last(mine) == Run(mine.name, began, began + timedelta(seconds=3), Outcome.DONE, 42)


class TestSideBySide:
    async def test_each_run_is_taken_by_one_of_many(self, crew: Crew) -> None:
        hourly = job(note)
        workers = [crew.worker(hourly) for _ in range(8)]
        for turn in (1, 2, 3):
            await crew.turn(*workers)
            assert len(crew.done) == turn
            crew.watch.wind(HOUR)

    async def test_while_one_is_at_it_the_others_leave_it_alone_even_when_it_is_due_again(self, crew: Crew) -> None:
        go = asyncio.Event()

        async def slow(done: list[str]) -> AsyncGenerator[int, None]:
            done.append("ran")
            await go.wait()
            yield 1

        mine = job(slow)
        first, second = crew.worker(mine), crew.worker(mine)
        await first.look()
        await until_held(crew, mine)
        crew.watch.wind(2 * HOUR)
        await crew.turn(second)
        assert await second.take(mine, even_early=True) is None
        await first.look()  # nor does the first begin a second one
        go.set()
        await first.settled()
        assert crew.done == ["ran"]

    async def test_the_connections_of_runs_are_not_those_that_jobs_work_with(
        self, crew: Crew, settings: Settings
    ) -> None:
        """As many long jobs at once as the pool has connections would else wait for each other for ever."""
        url = settings.database_worker_url.get_secret_value()
        async with AsyncExitStack() as stack:
            narrow = Database(url, pool_size=1, timeout_ms=5000)
            stack.push_async_callback(narrow.close)
            runs = PostgresRuns(narrow, url)
            for _ in range(5):
                assert await stack.enter_async_context(runs.hold(f"test-{uuid4()}")) is not None
            assert await narrow.version()


class TestFaults:
    async def test_a_job_that_fails_is_tried_again_after_1_2_and_4_s_and_then_at_its_next_turn(
        self, crew: Crew
    ) -> None:
        async def fail(done: list[str]) -> AsyncGenerator[int, None]:
            done.append("tried")
            yield 1
            raise Unavailable("DynamoDB")

        mine = job(fail)
        worker = crew.worker(mine)
        await crew.turn(worker)
        assert (crew.paused, len(crew.done)) == ([1, 2, 4], 4)
        last = await crew.last(mine)
        assert last is not None
        assert (last.outcome, last.count, last.error) == (Outcome.FAILED, 4, "Unavailable")
        await crew.turn(worker)
        assert len(crew.done) == 4
        crew.watch.wind(HOUR)
        await crew.turn(worker)
        assert len(crew.done) == 8

    async def test_a_second_attempt_that_goes_well_is_a_run_that_went_well(self, crew: Crew) -> None:
        async def fail_once(done: list[str]) -> AsyncGenerator[int, None]:
            done.append("tried")
            if len(done) == 1:
                raise OSError
            yield 5

        mine = job(fail_once)
        await crew.turn(crew.worker(mine))
        last = await crew.last(mine)
        assert last is not None
        assert (last.outcome, last.count, last.error) == (Outcome.DONE, 5, None)
        assert crew.paused == [PAUSES_S[0]]

    async def test_others_run_while_one_fails(self, crew: Crew) -> None:
        async def fail(done: list[str]) -> AsyncGenerator[int, None]:
            raise ZeroDivisionError
            yield 0

        await crew.turn(crew.worker(job(fail), job(note), job(note)))
        assert crew.done == ["ran", "ran"]

    async def test_the_lines_of_a_run_have_figures_and_nothing_of_persons(
        self, crew: Crew, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def fail(done: list[str]) -> AsyncGenerator[int, None]:
            raise ValueError(f"no such user {SECRET}")
            yield 0

        failing, going = job(fail), job(note)
        with caplog.at_level(logging.INFO, logger="torii.worker"):
            await crew.turn(crew.worker(failing, going))
        lines = [json.loads(JsonLines().format(record)) for record in caplog.records]
        ran = {line["job"]: line for line in lines if line["message"] == "a job ran"}
        assert ran[going.name].items() >= {"level": "info", "outcome": "DONE", "count": 1, "attempts": 1}.items()
        assert ran[going.name]["durationMs"] >= 0
        assert (
            ran[failing.name].items()
            >= {"level": "warning", "outcome": "FAILED", "attempts": 4, "errorType": "ValueError"}.items()
        )
        assert [line["attempt"] for line in lines if line["message"] == "a job failed"] == [1, 2, 3, 4]
        assert SECRET not in json.dumps(lines)

    async def test_without_the_database_it_waits_and_says_so_once(
        self, settings: Settings, caplog: pytest.LogCaptureFixture
    ) -> None:
        database = Database("postgresql://nobody@127.0.0.1:1/nothing", timeout_ms=1000)
        crew = Crew(PostgresRuns(database, "postgresql://nobody@127.0.0.1:1/nothing"))
        mine = job(note)
        worker = crew.worker(mine)
        await crew.turn(worker)
        await crew.turn(worker)
        assert await worker.take(mine) is None
        await database.close()
        assert crew.done == []
        assert [record.message for record in caplog.records] == [
            "jobs wait for the database",
            "a job was cut off from the database",
        ]

    async def test_a_worker_that_lost_its_lock_keeps_no_outcome_and_the_run_is_taken_again(
        self, crew: Crew, database: Database
    ) -> None:
        ways = [asyncio.Event(), asyncio.Event()]

        async def cut_off(done: list[str]) -> AsyncGenerator[int, None]:
            done.append("ran")
            await ways[len(done) - 1].wait()
            yield len(done)

        mine = job(cut_off)
        first, second = crew.worker(mine), crew.worker(mine)
        await first.look()
        await until_held(crew, mine)
        await end_connections_of_workers(database)
        await until_not_held(crew, mine)
        await second.look()
        await until_held(crew, mine)
        ways[0].set()
        await first.settled()
        meanwhile = await crew.last(mine)
        assert meanwhile is not None
        assert (meanwhile.outcome, meanwhile.is_held) == (None, True)
        ways[1].set()
        await second.settled()
        after = await crew.last(mine)
        assert after is not None
        assert (after.outcome, crew.done) == (Outcome.DONE, ["ran", "ran"])


class TestStopping:
    async def test_a_run_is_ended_between_two_batches_and_the_next_worker_goes_on(self, crew: Crew) -> None:
        stop = Stop()

        async def many(done: list[str]) -> AsyncGenerator[int, None]:
            for number in range(100):
                done.append(str(number))
                if number == 2:
                    stop.ask()
                yield 1

        mine = job(many)
        await crew.turn(crew.worker(mine, stop=stop))
        last = await crew.last(mine)
        assert last is not None
        assert (last.outcome, last.count, crew.done) == (Outcome.STOPPED, 3, ["0", "1", "2"])
        crew.done.clear()
        await crew.turn(crew.worker(mine))
        last = await crew.last(mine)
        assert last is not None
        assert (last.outcome, last.count) == (Outcome.DONE, 100)

    async def test_what_does_not_end_within_the_grace_is_given_up_and_its_lock_is_free(self, crew: Crew) -> None:
        stop, begun = Stop(), asyncio.Event()

        async def endless(done: list[str]) -> AsyncGenerator[int, None]:
            begun.set()
            await asyncio.Event().wait()
            yield 1

        mine = job(endless)
        working = asyncio.create_task(crew.worker(mine, stop=stop).work(grace_s=0.01))
        await begun.wait()
        stop.ask()
        await asyncio.wait_for(working, 60)
        await until_not_held(crew, mine)
        last = await crew.last(mine)
        assert last is not None
        assert last.is_unfinished
        assert last.outcome is None

    async def test_it_does_not_wait_for_a_further_attempt(self, crew: Crew) -> None:
        stop = Stop()

        async def fail(done: list[str]) -> AsyncGenerator[int, None]:
            stop.ask()
            raise OSError
            yield 0

        mine = job(fail)
        await Worker([mine], [], crew.runs, crew.watch, stop).work(grace_s=10)
        last = await crew.last(mine)
        assert last is not None
        assert last.outcome is Outcome.STOPPED


async def until_held(crew: Crew, mine: Job[list[str]]) -> None:
    async with asyncio.timeout(60):
        while not ((run := await crew.last(mine)) and run.is_held):
            await asyncio.sleep(0.01)


async def until_not_held(crew: Crew, mine: Job[list[str]]) -> None:
    async with asyncio.timeout(60):
        while (run := await crew.last(mine)) and run.is_held:
            await asyncio.sleep(0.01)


async def end_connections_of_workers(database: Database) -> None:
    """As a restart of the server, or of what is between, would."""
    from sqlalchemy import text

    await database.fresh(
        text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'torii worker' AND datname = current_database()"
        )
    )


async def test_to_be_given_up_in_the_very_moment_of_being_asked_is_not_lost() -> None:
    stop = Stop()
    waiting = asyncio.create_task(stop.within(30))
    for _ in range(3):  # until it waits
        await asyncio.sleep(0)
    stop.ask()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
