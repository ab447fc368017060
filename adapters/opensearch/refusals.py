"""Why the index cannot be used. Shoppers are told that search is away; the text of each is for who runs it."""

from domain.search.refusals import NotBuilt
from domain.shared.refusals import Unavailable


class IndexMissing(NotBuilt):
    """There is no index yet, or none of this program's format."""

    def __init__(self, alias: str) -> None:
        super().__init__("search")
        self.alias = alias

    def __str__(self) -> str:
        return (
            f"there is no search index of this version under the alias {self.alias}: it has to be built first: run `torii search"
            " reindex`"
        )


class IndexBusy(Unavailable):
    """Another process builds the index anew, and began later than we did: its index counts."""

    def __init__(self, alias: str) -> None:
        super().__init__("search")
        self.alias = alias

    def __str__(self) -> str:
        return f"another process is building the search index {self.alias} anew"
