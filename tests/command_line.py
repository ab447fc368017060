"""Commands of `torii` in a process of their own, several one after another: to start one takes two seconds of CPU, whatever it does."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PATIENCE_S = 120
PROGRAM = """
import io, json, sys
from contextlib import redirect_stderr, redirect_stdout
import cli

said = []
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["torii", *arguments]
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as errors:
        try:
            cli.main()
            status = 0
        except SystemExit as end:
            status = end.code or 0
    said.append([status, out.getvalue(), errors.getvalue()])
print(json.dumps(said))
"""


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed, and the status it ended with."""

    status: int
    stdout: str
    stderr: str

    @property
    def told(self) -> tuple[int, str]:
        """The status, and all words on one line."""
        return self.status, " ".join((self.stdout + self.stderr).split())


def torii(*commands: Sequence[str], environment: Mapping[str, str]) -> list[Said]:
    """What each of the commands came to, such as `("users", "grant-admin", "a@example.com")`."""
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(commands)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        env={**os.environ, **environment, "PYTHONPATH": str(ROOT)},
    )
    assert ended.returncode == 0, ended.stderr
    return [Said(*each) for each in json.loads(ended.stdout)]


async def told(*commands: Sequence[str], environment: Mapping[str, str]) -> list[tuple[int, str]]:
    said = await asyncio.to_thread(torii, *commands, environment=environment)
    return [each.told for each in said]
