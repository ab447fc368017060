"""npm packages, in the versions of a folder's package-lock.json, installed into the user's cache folder."""

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from infra.servers.cache import builders_lock, made_whole, user_cache

LISTS = ("package.json", "package-lock.json")
NODE_AT_LEAST = 20
INSTALLED_WITHIN_S = 600.0
LAST_LINES = 5


class NoNode(Exception):
    """Node.js or its packages are not to be had. Carries the reason and what to do."""


def node() -> Path:
    """Raises NoNode."""
    found = shutil.which("node")
    if found is None or shutil.which("npm") is None:
        missing = "node" if found is None else "npm"
        raise NoNode(f"{missing} is not on the PATH: install Node.js {NODE_AT_LEAST} or later")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    major = version.removeprefix("v").partition(".")[0]
    if not major.isdecimal() or int(major) < NODE_AT_LEAST:
        raise NoNode(f"{found} is {version or 'no Node.js'}: install Node.js {NODE_AT_LEAST} or later")
    return Path(found)


def installed(lists_of: Path, name: str, say: Callable[[str], None]) -> Path:
    """The folder `node_modules` for the lists in a folder, made with the first call. `name` tells it apart. Raises NoNode."""
    node()
    lists = b"".join((lists_of / each).read_bytes() for each in LISTS)
    base = user_cache() / name
    target = base / f"npm-{hashlib.sha256(lists).hexdigest()[:16]}"
    with builders_lock(base, say):
        if not target.exists():
            say(f"installing npm packages into {target}")
            with made_whole(target) as part:
                _install(lists_of, part)
    return target / "node_modules"


def _install(lists_of: Path, folder: Path) -> None:
    for name in LISTS:
        shutil.copy(lists_of / name, folder)
    # no script of any package is run
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=INSTALLED_WITHIN_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NoNode(
            f"npm did not install the packages within {INSTALLED_WITHIN_S:g} s: is its registry there?"
        ) from None
    if done.returncode != 0:
        raise NoNode("\n".join(["npm could not install the packages:", *done.stdout.splitlines()[-LAST_LINES:]]))
