"""Facets as indexes hold and count them: which there are, their values, and counts of these."""

from dataclasses import dataclass
from enum import StrEnum


class FacetKind(StrEnum):
    CATEGORY = "category"
    BRAND = "brand"
    SELLER = "seller"
    PRICE = "price"
    RATING = "rating"
    STOCK = "stock"
    ATTRIBUTE = "attribute"


PLAIN_FACETS = tuple(kind for kind in FacetKind if kind is not FacetKind.ATTRIBUTE)
"""Those that are one facet each."""


@dataclass(frozen=True, slots=True)
class FacetKey:
    """Which facet: its kind and, of an attribute, its name."""

    kind: FacetKind
    name: str = ""


@dataclass(frozen=True, slots=True)
class FacetTerm:
    """One value of a facet, as indexes hold it: a UUID in hex, bounds of a price, a rating, in or out, a text."""

    key: FacetKey
    value: str


@dataclass(frozen=True, slots=True)
class FacetCounts:
    """What an index counted of a facet, in any order."""

    key: FacetKey
    counts: tuple[tuple[str, int], ...]
