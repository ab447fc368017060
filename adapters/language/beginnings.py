"""How what is typed so far begins keys; and the keys of labels with what they are a label of."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from adapters.folding import fold, is_kana
from adapters.language.sounds import loosened
from domain.search.model import SearchDocument

if TYPE_CHECKING:
    from adapters.language.analysis import Analyzer

BRAND, CATEGORY = "b", "c"
PARTING = "|"
"""Between the kind of a label, its key and its id; keys have letters and digits alone."""

_NO_KEY = re.compile(r"[\W_]+")


def beginnings(typed: str) -> tuple[str, ...]:
    """What keys begin with where the last word of what was typed begins a word: as written, and as it sounds."""
    folded = _NO_KEY.sub("", fold(typed))
    spoken = loosened(folded) if is_kana(folded) or folded.isascii() else None
    return tuple(dict.fromkeys(each for each in (folded, spoken) if each))


def label_starts(document: SearchDocument, analyzer: "Analyzer") -> Iterator[str]:
    """The keys of brand and categories, each with its kind before and its id behind it."""
    if document.brand_id is not None:
        for name in (document.brand_name, document.brand_kana):
            yield from _starts(BRAND, analyzer, name or "", document.brand_id.hex)
    for name, id in zip(document.category_names, document.category_ids, strict=False):
        yield from _starts(CATEGORY, analyzer, name, id.hex)


def _starts(kind: str, analyzer: "Analyzer", name: str, id: str) -> Iterator[str]:
    keys = (_NO_KEY.sub("", key) for key in analyzer.keys(name))
    return (PARTING.join((kind, key, id)) for key in dict.fromkeys(keys) if key)
