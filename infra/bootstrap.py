"""Makes `.venv` with everything that requirements*.txt pin. Runs on a bare Python, so: standard library only.

    python3 infra/bootstrap.py [--dev]

It must still parse on Pythons too old for Torii, to say so. Done once, it costs a hash of the requirement files.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV = VENV / "uv"
OLDEST, NEWEST = (3, 11), (3, 13)
REQUIREMENTS = {"run": ("requirements.txt",), "dev": ("requirements.txt", "requirements-dev.txt")}
INDEX_TIMEOUT_S = 15
PACKAGE_LINE = (" + ", " - ", " ~ ")  # uv names every package of the hundred


class CannotBootstrap(Exception):
    """One line for the person: what is missing and what to do."""


def main(arguments: list[str]) -> int:
    kind = "dev" if "--dev" in arguments else "run"
    if is_done(kind):
        return 0
    import fcntl

    try:
        # one at a time; the folder itself is the lock, so that no file is left behind
        descriptor = os.open(ROOT, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if not is_done(kind):
            install(kind)
    except CannotBootstrap as error:
        print(f"torii: {error}", file=sys.stderr)
        return 1
    return 0


def is_done(kind: str) -> bool:
    wider = [kind, "dev"] if kind == "run" else [kind]
    return any(stamp(each).exists() and stamp(each).read_text() == fingerprint(each) for each in wider)


def stamp(kind: str) -> Path:
    return VENV / f"installed-{kind}"


def fingerprint(kind: str) -> str:
    """Of all that decides what is installed; a moved checkout or another Python makes it anew."""
    digest = hashlib.sha256(str(ROOT).encode())
    for name in (*REQUIREMENTS[kind], "requirements-uv.txt", "pyproject.toml"):
        digest.update((ROOT / name).read_bytes())
    link = PYTHON.resolve() if PYTHON.exists() else "none"
    digest.update(str(link).encode())
    return digest.hexdigest()


def install(kind: str) -> None:
    python = suitable_python()
    environment = index_settings(python)
    require_index(environment, python)
    if not PYTHON.exists() or version_of(str(PYTHON)) is None:
        say(f"making .venv with Python {'.'.join(map(str, version_of(python) or ()))}")
        call([python, "-m", "venv", "--without-pip", "--clear", str(VENV)], "cannot make .venv")
    uv = install_uv(python)
    say("installing packages")
    files = [argument for name in REQUIREMENTS[kind] for argument in ("-r", str(ROOT / name))]
    pip = [*uv, "pip", "install", "--python", str(PYTHON)]
    call([*pip, "--require-hashes", *files], "cannot install the packages", environment, shown=True)
    editable = [*pip, "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--editable", str(ROOT)]
    call(editable, "cannot install torii itself", environment)
    stamp(kind).write_text(fingerprint(kind))


def suitable_python() -> str:
    """This Python, or the newest on the path that will do. Raises CannotBootstrap."""
    import shutil

    if OLDEST <= sys.version_info[:2] <= NEWEST:
        # inside .venv it is a link that --clear would take away
        return os.path.realpath(sys.executable)
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found and version_of(found):
            return found
    here = ".".join(map(str, sys.version_info[:3]))
    raise CannotBootstrap(
        f"Torii runs on Python 3.{OLDEST[1]} to 3.{NEWEST[1]}, and python3 here is {here}: "
        "install one of those, or name it with make run PYTHON=/path/to/python3.12"
    )


def version_of(python: str) -> tuple[int, ...] | None:
    """Its version if it starts and will do."""
    import subprocess

    try:
        said = subprocess.run(
            [python, "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):  # a dangling link, or a pyenv shim without its version
        return None
    version = tuple(int(number) for number in said.stdout.split())
    return version if OLDEST <= version <= NEWEST else None


def install_uv(python: str) -> list[str]:
    """Command of the pinned uv, installed beside the virtual environment's own packages. Raises CannotBootstrap."""
    pip = pip_command(python)
    wanted = ["--quiet", "--disable-pip-version-check", "--only-binary", ":all:", "--require-hashes"]
    # --target is allowed where the system's pip is externally managed, and needs no ensurepip
    target = ["--upgrade", "--target", str(UV), "-r", str(ROOT / "requirements-uv.txt")]
    call([*pip, "install", *wanted, *target], "cannot install uv")
    return [str(UV / "bin" / "uv")]


