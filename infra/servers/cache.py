"""The folder in which built servers are kept, outside the checkout and shared by all checkouts of a user.

NAME-KEY/        one built server; KEY changes with its recipe
NAME-KEY.part/   one that is being built, or was left half made
NAME.log         what the build said last
lock             held by the one who builds
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Say = Callable[[str], None]


def cache_dir() -> Path:
    """`SERVERS_DIR`, else torii/servers in the user's cache folder."""
    named = os.environ.get("SERVERS_DIR")
    if named:
        return Path(named).expanduser().absolute()
    return user_cache() / "servers"


def user_cache() -> Path:
    """torii in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "torii"


@contextmanager
def builders_lock(folder: Path, say: Say) -> Iterator[None]:
    """One builder at a time: Maven's own store must not be written by two. The kernel frees it when we are killed."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another build in {folder}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def made_whole(target: Path) -> Iterator[Path]:
    """A folder to build in, which becomes `target` at once when the block ends well. Needs the lock."""
    part = target.with_name(f"{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    yield part
    part.rename(target)
