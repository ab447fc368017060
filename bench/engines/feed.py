"""The feed that engines are measured with: 50 items of 39 fields, whose author and tags are loaded by key."""

from dataclasses import dataclass
from typing import Any

ITEMS, TAGS = 50, 3
TEXTS, NUMBERS, SHARES, FLAGS = range(10), range(4), range(2), range(2)
"""Scalars of an item, of each kind; beside them its `id` and `slug`."""
SCALARS = [
    "id",
    "slug",
    *(f"s{number}" for number in TEXTS),
    *(f"n{number}" for number in NUMBERS),
    *(f"d{number}" for number in SHARES),
    *(f"b{number}" for number in FLAGS),
]
QUERY = f"""query Feed($first: Int!) {{ feed {{ items(first: $first) {{ {" ".join(SCALARS)}
    author {{ id name handle followers verified }} tags {{ id label weight url }} }} }} }}"""
FIELDS = ITEMS * (len(SCALARS) + 1 + 5 + 1 + TAGS * 4)


@dataclass(frozen=True, slots=True)
class Author:
    id: str
    name: str
    handle: str
    followers: int
    verified: bool


@dataclass(frozen=True, slots=True)
class Tag:
    id: str
    label: str
    weight: int
    url: str | None


@dataclass(frozen=True, slots=True)
class Item:
    id: str
    author_id: str
    slug: str
    s0: str
    s1: str
    s2: str
    s3: str
    s4: str
    s5: str
    s6: str
    s7: str
    s8: str
    s9: str
    n0: int
    n1: int
    n2: int
    n3: int
    d0: float
    d1: float
    b0: bool
    b1: bool


class Feed:
    """What the items are a field of."""


def _item(number: int) -> Item:
    texts = [f"text value {each} of item {number}" for each in TEXTS]
    numbers = [number * 10 + each for each in NUMBERS]
    shares = [number + (each + 1) / 8 for each in SHARES]  # never whole: JavaScript would write 1.0 as 1
    flags = [(number + each) % 2 == 0 for each in FLAGS]
    values: list[Any] = [f"item-{number}", f"a{number}", f"slug-{number}", *texts, *numbers, *shares, *flags]
    return Item(*values)


def _tag(item: int, number: int) -> Tag:
    url = None if number == 1 else f"https://example.org/t/{number}"
    return Tag(f"t{item}-{number}", f"label {number}", number, url)


ROWS = [_item(number) for number in range(ITEMS)]
AUTHORS = {
    f"a{number}": Author(f"a{number}", f"Author Name {number}", f"@handle{number}", number * 7, number % 2 == 0)
    for number in range(ITEMS)
}
TAGS_OF = {row.id: [_tag(item, number) for number in range(TAGS)] for item, row in enumerate(ROWS)}
