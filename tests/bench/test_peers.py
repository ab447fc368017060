"""`python -m bench.peers`: other GraphQL servers beside the gateway."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.operations import WrongAnswer
from bench.peers import packages
from bench.peers.comparing import check_equal, difference
from bench.peers.operations import FEED, LISTING, SMALL
from bench.peers.servers import SERVERS, Running

ROOT = Path(__file__).parents[2]
TINY = ("--products", "600", "--seconds", "0.1", "--rounds", "1", "--connections", "2")
SOME = ("torii-cold-off", "torii", "apollo", "yoga", "mercurius", "strawberry", "sql", "redis", "memory")


def peers(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench.peers", *options]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


@pytest.mark.bench
def test_all_servers_give_equal_answers_and_are_measured(tmp_path: Path) -> None:
    try:
        packages.installed(print)
    except packages.NoNode as reason:
        pytest.skip(str(reason))
    file = tmp_path / "found.json"
    done = peers(*TINY, *(option for name in SOME for option in ("--only", name)), "--json", str(file))
    assert done.returncode == 0, done.stderr

    found = json.loads(file.read_text())
    assert {(each["server"], each["operation"]) for each in found["figures"]} == {
        (name, operation) for name in SOME for operation in (FEED, LISTING, SMALL)
    }
    assert all(each["best"]["requests"] > 0 and each["cpu_ms"] > 0 for each in found["figures"])
    feeds, lists, products = 20, 1, 100
    assert f"· {len(SOME) * (feeds + lists + products)} answers are equal" in done.stderr
    measured = {(goal["what"], goal["guard"]) for goal in found["goals"] if goal["measured"] is not None}
    assert {("feed, nothing cached", "off"), ("feed, warm", "on")} <= measured
    looked_up = found["lookups"][FEED]
    assert looked_up["warm"]["SQL"] <= 1
    assert 4 <= looked_up["cold"]["SQL"] <= 8
    assert "x best Node" in done.stdout


def test_says_what_to_install_where_there_is_no_node(tmp_path: Path) -> None:
    done = peers("--only", "apollo", PATH=str(tmp_path))
    assert done.returncode == 1
    assert "! without Apollo Server 5: node is not on the PATH: install Node.js 20 or later" in done.stderr


def test_knows_its_servers() -> None:
    done = peers("--only", "graphene")
    assert done.returncode == 2
    assert "no server is called graphene" in done.stderr


def test_packages_are_pinned_whole_and_name_no_registry() -> None:
    wanted, locked = (json.loads((packages.NODE_DIR / name).read_text()) for name in packages.LISTS)
    assert all(version.replace(".", "").isdecimal() for version in wanted["dependencies"].values())
    assert locked["packages"][""]["dependencies"] == wanted["dependencies"]
    installed = {name: entry for name, entry in locked["packages"].items() if name}
    assert len(installed) > 100
    assert all("resolved" not in entry and entry["integrity"] for entry in installed.values())


def test_different_answers_are_told_with_their_place(monkeypatch: pytest.MonkeyPatch) -> None:
    by_name = {server.name: server for server in SERVERS}
    names = {"apollo": "dashi", "yoga": "miso"}

    def answer(url: str, *_: object) -> bytes:
        name = names["apollo" if ":1/" in url else "yoga"]
        return json.dumps({"data": {"product": {"id": "1", "name": name}}}).encode()

    monkeypatch.setattr("bench.peers.comparing.answer_to", answer)
    running = Running({"apollo": 1, "yoga": 2}, {})
    with pytest.raises(WrongAnswer, match=r'differ at data\.product\.name: "dashi" and "miso"'):
        check_equal(running, [by_name["apollo"], by_name["yoga"]], {FEED: [], LISTING: [], SMALL: [{"id": "1"}]})


def test_finds_the_first_difference() -> None:
    assert difference({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}) == "data.a[1].b: 2 and 3"
    assert difference([1], [1, 2]) == "data: [1] and [1, 2]"
