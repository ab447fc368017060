"""The judged list over the demo marketplace: which products a query should find, and how near a ranking comes."""

import math
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from domain.search.model import SearchDocument
from domain.shared.ids import ProductId
from domain.shared.money import Money
from infra.demo.listings import Listing
from infra.demo.marketplace import generate
from infra.demo.products import description_of

JUDGED = Path(__file__).parent / "judged.toml"
SEED, PRODUCTS = 1, 3_000
"""The demo marketplace as `make run` has it."""

TOP = 10
MEANT, SECOND_BEST = 3, 1

_FACTS: dict[str, Callable[[Listing], str | None]] = {
    "noun": lambda listing: listing.wording.noun.ascii,
    "leaf": lambda listing: listing.leaf.slug,
    "section": lambda listing: listing.leaf.section,
    "dept": lambda listing: listing.leaf.department.slug,
    "brand": lambda listing: listing.wording.brand.ascii if listing.wording.brand else None,
    "color": lambda listing: listing.wording.color,
    "variant": lambda listing: listing.wording.variant,
    "code": lambda listing: listing.wording.code,
    "sku": lambda listing: listing.sku,
}


@dataclass(frozen=True, slots=True)
class Judged:
    """A query and the grades of the products that it should find; `group` is what is hard about it."""

    group: str
    query: str
    grades: dict[ProductId, int]

    def ndcg(self, ranking: Sequence[ProductId]) -> float:
        """Of the first ten, with gains of 2**grade - 1 (Järvelin and Kekäläinen, as in Burges et al. 2005): 0 to 1."""
        best = sorted(self.grades.values(), reverse=True)
        return _gain([self.grades.get(each, 0) for each in ranking]) / _gain(best)


def _gain(grades: Sequence[int]) -> float:
    return sum((2**grade - 1) / math.log2(place + 2) for place, grade in enumerate(grades[:TOP]))


@cache
def listings() -> Sequence[Listing]:
    """What is on sale in the demo marketplace."""
    return [each for each in generate(PRODUCTS, SEED).listings if each.status == "active"]


def documents() -> Iterator[SearchDocument]:
    """As the index gets them; wanted ones are popular, as their reviews would say."""
    for each in listings():
        brand, leaf = each.wording.brand, each.leaf
        yield SearchDocument(
            product_id=each.id,
            name=each.name,
            description=description_of(SEED, each),
            brand_name=brand.text if brand else None,
            category_names=(leaf.department.name, _section_name(leaf.section), leaf.name),
            price=Money(each.price, "JPY"),
            is_public=True,
            popularity=math.log1p(12 * (1 - each.rank)),
            created_at=each.created_at,
            version=1,
            sku=each.sku,
            brand_kana=brand.kana if brand else None,
        )


@cache
def judged() -> Sequence[Judged]:
    groups = tomllib.loads(JUDGED.read_text())
    return [Judged(group, query, _grades(facts)) for group, each in groups.items() for query, facts in each.items()]


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


@cache
def _section_name(slug: str) -> str:
    return next(
        section.name for each in listings() for section in each.leaf.department.sections if section.slug == slug
    )


def _grades(facts: str) -> dict[ProductId, int]:
    meant, _, second = facts.partition("~")
    found = dict.fromkeys(_matching(second.split()), SECOND_BEST)
    return found | dict.fromkeys(_matching(meant.split()), MEANT)


def _matching(alternatives: Sequence[str]) -> Iterator[ProductId]:
    for alternative in alternatives:
        facts = [fact.rpartition(":") for fact in alternative.split("+")]
        for each in listings():
            if all(_FACTS[kind or "noun"](each) == value for kind, _, value in facts):
                yield each.id
