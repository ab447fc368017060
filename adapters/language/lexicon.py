"""The shop's own words: synonyms and a dictionary, read from one file that an admin may change."""

import logging
import threading
import time
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from adapters.folding import fold, normalize

DEFAULT = Path(__file__).parent / "words.toml"

MAX_BYTES = 1_000_000
MAX_WORD = 64
MAX_SYNONYMS = 16
"""Other words that one word may stand for: each is asked for beside it."""

LOOK_EVERY_S = 2.0

_log = logging.getLogger(__name__)


class LexiconBroken(ValueError):
    """The file cannot be used; the text says where and why."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}")


@dataclass(frozen=True, slots=True)
class Unit:
    """A part of a word of the dictionary, and its reading in katakana."""

    text: str
    reading: str


@dataclass(frozen=True, slots=True)
class Lexicon:
    """`synonyms` by folded word, single spaces kept: what else to ask for, as written. `dictionary` by normalized word."""

    synonyms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dictionary: Mapping[str, tuple[Unit, ...]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "Lexicon":
        """Raises LexiconBroken, and OSError where it cannot be read."""
        if path.stat().st_size > MAX_BYTES:
            raise LexiconBroken(path, f"more than {MAX_BYTES:,} bytes")
        try:
            return _lexicon(tomllib.loads(path.read_text("utf-8")))
        except (ValueError, TypeError) as error:  # TOML's and Unicode's are ValueErrors
            raise LexiconBroken(path, str(error)) from error


class Words(Protocol):
    """Where the present lexicon comes from."""

    def current(self) -> Lexicon: ...


@dataclass(frozen=True, slots=True)
class FixedWords:
    """A lexicon that does not change."""

    lexicon: Lexicon

    def current(self) -> Lexicon:
        return self.lexicon


NO_WORDS = FixedWords(Lexicon())


class LexiconFile:
    """The present lexicon of a file. A change counts within seconds; a broken one is told of, and the last good one stays."""

    def __init__(self, path: Path = DEFAULT, now: Callable[[], float] = time.monotonic) -> None:
        """Raises LexiconBroken, OSError."""
        self._path = path
        self._now = now
        self._lock = threading.Lock()
        self._stamp = _stamp(path)
        self._lexicon = Lexicon.read(path)
        self._looked_at = now()

    def current(self) -> Lexicon:
        """Cheap: at most every two seconds the file's time and size are looked at."""
        if self._now() - self._looked_at >= LOOK_EVERY_S:
            with self._lock:
                if self._now() - self._looked_at >= LOOK_EVERY_S:
                    self._look()
                    self._looked_at = self._now()
        return self._lexicon

    def _look(self) -> None:
        try:
            stamp = _stamp(self._path)
            if stamp != self._stamp:
                self._stamp = stamp
                self._lexicon = Lexicon.read(self._path)
        except (OSError, LexiconBroken) as error:
            _log.warning("search goes on with the words it has: %s", error)


def folded(text: str) -> str:
    """As synonyms are looked up: words folded, single spaces between them."""
    return " ".join(filter(None, map(fold, text.split())))


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size


def _lexicon(content: Mapping[str, Any]) -> Lexicon:
    unknown = set(content) - {"synonyms", "dictionary"}
    if unknown:
        raise ValueError(f"unknown part {sorted(unknown)[0]!r}: there are [synonyms] and [dictionary]")
    synonyms = content.get("synonyms", {})
    unknown = set(synonyms) - {"same", "narrower"}
    if unknown:
        raise ValueError(f"unknown synonyms.{sorted(unknown)[0]}: there are `same` and `narrower`")
    others: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for line in synonyms.get("same", []):
        for word in _words(line):
            _add(others, word, line)
    for word, narrower in synonyms.get("narrower", {}).items():
        _add(others, _words([word])[0], _words(narrower))
    return Lexicon(
        {word: tuple(found.values()) for word, found in others.items()},
        {normalize(word): _units(word, parts) for word, parts in content.get("dictionary", {}).items()},
    )


def _add(others: defaultdict[str, dict[str, str]], word: str, meant: Iterable[str]) -> None:
    key = folded(word)
    others[key] |= {folded(each): each for each in meant if folded(each) != key}
    if len(others[key]) > MAX_SYNONYMS:
        raise ValueError(f"more than {MAX_SYNONYMS} synonyms of {word!r}")


def _words(line: object) -> Sequence[str]:
    if not isinstance(line, list) or not all(isinstance(word, str) for word in line):
        raise TypeError(f"not a list of words: {line!r}")
    for word in line:
        if not folded(word) or len(word) > MAX_WORD:
            raise ValueError(f"a word has from 1 to {MAX_WORD} characters: {word!r}")
    return line


def _units(word: str, parts: object) -> tuple[Unit, ...]:
    cut = [part.split(" ") for part in _words(parts)]
    if not all(len(each) == 2 and all(each) for each in cut):
        raise ValueError(f"parts of {word!r} are a text and its reading with a space between, like '東京 トウキョウ'")
    if "".join(text for text, _ in cut) != word or "," in word or any(map(str.isspace, word)):
        raise ValueError(f"the parts of {word!r} are not the word")
    return tuple(Unit(normalize(text), reading) for text, reading in cut)
