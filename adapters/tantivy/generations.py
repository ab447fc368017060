"""The index folder: whole indexes side by side, and a pointer to the one that counts.

current          {"generation": 3, "previous": 2, "building": 4, "formats": {"2": "…", "3": "…", "4": "…"}}, replaced at once
generation-3/    a tantivy index
writer.lock      held by the one process that writes, for as long as a batch takes
build.lock       held by the one process that builds a generation, from beginning to end
elected.lock     held by the one worker that writes what events tell of, for as long as it lives
"""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from adapters.tantivy.lock import is_free
from adapters.tantivy.refusals import IndexBroken
from domain.search.refusals import NothingBefore

_PREFIX = "generation-"


@dataclass(frozen=True, slots=True)
class Generation:
    number: int
    path: Path


@dataclass(frozen=True, slots=True)
class Pointer:
    """Numbers of generations, and the format of each."""

    generation: int | None = None
    previous: int | None = None
    building: int | None = None
    formats: Mapping[str, str] = field(default_factory=dict)


class Generations:
    """Blocking; whoever writes holds the writer's lock, and whoever begins, switches or abandons that of builds, too."""

    def __init__(self, folder: Path, index_format: str) -> None:
        self.folder = folder
        self.lock_path = folder / "writer.lock"
        self.build_lock_path = folder / "build.lock"
        self.elected_path = folder / "elected.lock"
        self._pointer = folder / "current"
        self._format = index_format

    def current(self) -> Generation | None:
        """The generation to read; None before the first, and when it is of another format. Raises IndexBroken."""
        pointer = self._read()
        return self._readable(pointer, pointer.generation)

    def written(self) -> tuple[Generation, ...]:
        """Those that take what is put: the one that is read, and the one that is being built. Raises IndexBroken."""
        pointer = self._read()
        building = self._readable(pointer, pointer.building)
        if building is not None and is_free(self.build_lock_path):  # its builder was killed
            building = None
        return tuple(each for each in (self._readable(pointer, pointer.generation), building) if each is not None)

    def begin(self) -> Generation:
        """The next generation, in an empty folder. What a killed build left behind goes first."""
        self.folder.mkdir(parents=True, exist_ok=True)
        numbers = [int(path.name.removeprefix(_PREFIX)) for path in self.folder.glob(f"{_PREFIX}*")]
        pointer = self._left_behind()
        self._drop_all_but(pointer)
        begun = self._generation(max(numbers, default=0) + 1)
        begun.path.mkdir()
        self._write(self._building(pointer, begun))
        return begun

    def begin_previous(self) -> Generation:
        """The generation before the present one, to be brought in step. Raises NothingBefore."""
        pointer = self._left_behind()
        previous = self._readable(pointer, pointer.previous)
        if previous is None or not (previous.path / "meta.json").exists():
            raise NothingBefore
        self._write(self._building(pointer, previous))
        return previous

    def switch(self, generation: Generation) -> None:
        """Make it the current one, at once for every process, and delete all but the one before.

        Searchers that have the others open go on: their files stay mapped.
        """
        pointer = self._left_behind()
        switched = Pointer(generation.number, pointer.generation, None, self._building(pointer, generation).formats)
        self._write(switched)
        self._drop_all_but(switched)  # what is not deleted now is with the next one

    def abandon(self) -> None:
        """Leave everything as it was before `begin`."""
        pointer = replace(self._left_behind(), building=None)
        self._write(pointer)
        self._drop_all_but(pointer)

    def _readable(self, pointer: Pointer, number: int | None) -> Generation | None:
        is_ours = number is not None and pointer.formats.get(str(number)) == self._format
        return self._generation(number) if number is not None and is_ours else None

    def _building(self, pointer: Pointer, generation: Generation) -> Pointer:
        formats = {**pointer.formats, str(generation.number): self._format}
        return replace(pointer, building=generation.number, formats=formats)

    def _drop_all_but(self, pointer: Pointer) -> None:
        kept = {
            self._generation(number).path for number in (pointer.generation, pointer.previous) if number is not None
        }
        for path in self.folder.glob(f"{_PREFIX}*"):
            if path not in kept:
                shutil.rmtree(path, ignore_errors=True)

    def _left_behind(self) -> Pointer:
        """The pointer; an empty one where it cannot be read, since what is built takes its place."""
        try:
            return self._read()
        except IndexBroken:
            return Pointer()

    def _read(self) -> Pointer:
        """Raises IndexBroken."""
        try:
            told = json.loads(self._pointer.read_bytes())
            formats = told["formats"] if "formats" in told else {str(told["generation"]): told["format"]}
            generation, previous, building = (
                None if told.get(name) is None else int(told[name]) for name in ("generation", "previous", "building")
            )
            return Pointer(generation, previous, building, formats)
        except FileNotFoundError:
            return Pointer()
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise IndexBroken(self.folder) from error

    def _write(self, pointer: Pointer) -> None:
        numbers = (pointer.generation, pointer.previous, pointer.building)
        formats = {str(number): pointer.formats[str(number)] for number in numbers if number is not None}
        told = {"generation": pointer.generation, "previous": pointer.previous, "building": pointer.building}
        beside = self.folder / "current.new"
        with beside.open("w") as file:
            json.dump({**told, "formats": formats}, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._pointer)

    def _generation(self, number: int) -> Generation:
        return Generation(number, self.folder / f"{_PREFIX}{number}")
