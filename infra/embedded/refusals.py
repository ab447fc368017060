"""Why something could not be started or kept running. The text of each is the one line a person sees."""

from collections.abc import Sequence
from pathlib import Path


class StartRefused(Exception):
    """Nothing is wrong with the program: something around it has to change first."""


class DataDirLocked(StartRefused):
    """Another torii runs on the same data folder."""

    def __init__(self, data_dir: Path, pid: int | None) -> None:
        holder = f"pid {pid}" if pid else "another process"
        super().__init__(f"{data_dir} is in use by {holder}: stop it, or choose another folder with DATA_DIR=…")
        self.pid = pid


class DataDirUnusable(StartRefused):
    """The data folder cannot be made, written or entered."""

    def __init__(self, data_dir: Path, reason: str) -> None:
        super().__init__(f"cannot keep data in {data_dir}: {reason}; choose another folder with DATA_DIR=…")


class DataDirBroken(StartRefused):
    """Something in the data folder is not what torii left there."""

    def __init__(self, path: Path, reason: str, remedy: str) -> None:
        super().__init__(f"{path} {reason}: {remedy}")


class PortTaken(StartRefused):
    """Someone else listens where the gateway should."""

    def __init__(self, port: int, holder: str) -> None:
        super().__init__(f"port {port} is taken by {holder}: choose another with PORT={port + 1} make run")
        self.port = port


class AddressUnusable(StartRefused):
    """The address to listen on is not one of this machine, or not ours to use."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(f"cannot listen on {host}:{port} ({reason}): see TORII_HOST and PORT")


class PostgresNeedsOrdinaryUser(StartRefused):
    """PostgreSQL refuses to run as root and nothing here lets it be someone else."""

    def __init__(self, closed: Path) -> None:
        super().__init__(
            "PostgreSQL does not run as root, user namespaces are forbidden here, and user nobody cannot enter "
            f"{closed}: run torii as an ordinary user, or set DATA_DIR to a folder that others may enter"
        )


class PlatformUnsupported(StartRefused):
    """No embedded server is packaged for this machine."""

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(f"no embedded {part} for this machine ({reason}): name a server in the settings instead")


class PartDied(StartRefused):
    """A child process ended by itself."""

    def __init__(self, part: str, status: int, log: Path | None, last_lines: Sequence[str]) -> None:
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        where = f"; its log is {log}" if log else ""
        said = "".join(f"\n    {line}" for line in last_lines)
        super().__init__(f"{part} {how}{where}{said}")
        self.part = part


class PartNotReady(StartRefused):
    """A child process runs but does not answer."""

    def __init__(self, part: str, seconds: float, log: Path | None) -> None:
        where = f"; its log is {log}" if log else ""
        super().__init__(f"{part} did not answer within {seconds:.0f} s{where}")
        self.part = part


class NothingRuns(StartRefused):
    """The command is about a marketplace that runs, and none does on this data folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"nothing runs on {folder}: start it with `make run`, or name another folder with DATA_DIR=…")
