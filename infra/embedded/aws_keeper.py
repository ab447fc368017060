"""Keeps the AWS emulator's state in a folder: loads it at start, saves what changed, sets an unreadable one aside."""

import logging
import time
from pathlib import Path

from infra.embedded import aws_state
from infra.embedded.aws_changes import Gate, RecordChanges

log = logging.getLogger(__name__)


class Keeper:
    def __init__(self, folder: Path, gate: Gate, changes: RecordChanges) -> None:
        self._folder = folder
        self._gate = gate
        self._changes = changes
        self._saved: set[str] = set()
        self._unsaved: set[str] = set()
        self._generation = 0

    def load(self) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        try:
            self._saved = aws_state.load(self._folder)
        except aws_state.StateUnreadable as error:
            aside = self._folder.with_name(f"{self._folder.name}-unreadable-{time.strftime('%Y%m%dT%H%M%S')}")
            self._folder.rename(aside)
            self._folder.mkdir(mode=0o700)
            log.warning("the saved AWS state cannot be read (%s): starting empty; it was moved to %s", error, aside)
        self._generation = aws_state.newest_generation(self._folder)

    def save(self) -> None:
        """Save what changed since the last call; nothing is written when nothing did."""
        self._gate.close()
        try:
            present, dumped = self._dump()
        finally:
            self._gate.open()
        self._write(present, dumped)

    def save_for_good(self) -> None:
        """Save and let no request in again, so that none is answered whose effect would be lost."""
        self._gate.close()
        self._write(*self._dump())

    def _dump(self) -> tuple[set[str], dict[str, bytes]]:
        tables = set(aws_state.tables())
        self._unsaved |= self._changes.take() | (tables - self._saved)
        return tables | set(aws_state.WHOLE_SERVICES), aws_state.dump(self._unsaved)

    def _write(self, present: set[str], dumped: dict[str, bytes]) -> None:
        if not dumped and self._saved <= present:
            return
        self._generation += 1
        try:
            aws_state.save(self._folder, dumped, present, self._generation)
        except OSError:  # a full disk: what is unsaved stays so, and is tried again with the next save
            log.exception("the AWS state could not be saved")
            return
        self._saved = (self._saved & present) | set(dumped)
        self._unsaved.clear()
