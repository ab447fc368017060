"""Where this machine keeps Java, Maven and Go."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from infra.servers.refusals import ToolMissing

_HOMES = ("/usr/lib/jvm/*", "/opt/*", "/Library/Java/JavaVirtualMachines/*/Contents/Home")
_VERSION = re.compile(r'^JAVA_VERSION="(?:1\.)?(\d+)', re.MULTILINE)


def java_home(at_least: int) -> Path:
    """A JDK of that version or later: JAVA_HOME if it will do, else the oldest there is. Raises ToolMissing."""
    named = os.environ.get("JAVA_HOME")
    if named and _version(Path(named)) >= at_least:
        return Path(named)
    found = sorted((version, home) for home in set(_homes()) if (version := _version(home)) >= at_least)
    if not found:
        raise ToolMissing(f"a JDK of version {at_least} or later", "install one, or set JAVA_HOME")
    return found[0][1]


def maven() -> Path:
    """Raises ToolMissing."""
    return _program("mvn", "Maven")


def go() -> Path:
    """Raises ToolMissing."""
    return _program("go", "Go")


def _program(name: str, title: str) -> Path:
    found = shutil.which(name)
    if found is None:
        raise ToolMissing(title, f"install it, so that `{name}` is on the PATH")
    return Path(found)


def _homes() -> Iterator[Path]:
    on_path = shutil.which("javac")
    if on_path:
        yield Path(on_path).resolve().parents[1]
    for pattern in _HOMES:
        yield from (home.resolve() for home in Path("/").glob(pattern.lstrip("/")))


def _version(home: Path) -> int:
    """The version of a JDK by its `release` file, which spares starting it; 0 where there is no compiler."""
    if not (home / "bin" / "javac").exists():
        return 0
    try:
        found = _VERSION.search((home / "release").read_text())
    except OSError:
        return 0
    return int(found.group(1)) if found else 0
