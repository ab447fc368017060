"""The index folder: whole indexes side by side, and a pointer to the one that counts.

current          {"generation": 3, "format": "…"}, replaced at once
generation-3/    a tantivy index
writer.lock      held by the one process that writes
"""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from adapters.tantivy.refusals import IndexBroken

_PREFIX = "generation-"


@dataclass(frozen=True, slots=True)
class Generation:
    number: int
    path: Path


class Generations:
    """Blocking; whoever writes holds the lock."""

    def __init__(self, folder: Path, index_format: str) -> None:
        self.folder = folder
        self.lock_path = folder / "writer.lock"
        self._pointer = folder / "current"
        self._format = index_format

    def current(self) -> Generation | None:
        """The generation to read; None before the first, and when it is of another format. Raises IndexBroken."""
        try:
            pointer = json.loads(self._pointer.read_bytes())
            number, index_format = int(pointer["generation"]), pointer["format"]
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError) as error:
            raise IndexBroken(self.folder) from error
        return self._generation(number) if index_format == self._format else None

    def begin(self) -> Generation:
        """An empty folder for the next generation. What a killed build left behind goes first."""
        self.folder.mkdir(parents=True, exist_ok=True)
        numbers = [int(path.name.removeprefix(_PREFIX)) for path in self.folder.glob(f"{_PREFIX}*")]
        begun = self._generation(max(numbers, default=0) + 1)
        begun.path.mkdir()
        return begun

    def switch(self, generation: Generation) -> None:
        """Make it the current one, at once for every process, and delete the others.

        Searchers that have them open go on: their files stay mapped.
        """
        beside = self.folder / "current.new"
        with beside.open("w") as file:
            json.dump({"generation": generation.number, "format": self._format}, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._pointer)
        for path in self.folder.glob(f"{_PREFIX}*"):
            if path != generation.path:
                shutil.rmtree(path, ignore_errors=True)  # the next switch tries again

    def abandon(self, generation: Generation) -> None:
        shutil.rmtree(generation.path, ignore_errors=True)

    def _generation(self, number: int) -> Generation:
        return Generation(number, self.folder / f"{_PREFIX}{number}")
