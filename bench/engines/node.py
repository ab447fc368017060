"""A process of Node.js that runs engines of JavaScript, a turn at a time."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from graphql import print_schema

from bench.engines import feed
from bench.engines.ours import SCHEMA
from bench.peers.packages import node

SCRIPT = Path(__file__).with_name("engines.cjs")
NAMES = ("js", "js without loaders", "jit", "jit without loaders")


class Engines:
    """Speaks with the process."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def answer(self, engine: str) -> str:
        """What an engine answers: the bytes of it as text."""
        return str(self._ask(engine, 0))

    def took_us(self, engine: str, times: int) -> float:
        """CPU of its process a run, all threads, in microseconds."""
        return float(self._ask(engine, times))

    def _ask(self, engine: str, times: int) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"engine": engine, "times": times}) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@contextmanager
def engines(modules: Path) -> Iterator[Engines]:
    """The engines, on the rows of the feed. `modules`: the folder node_modules. Raises NoNode."""
    rows = {
        "items": [asdict(row) for row in feed.ROWS],
        "authors": {key: asdict(author) for key, author in feed.AUTHORS.items()},
        "tags": {key: [asdict(tag) for tag in tags] for key, tags in feed.TAGS_OF.items()},
        "sdl": print_schema(SCHEMA),
        "query": feed.QUERY,
    }
    with TemporaryDirectory() as folder:
        file = Path(folder) / "rows.json"
        file.write_text(json.dumps(rows))
        command = [str(node()), str(SCRIPT), str(modules), str(file)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            yield Engines(process)
        finally:
            process.communicate(timeout=30)
