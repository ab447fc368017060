"""What the database is searched by while the index is away: whether it says what the shop has."""

import logging
from dataclasses import asdict, dataclass
from typing import Protocol

from domain.shared.ids import ProductId

log = logging.getLogger("torii.search")

PAGE = 1_000
"""Products whose texts are compared in one go."""


@dataclass(frozen=True, slots=True)
class TextPage:
    """So many products in the order of their ids, the last of them, and how many had another text than they should."""

    last: ProductId
    products: int
    differing: int


class Texts(Protocol):
    """The texts that the database searches by. They change together with what they are made of."""

    async def check(self, after: ProductId | None, size: int, *, repair: bool) -> TextPage | None:
        """The next products behind one; None where there are none. With `repair` what differs is made anew. Raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class TextReport:
    """What a check of all texts found: those that were stale, missing or left over."""

    products: int = 0
    differing: int = 0
    repaired: int = 0

    @property
    def is_in_step(self) -> bool:
        """Whether nothing differs, now that what was to be put right is."""
        return self.differing == self.repaired


async def check_texts(texts: Texts, *, repair: bool, page: int = PAGE) -> TextReport:
    """Look at the text of every product, page by page, each in its own time. Raises Unavailable."""
    last, products, differing = None, 0, 0
    while found := await texts.check(last, page, repair=repair):
        last, products, differing = found.last, products + found.products, differing + found.differing
    return TextReport(products, differing, differing if repair else 0)


async def keep_texts(texts: Texts) -> int:
    """Check all of them and put right what differs; how many that were. Raises Unavailable."""
    report = await check_texts(texts, repair=True)
    if report.differing:
        log.warning("texts that the database searches by were out of step", extra={"fields": asdict(report)})
    return report.repaired
