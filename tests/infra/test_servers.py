"""Building the servers of the contract tests: tools that are found or named, and a folder that is whole or not there."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.servers import toolchain
from infra.servers.__main__ import main
from infra.servers.recipes import RECIPES, Recipe
from infra.servers.refusals import BuildFailed, NotBuilt, ToolMissing

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "servers"
    monkeypatch.setenv("SERVERS_DIR", str(folder))
    return folder


def recipe(build: Callable[[Recipe, Path, Path], None], version: str = "1") -> Recipe:
    return Recipe("thing", version, build)


def writes(recipe: Recipe, part: Path, log: Path) -> None:
    (part / "binary").write_text(recipe.version)


def jdk(home: Path, version: str, *, compiler: bool = True) -> Path:
    (home / "bin").mkdir(parents=True)
    (home / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\n')
    if compiler:
        (home / "bin" / "javac").touch()
    return home


class TestCache:
    def test_a_server_is_built_once(self) -> None:
        said: list[str] = []
        first = recipe(writes).make(said.append)
        assert recipe(writes).make(said.append) == first == recipe(writes).built()
        assert said == ["building thing 1"]

    def test_another_version_is_another_folder(self) -> None:
        folders = [recipe(writes, version).make(lambda _: None) for version in ("1", "2")]
        assert [(folder / "binary").read_text() for folder in folders] == ["1", "2"]

    def test_a_build_that_failed_or_was_killed_is_begun_anew(self, cache: Path) -> None:
        def fails(recipe: Recipe, part: Path, log: Path) -> None:
            (part / "half").touch()
            raise ToolMissing("a tool", "install it")

        with pytest.raises(ToolMissing):
            recipe(fails).make(lambda _: None)
        with pytest.raises(NotBuilt, match="make servers"):
            recipe(writes).built()
        built = recipe(writes).make(lambda _: None)
        assert [path.name for path in built.iterdir()] == ["binary"]

    def test_builders_at_once_build_one_after_the_other_and_only_once(self) -> None:
        built: list[Path] = []
        second_waits = threading.Event()

        def slow(recipe: Recipe, part: Path, log: Path) -> None:
            built.append(part)
            assert second_waits.wait(30)
            writes(recipe, part, log)

        def second(text: str) -> None:
            if text.startswith("waiting"):
                second_waits.set()

        threads = [threading.Thread(target=recipe(slow).make, args=(second,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(built) == 1
        assert (recipe(writes).built() / "binary").exists()


class TestTools:
    def test_java_home_wins_where_it_will_do(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        old, new = jdk(tmp_path / "old", "1.8.0_392"), jdk(tmp_path / "new", "99.0.1")
        monkeypatch.setenv("JAVA_HOME", str(new))
        assert toolchain.java_home(21) == new
        monkeypatch.setenv("JAVA_HOME", str(old))
        monkeypatch.setattr(toolchain, "_HOMES", (f"{tmp_path}/*",))
        monkeypatch.setenv("PATH", "")
        assert toolchain.java_home(21) == new
        assert toolchain.java_home(8) == old

    def test_one_without_a_compiler_or_too_old_is_none(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        jdk(tmp_path / "runtime", "25", compiler=False)
        jdk(tmp_path / "old", "17.0.15")
        monkeypatch.delenv("JAVA_HOME", raising=False)
        monkeypatch.setattr(toolchain, "_HOMES", (f"{tmp_path}/*",))
        monkeypatch.setenv("PATH", "")
        with pytest.raises(ToolMissing, match="a JDK of version 21 or later"):
            toolchain.java_home(21)

    def test_each_server_says_why_it_is_not_built(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.delenv("JAVA_HOME", raising=False)
        monkeypatch.setattr(toolchain, "_HOMES", ())
        monkeypatch.setenv("PATH", "")
        assert main([]) == 1
        assert main(["--if-possible"]) == 0
        said = capsys.readouterr().err.splitlines()
        assert [line.split(":")[0] for line in said] == [each.name for each in RECIPES] * 2
        assert all("is missing: install" in line for line in said)

    def test_a_build_tool_that_gives_up_is_quoted(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        tools = tmp_path / "bin"
        tools.mkdir()
        go = tools / "go"
        go.write_text("#!/bin/sh\necho no registry answers\nexit 3\n")
        go.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
        [toxiproxy] = [each for each in RECIPES if each.name == "toxiproxy"]
        with pytest.raises(BuildFailed, match=r"(?s)go install .* ended with status 3.*no registry answers"):
            toxiproxy.make(lambda _: None)


def test_no_registry_is_named_in_a_recipe() -> None:
    poms = list((ROOT / "infra" / "servers").glob("*/pom.xml"))
    assert len(poms) == 2
    for pom in poms:
        assert "<repositor" not in pom.read_text()
        assert "<pluginRepositor" not in pom.read_text()


def test_the_builder_is_run_by_make(cache: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "infra.servers", "--if-possible"],
        cwd=ROOT,
        env={"SERVERS_DIR": str(cache), "PATH": "", "JAVA_HOME": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert "stripe-mock: not built, its tests will be skipped: Go is missing" in done.stderr
