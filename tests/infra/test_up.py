"""`torii up` from start to end, as a process."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from dotenv import dotenv_values

from infra.embedded import run_env
from infra.up import NOT_FOR_GATEWAY, without
from tests.infra.running import BROKEN_GATEWAY, Torii, free_port, processes_on, start, until

STEPS = """
from pathlib import Path
from infra.embedded.process import python
from infra.up import Step

# an emulator that is still empty would have everything done again
TABLES = "import asyncio; from commands import jobs; from settings.loading import load; asyncio.run(jobs.migrate(load()))"
steps = [
    Step("shop", python("-c", TABLES + "; print('shop', file=open({said!r}, 'a'))"), once=True, does=("tables",)),
    Step("tables", python("-c", "print('tables', file=open({said!r}, 'a'))"), once=True),
    Step("index", python("-c", "print('index', file=open({said!r}, 'a'))"), is_needed=lambda: not Path({index!r}).exists()),
]
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for this file: later tests start on what earlier ones left."""
    return tmp_path_factory.mktemp("up")


@pytest.fixture
def torii(place: Path) -> Iterator[Torii]:
    started = start(place, place / "data", free_port())
    yield started
    started.process.kill()
    started.process.wait()


class TestRunning:
    def test_serves_and_says_where_then_sigterm_stops_all_of_it(self, torii: Torii, place: Path) -> None:
        torii.wait_until_up()
        with urllib.request.urlopen(f"http://127.0.0.1:{torii.port}/health", timeout=30) as answer:
            assert answer.status == 200
        for line in (f"127.0.0.1:{torii.port}/graphql", "buyer@example.com", "token", "Ctrl-C"):
            assert line in torii.output()
        assert (torii.data_dir / "run.env").stat().st_mode & 0o777 == 0o600

        second = start(place, torii.data_dir, free_port())
        assert second.wait_until_ended() == 1
        assert one_line(second) == (
            f"torii: {torii.data_dir} is in use by pid {torii.process.pid}: "
            "stop it, or choose another folder with DATA_DIR=…"
        )

        torii.process.send_signal(signal.SIGTERM)
        assert torii.wait_until_ended() == 0
        assert processes_on(torii.data_dir) == []
        assert not (torii.data_dir / "run.env").exists()

    def test_no_child_has_an_address_of_the_database_that_it_has_no_use_for(self, torii: Torii) -> None:
        torii.wait_until_up()
        roles = {"gateway": {"torii_app"}, "worker": {"torii_app", "torii_worker"}}
        for name, wanted in roles.items():
            pid_file = torii.data_dir / "run" / f"{name}.pid"
            until(lambda: pid_file.exists() and pid_file.read_text(), f"the {name} was started")  # noqa: B023
            environ = Path(f"/proc/{pid_file.read_text()}/environ")
            until(lambda: b"PATH=" in environ.read_bytes(), f"the {name} is more than begun")  # noqa: B023
            environment = environ.read_bytes().decode()
            assert set(re.findall("torii_(?:app|worker|owner)", environment)) == wanted, name
        # nor does it read them from the file that tells commands where the back ends are
        asked = "from settings.loading import load; s = load(); print([bool(each.get_secret_value()) for each in ("
        asked += "s.database_url, s.database_worker_url, s.database_owner_url)])"
        variables = {"DATA_DIR": str(torii.data_dir)} | without({}, NOT_FOR_GATEWAY)
        said = subprocess.run(
            [sys.executable, "-c", asked], env=os.environ | variables, capture_output=True, text=True, check=True
        )
        assert said.stdout.strip() == "[True, False, False]"

    def test_stripe_is_told_where_the_gateway_is(self, torii: Torii) -> None:
        torii.wait_until_up()
        found = dotenv_values(torii.data_dir / "run.env")
        request = urllib.request.Request(
            f"{found['TORII_STRIPE_API_BASE']}/v1/webhook_endpoints",
            headers={"authorization": f"Bearer {found['TORII_STRIPE_SECRET_KEY']}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            (endpoint,) = json.load(answer)["data"]
        assert endpoint["url"] == f"http://127.0.0.1:{torii.port}/api/webhooks/stripe"
        assert endpoint["enabled_events"] == ["*"]

    def test_killed_outright_leaves_no_orphan_and_the_next_start_heals(self, torii: Torii, place: Path) -> None:
        torii.wait_until_up()
        ports = (torii.data_dir / "ports.json").read_text()
        gateway = torii.children()["gateway"]

        torii.process.kill()
        until(lambda: not processes_on(torii.data_dir) and not gateway.is_running(), "every child has ended")

        assert (torii.data_dir / "run.env").exists()
        run_env.remove_if_stale(torii.data_dir)
        assert not (torii.data_dir / "run.env").exists()
        again = start(place, torii.data_dir, torii.port)
        again.wait_until_up()
        assert (torii.data_dir / "ports.json").read_text() == ports

        # and what dies is named, the rest stopped
        again.children()["valkey"].kill()
        assert again.wait_until_ended() == 1
        assert "torii: valkey was killed by signal 9; its log is" in again.output()
        assert processes_on(torii.data_dir) == []

    def test_a_worker_runs_beside_the_gateway_and_its_death_is_told(self, torii: Torii) -> None:
        torii.wait_until_up()
        until((torii.data_dir / "run" / "worker.pid").exists, "the worker has started")
        # the tables of this folder are not made: it waits for them
        log = torii.data_dir / "log" / "worker.log"
        until(lambda: "jobs wait for the database" in log.read_text(), "the worker has looked at its jobs")
        worker, gateway = torii.children()["worker"], torii.children()["gateway"]
        worker.kill()
        assert torii.wait_until_ended() == 1
        assert "torii: worker was killed by signal 9; its log is" in torii.output()
        assert not gateway.is_running()
        assert processes_on(torii.data_dir) == []

    def test_what_is_done_once_is_done_once_and_what_is_missing_is_made(self, place: Path) -> None:
        def started(index: Path) -> list[str]:
            said = index.with_name("said")
            said.unlink(missing_ok=True)
            torii = start(place, place / "data", free_port(), steps=STEPS.format(said=str(said), index=str(index)))
            torii.wait_until_up()
            torii.process.send_signal(signal.SIGTERM)
            assert torii.wait_until_ended() == 0
            return said.read_text().split() if said.exists() else []

        index = place / "index"
        assert started(index) == ["shop", "index"]  # the shop's step did the tables
        assert started(index) == ["index"]
        index.touch()
        assert started(index) == []

    def test_interrupted_twice_while_it_starts_it_leaves_nothing(self, torii: Torii) -> None:
        until((torii.data_dir / "run" / "aws.pid").exists, "the back ends are starting")
        torii.process.send_signal(signal.SIGINT)
        torii.process.send_signal(signal.SIGINT)
        assert torii.wait_until_ended() == 0
        assert processes_on(torii.data_dir) == []


class TestRefusing:
    def test_a_taken_port_is_named_with_its_holder(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            torii = start(tmp_path, tmp_path / "data", port)
            assert torii.wait_until_ended() == 1
        name = Path(f"/proc/{os.getpid()}/comm").read_text().strip()
        assert one_line(torii) == (
            f"torii: port {port} is taken by pid {os.getpid()} ({name}): choose another with PORT={port + 1} make run"
        )

    def test_a_broken_gateway_is_named_with_its_last_words(self, tmp_path: Path) -> None:
        torii = start(tmp_path, tmp_path / "data", free_port(), gateway=BROKEN_GATEWAY)
        assert torii.wait_until_ended() == 1
        assert "torii: gateway ended with status 1; its log is" in torii.output()
        assert "RuntimeError: no such table: products" in torii.output()
        assert processes_on(torii.data_dir) == []

    def test_a_file_where_the_folder_should_be(self, tmp_path: Path) -> None:
        (tmp_path / "data").write_text("not a folder")
        torii = start(tmp_path, tmp_path / "data", free_port())
        assert torii.wait_until_ended() == 1
        assert one_line(torii) == (
            f"torii: cannot keep data in {tmp_path / 'data'}: it is a file; choose another folder with DATA_DIR=…"
        )


def one_line(torii: Torii) -> str:
    """The only line that it said."""
    (line,) = torii.output().strip().splitlines()
    return line
