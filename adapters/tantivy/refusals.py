"""Why the index cannot be used. Shoppers are told that search is away; the text of each is for who runs it."""

from pathlib import Path

from domain.search.refusals import Broken, NotBuilt
from domain.shared.refusals import Unavailable


class IndexBusy(Unavailable):
    """Another writer has had the index for longer than we wait."""

    def __init__(self, folder: Path) -> None:
        super().__init__("search")
        self.folder = folder

    def __str__(self) -> str:
        return f"another process is writing the search index in {self.folder}: try again when it is done"


class IndexBroken(Broken):
    """The folder does not hold what we left there."""

    def __init__(self, folder: Path) -> None:
        super().__init__("search")
        self.folder = folder

    def __str__(self) -> str:
        return f"the search index in {self.folder} cannot be read: it has to be built anew"


class IndexMissing(NotBuilt):
    """There is no index yet, or one that an older program made."""

    def __init__(self, folder: Path) -> None:
        super().__init__("search")
        self.folder = folder

    def __str__(self) -> str:
        return f"there is no search index of this version in {self.folder}: it has to be built first: run `torii search reindex`"


def is_panic(error: BaseException) -> bool:
    """Whether tantivy gave up on what it found, as on a file that ends too early: a class that cannot be imported."""
    return type(error).__name__ == "PanicException"
