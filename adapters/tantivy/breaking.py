"""A breaker for the index folder: one that cannot be read is left alone, until it is another one."""

from adapters.breaker import Breaker
from adapters.tantivy.generations import Generations
from domain.shared.refusals import Unavailable

State = tuple[int, int] | None
"""By which a pointer is told from the one before it."""


class FolderBreaker:
    """Open, it lets a request through in half a minute, or once a generation has taken the place of what could not be read."""

    def __init__(self, generations: Generations, breaker: Breaker) -> None:
        self._generations = generations
        self._breaker = breaker
        self._failed_with: State = None

    def check(self) -> None:
        """Whoever comes past owes a `succeeded` or `failed`. Raises Unavailable."""
        if self._breaker.is_open and self._state() == self._failed_with:
            raise Unavailable("search")

    def succeeded(self) -> None:
        self._breaker.succeeded()

    def failed(self) -> None:
        self._failed_with = self._state()
        self._breaker.failed()

    def _state(self) -> State:
        try:
            found = (self._generations.folder / "current").stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns
