"""What is built, in which version, and how: by package name, from the registries that Maven and Go are set up for."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.servers.cache import Say, builders_lock, cache_dir, made_whole
from infra.servers.refusals import BuildFailed, NotBuilt
from infra.servers.toolchain import go, java_home, maven

HERE = Path(__file__).parent
BUILD_TIMEOUT_S = 900
LAST_LINES = 12
OPENSEARCH_JAVA, DYNAMODB_JAVA = 21, 17


@dataclass(frozen=True, slots=True)
class Recipe:
    """A server, and how to make a folder of it. `version` and the text of `sources` are what its key is made of."""

    name: str
    version: str
    build: Callable[["Recipe", Path, Path], None]
    sources: tuple[Path, ...] = ()

    @property
    def folder(self) -> Path:
        key = hashlib.sha256(self.version.encode())
        for source in self.sources:
            key.update(source.read_bytes())
        return cache_dir() / f"{self.name}-{key.hexdigest()[:12]}"

    def built(self) -> Path:
        """Raises NotBuilt."""
        if not self.folder.is_dir():
            raise NotBuilt(self.name)
        return self.folder

    def make(self, say: Say) -> Path:
        """Build it unless it is there. Raises ToolMissing, BuildFailed."""
        if self.folder.is_dir():
            return self.folder
        with builders_lock(cache_dir(), say):
            if not self.folder.is_dir():
                say(f"building {self.name} {self.version}")
                with made_whole(self.folder) as part:
                    self.build(self, part, cache_dir() / f"{self.name}.log")
        return self.folder


def _java_server(at_least: int) -> Callable[[Recipe, Path, Path], None]:
    def build(recipe: Recipe, part: Path, log: Path) -> None:
        home, mvn = java_home(at_least), maven()
        for source in recipe.sources:
            shutil.copy(source, part)
        java = {"JAVA_HOME": str(home)}
        copy = ("-B", "-q", "dependency:copy-dependencies", "-DoutputDirectory=lib")
        _run([str(mvn), *copy], part, java, log)
        for source in part.glob("*.java"):
            javac = (str(home / "bin" / "javac"), "--release", str(at_least), "-cp", "lib/*", "-d", "classes")
            _run([*javac, source.name], part, java, log)

    return build


def _go_program(package: str, program: str) -> Callable[[Recipe, Path, Path], None]:
    def build(recipe: Recipe, part: Path, log: Path) -> None:
        _run([str(go()), "install", f"{package}@{recipe.version}"], part, {"GOBIN": str(part), "GOWORK": "off"}, log)
        built = part / package.rsplit("/", 1)[-1]
        built.rename(part / program)

    return build


def _run(command: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path) -> None:
    """Raises BuildFailed."""
    shown = " ".join((Path(command[0]).name, *command[1:3]))
    with log.open("wb") as output:
        try:
            status = subprocess.run(
                command,
                cwd=folder,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=BUILD_TIMEOUT_S,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            raise BuildFailed(shown, f"took more than {BUILD_TIMEOUT_S} s", log, ()) from None
    if status != 0:
        said = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
        raise BuildFailed(shown, f"ended with status {status}", log, said[-LAST_LINES:])


def _sources(folder: str) -> tuple[Path, ...]:
    return HERE / folder / "pom.xml", HERE / folder / "Run.java"


OPENSEARCH = Recipe("opensearch", "3.8.0", _java_server(OPENSEARCH_JAVA), _sources("opensearch"))
DYNAMODB = Recipe("dynamodb-local", "3.0.0", _java_server(DYNAMODB_JAVA), _sources("dynamodb"))
STRIPE_MOCK = Recipe("stripe-mock", "v0.203.0", _go_program("github.com/stripe/stripe-mock", "stripe-mock"))
TOXIPROXY = Recipe("toxiproxy", "v2.5.0", _go_program("github.com/Shopify/toxiproxy/v2/cmd/server", "toxiproxy"))

RECIPES = (STRIPE_MOCK, TOXIPROXY, DYNAMODB, OPENSEARCH)
"""The quickest first."""
