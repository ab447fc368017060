"""The folder that keeps everything of the embedded back ends, and the lock that keeps it to one torii."""

import fcntl
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from infra.embedded.refusals import DataDirBroken, DataDirLocked, DataDirUnusable

FOLDER_MODE = 0o711  # others may pass through, so that nobody's PostgreSQL reaches its own folder; they may not look
# `is_held` touches the lock for a moment, which must not look like another torii
LOCK_ATTEMPTS, LOCK_PAUSE_S = 5, 0.02


@dataclass(slots=True)
class DataDir:
    """Paths under the data folder, and the hold on it."""

    path: Path
    _lock: IO[str] | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        self.path = self.path.expanduser().absolute()

    @property
    def log(self) -> Path:
        return self.path / "log"

    @property
    def run(self) -> Path:
        """Pid files and the PostgreSQL socket of what runs now."""
        return self.path / "run"

    @property
    def done(self) -> Path:
        """A file for each step that is done once in the life of this folder."""
        return self.path / "done"

    @property
    def lock(self) -> Path:
        return self.path / "lock"

    @property
    def credentials(self) -> Path:
        return self.path / "secrets.json"

    @property
    def run_env(self) -> Path:
        """Settings by which other commands reach what runs now (settings.RUN_ENV)."""
        return self.path / "run.env"

    @property
    def ports(self) -> Path:
        return self.path / "ports.json"

    def acquire(self) -> None:
        """Take the folder for this process. Raises DataDirUnusable, DataDirLocked or DataDirBroken."""
        lock = self._open_lock()
        try:
            _flock(lock, self.path)
        except DataDirLocked:
            lock.close()
            raise
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock
        self._make_folders()

    def release(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def forget_steps(self) -> None:
        """Have everything that is done once done again: what it had made is gone."""
        for done in self.done.iterdir():
            done.unlink()

    def _open_lock(self) -> IO[str]:
        try:
            self.path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            return self.lock.open("a+")
        except FileExistsError:
            raise DataDirUnusable(self.path, "it is a file") from None
        except NotADirectoryError:
            raise DataDirUnusable(self.path, "a part of its path is a file") from None
        except IsADirectoryError:
            raise DataDirBroken(self.lock, "is a folder", "remove it") from None
        except OSError as error:
            raise DataDirUnusable(self.path, (error.strerror or str(error)).lower()) from error

    def _make_folders(self) -> None:
        for folder in (self.log, self.run, self.done):
            try:
                folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
            except FileExistsError:
                raise DataDirBroken(folder, "is not a folder", "remove it") from None
            except OSError as error:
                raise DataDirUnusable(self.path, (error.strerror or str(error)).lower()) from error


def _flock(lock: IO[str], data_dir: Path) -> None:
    for attempts_left in reversed(range(LOCK_ATTEMPTS)):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not attempts_left:
                raise DataDirLocked(data_dir, lock_holder(data_dir)) from None
            time.sleep(LOCK_PAUSE_S)
        else:
            return


def is_held(data_dir: Path) -> bool:
    """Whether a torii runs on this folder now. The kernel drops the lock of one that was killed."""
    try:
        with (data_dir / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # no folder, or one that we may not read: nobody of ours is there
        return False
    return False


def lock_holder(data_dir: Path) -> int | None:
    try:
        return int((data_dir / "lock").read_text())
    except (OSError, ValueError):
        return None
