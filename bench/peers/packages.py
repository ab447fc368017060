"""The npm packages of the peers, in the versions of node/package-lock.json, in the user's cache folder."""

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from infra.servers.cache import builders_lock, made_whole, user_cache

NODE_DIR = Path(__file__).with_name("node")
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


def installed(say: Callable[[str], None]) -> Path:
    """The folder `node_modules`, made with the first call. Raises NoNode."""
    node()
    lists = b"".join((NODE_DIR / name).read_bytes() for name in LISTS)
    base = user_cache() / "peers"
    target = base / f"npm-{hashlib.sha256(lists).hexdigest()[:16]}"
    with builders_lock(base, say):
        if not target.exists():
            say(f"installing the npm packages of the peers into {target}")
            with made_whole(target) as part:
                _install(part)
    return target / "node_modules"


def _install(folder: Path) -> None:
    for name in LISTS:
        shutil.copy(NODE_DIR / name, folder)
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
