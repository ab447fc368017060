"""The word lists, read from TOML: what is sold, by whom, to whom, and what is said about it."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "words"
DEPARTMENTS = (
    "food", "sweets", "drinks", "kitchen", "interior", "daily", "women", "men", "bags",
    "beauty", "appliances", "electronics", "outdoor", "kids", "stationery", "pets", "garden", "crafts",
)  # fmt: skip
"""Files, in the order the shop shows its departments."""


@dataclass(frozen=True, slots=True)
class Term:
    """A Japanese word with its reading in katakana (where one is shown) and in ASCII (for addresses)."""

    text: str
    ascii: str
    kana: str = ""


@dataclass(frozen=True, slots=True)
class Noun(Term):
    """What a product is. `price` where the range of its leaf would be silly for it, in yen."""

    price: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Maker(Term):
    """A brand. `sections` are the slugs of what it makes; none means everything in its department."""

    sections: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Leaf:
    """A category that products are in, with the words for them. Prices are in yen, of the smallest variant.

    `variants` are the values along `axis`, each `step` percent dearer than the first for every place it is further on.
    """

    name: str
    slug: str
    price: tuple[int, int]
    nouns: Sequence[Noun]
    variants: Sequence[str]
    axis: str
    step: int
    adjectives: Sequence[str]
    features: Sequence[str]
    attributes: Mapping[str, Sequence[str]]
    colors: Sequence[str]
    brands: Sequence[Maker]
    openings: Sequence[str]
    closings: Sequence[str]
    praise: Sequence[str]
    gripes: Sequence[str]
    section: str
    department: "Department"


@dataclass(frozen=True, slots=True)
class Section:
    """A category of the second level."""

    name: str
    slug: str
    leaves: Sequence[Leaf]


@dataclass(frozen=True)
class Department:
    """A category of the first level; `weight` is how much of the shop it is."""

    name: str
    slug: str
    weight: int
    bulky: bool
    codes: bool
    brands: Sequence[Maker]
    sections: list[Section]

    @property
    def leaves(self) -> Iterator[Leaf]:
        return (leaf for section in self.sections for leaf in section.leaves)


@dataclass(frozen=True, slots=True)
class ShopName:
    """A seller as the word lists have it. `sells` are slugs of departments and sections."""

    name: str
    kana: str
    key: str
    prefecture: str
    sells: Sequence[str]
    known_for: str
    status: str


@dataclass(frozen=True, slots=True)
class Place:
    """A town; `postal` is the first half of its postal code."""

    prefecture: str
    city: str
    postal: str
    quarters: Sequence[str]


@dataclass(frozen=True, slots=True)
class People:
    """Names of users and where they live."""

    surnames: Sequence[Term]
    given: Sequence[Term]
    nickname_heads: Sequence[str]
    nickname_tails: Sequence[str]
    handles: Sequence[str]
    places: Sequence[Place]
    buildings: Sequence[str]


@dataclass(frozen=True, slots=True)
class Affinity:
    """Leaves (by slug) whose products go into one basket."""

    name: str
    weight: int
    leaves: Sequence[str]


@dataclass(frozen=True, slots=True)
class ReviewPhrases:
    """By rating less one."""

    titles: Sequence[Sequence[str]]
    openings: Sequence[Sequence[str]]
    closings: Sequence[Sequence[str]]
    sellers: Sequence[Sequence[str]]


@cache
def departments() -> Sequence[Department]:
    return [_department(_read(f"departments/{name}.toml")) for name in DEPARTMENTS]


@cache
def shop_names() -> Sequence[ShopName]:
    """All sellers; the first is the shop of the demo account."""
    read = _read("sellers.toml")
    lists = (("active", read["sellers"]), ("pending", read["pending"]), ("suspended", read["suspended"]))
    return [ShopName(*[*fields, status]) for status, shops in lists for fields in shops]


@cache
def people() -> People:
    read = _read("people.toml")
    return People(
        _terms(read["surnames"]),
        _terms(read["given"]),
        read["nickname_heads"],
        read["nickname_tails"],
        read["handles"],
        [Place(*fields) for fields in read["places"]],
        read["buildings"],
    )


@cache
def affinities() -> Sequence[Affinity]:
    return [Affinity(**group) for group in _read("affinities.toml")["groups"]]


@cache
def review_phrases() -> ReviewPhrases:
    return ReviewPhrases(**_read("reviews.toml"))


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / name).read_text(encoding="utf-8"))


def _terms(entries: Sequence[str]) -> Sequence[Term]:
    """From `text=ascii`."""
    return [Term(*entry.split("=")) for entry in entries]


def _noun(entry: str) -> Noun:
    """From `text=ascii` or `text=ascii=low-high`."""
    text, name, *price = entry.split("=")
    low, high = map(int, price[0].split("-")) if price else (0, 0)
    return Noun(text, name, price=(low, high) if price else None)


def _maker(entry: str) -> Maker:
    """From `text=kana=ascii` or `text=kana=ascii=section,section`."""
    text, kana, name, *sections = entry.split("=")
    return Maker(text, name, kana, sections[0].split(",") if sections else ())


def _department(read: dict[str, Any]) -> Department:
    department = Department(
        read["name"],
        read["slug"],
        read["weight"],
        read.get("bulky", False),
        read.get("codes", False),
        [_maker(entry) for entry in read["brands"]],
        [],
    )
    for section in read["sections"]:
        leaves = [_leaf(read | section | leaf, section["slug"], department) for leaf in section["leaves"]]
        department.sections.append(Section(section["name"], section["slug"], leaves))
    return department


def _leaf(read: dict[str, Any], section: str, department: Department) -> Leaf:
    """From a leaf's own words, over those of its section, over those of its department."""
    low, high = read["price"]
    return Leaf(
        read["name"],
        read["slug"],
        (low, high),
        [_noun(entry) for entry in read["nouns"]],
        read["variants"],
        read["axis"],
        read["step"],
        read["adjectives"],
        read["features"],
        read["attributes"],
        read.get("colors", ()),
        [brand for brand in department.brands if not brand.sections or section in brand.sections],
        read["openings"],
        read["closings"],
        read["praise"],
        read["gripes"],
        section,
        department,
    )