def pip_command(python: str) -> list[str]:
    for candidate in (python, str(PYTHON)):
        if succeeds([candidate, "-m", "pip", "--version"]):
            return [candidate, "-m", "pip"]
    if succeeds([str(PYTHON), "-m", "ensurepip"]):
        return [str(PYTHON), "-m", "pip"]
    raise CannotBootstrap(f"{python} has neither pip nor ensurepip: install its pip (Debian: python3-pip)")


def index_settings(python: str) -> dict[str, str]:
    """Our environment, with what pip is told of indexes told to uv as well, which does not read pip's settings."""
    environment = dict(os.environ, UV_PYTHON_DOWNLOADS="never", UV_NO_PROJECT="1")
    for of_uv, of_pip, in_file in (
        ("UV_DEFAULT_INDEX", "PIP_INDEX_URL", "global.index-url"),
        ("UV_INDEX", "PIP_EXTRA_INDEX_URL", "global.extra-index-url"),
        ("UV_FIND_LINKS", "PIP_FIND_LINKS", "global.find-links"),
        ("SSL_CERT_FILE", "PIP_CERT", "global.cert"),
    ):
        value = os.environ.get(of_pip) or pip_setting(python, in_file)
        if value and of_uv not in environment:
            environment[of_uv] = value
    return environment


def pip_setting(python: str, name: str) -> str:
    import subprocess

    said = subprocess.run([python, "-m", "pip", "config", "get", name], capture_output=True, text=True, check=False)
    return " ".join(said.stdout.split()) if said.returncode == 0 else ""


def require_index(environment: dict[str, str], python: str) -> None:
    """Asked beforehand: pip and uv try again for minutes and then say it in thirty lines. Raises CannotBootstrap."""
    import ssl
    import urllib.error
    import urllib.parse
    import urllib.request

    if environment.get("PIP_NO_INDEX") or environment.get("UV_OFFLINE"):
        return
    index = (environment.get("UV_DEFAULT_INDEX") or index_of_pip(python)).rstrip("/")
    if not index:
        return
    context = ssl.create_default_context(cafile=environment.get("SSL_CERT_FILE"))
    host = urllib.parse.urlsplit(index).hostname
    without_password = index.replace(urllib.parse.urlsplit(index).netloc, host or "", 1)
    try:
        urllib.request.urlopen(f"{without_password}/uv/", timeout=INDEX_TIMEOUT_S, context=context).close()
    except urllib.error.HTTPError:
        return  # it answers; a password it wants is pip's and uv's business
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise CannotBootstrap(
            f"cannot reach the package index at {host} ({reason}): "
            "check the network, or name a mirror with PIP_INDEX_URL"
        ) from error


def index_of_pip(python: str) -> str:
    """The index that pip asks unless it is told of another; empty where this pip does not say."""
    import subprocess

    ask = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"
    said = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=False)
    return said.stdout.strip() if said.returncode == 0 else ""


def call(command: list[str], failure: str, environment: dict[str, str] | None = None, shown: bool = False) -> None:
    """Run a command; `shown` passes on what it says of its progress. Raises CannotBootstrap, after all it said."""
    import subprocess

    output = subprocess.PIPE
    try:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT, text=True)
    except OSError as error:
        raise CannotBootstrap(f"{failure}: {error}") from error
    said = []
    assert process.stdout is not None
    for line in process.stdout:
        said.append(line)
        if shown and not line.startswith(PACKAGE_LINE):
            print(f"  {line}", end="", flush=True)
    if process.wait() != 0:
        sys.stderr.writelines([] if shown else said)
        raise CannotBootstrap(f"{failure}: see above")


def succeeds(command: list[str]) -> bool:
    import subprocess

    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def say(text: str) -> None:
    print(f"· {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
