"""A shop of many products for search suites, and what should be found in it, worked out one product after the other."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from random import Random
from uuid import UUID

from adapters.search_ranking import column_of, ranks
from domain.catalog.model import Attribute
from domain.search.facet_terms import FacetKey, FacetKind
from domain.search.facets import facetable_attributes, terms_of
from domain.search.model import SearchDocument
from domain.search.request import NO_FILTER, PriceRange, SearchFilter, SearchRequest, SearchSort
from domain.shared.ids import BrandId, CategoryId, ProductId, SellerId, uuid7
from domain.shared.money import Money
from tests.contract.search_shop import OPENED, document

COLOURS, SIZES = ("赤", "青", "緑"), ("S", "M", "L")
RED, BLUE, MEDIUM = Attribute("色", "赤"), Attribute("色", "青"), Attribute("サイズ", "M")


def key(number: int) -> UUID:
    return uuid7(OPENED, entropy=number)


ROOTS = tuple(CategoryId(key(number)) for number in (1, 2))
LEAVES = {root: tuple(CategoryId(key(10 * number + leaf)) for leaf in (1, 2)) for number, root in enumerate(ROOTS, 3)}
BRANDS = tuple(BrandId(key(100 + number)) for number in range(4))
SELLERS = tuple(SellerId(key(200 + number)) for number in range(3))


def stocked(number: int, random: Random) -> SearchDocument:
    """One of a kind with many others: few different prices, ratings and dates, so that much is equal."""
    root = random.choice(ROOTS)
    colours = random.sample(COLOURS, random.randrange(3))
    sizes = random.sample(SIZES, random.randrange(2))
    count = random.choice((0, 0, 1, 40))
    return document(
        number,
        f"{random.choice(('急須', '急須 土瓶', '水筒'))} {number}",
        price=Money(
            random.choice((0, 999, 1_000, 2_980, 45_000, 45_000, 200_000)), random.choice(("JPY", "JPY", "GBP"))
        ),
        popularity=random.choice((0.0, 1.5, 3.7)),
        created_at=OPENED + timedelta(days=random.randrange(3)),
        is_public=random.random() < 0.9,
        category_ids=(root, random.choice(LEAVES[root])),
        brand_id=random.choice((None, *BRANDS)),
        seller_id=random.choice(SELLERS),
        in_stock=random.random() < 0.8,
        rating=random.choice((1.0, 2.99, 3.0, 4.5)) if count else None,
        rating_count=count,
        attributes=(*(Attribute("色", each) for each in colours), *(Attribute("サイズ", each) for each in sizes)),
    )


def shop(size: int, seed: int = 7) -> list[SearchDocument]:
    random = Random(seed)
    documents = [stocked(number, random) for number in range(size)]
    random.shuffle(documents)
    return documents


def some_filter(random: Random) -> SearchFilter:
    """Any mixture, of one or two facets mostly, since a mixture of all lets nothing pass."""
    low, high = sorted(random.sample((0, 999, 1_000, 45_000, 200_000), 2))
    ways = {
        "category_ids": random.choice((ROOTS[:1], LEAVES[ROOTS[1]], (CategoryId(key(999)),))),
        "brand_ids": tuple(random.sample(BRANDS, random.choice((1, 2)))),
        "seller_ids": (random.choice(SELLERS),),
        "prices": (PriceRange(random.choice(("JPY", "GBP")), random.choice((None, low)), random.choice((None, high))),),
        "rating_min": random.choice((1.0, 3.0, 4.2)),
        "in_stock": random.random() < 0.5,
        "attributes": random.choice(((RED,), (RED, BLUE), (RED, BLUE, MEDIUM), (Attribute("色", "無い"),))),
    }
    return SearchFilter(**{name: ways[name] for name in random.sample(sorted(ways), random.choice((1, 1, 2, 3)))})  # type: ignore[arg-type]


def expected(documents: Sequence[SearchDocument], word: str, which: SearchFilter) -> list[SearchDocument]:
    """What a request for one word, or none, has to find."""
    return [each for each in documents if each.is_public and word in each.name and all(_fits(each, which).values())]


def expected_order(documents: Sequence[SearchDocument], sort: SearchSort) -> list[ProductId]:
    """What is found, browsing."""
    column = column_of(SearchRequest.of("", NO_FILTER, sort))
    assert column is not None
    name, is_down = column
    rank = {each.product_id: ranks(each)[name] * (-1 if is_down else 1) for each in documents}
    return sorted(rank, key=lambda product_id: (rank[product_id], product_id.int))


def expected_counts(
    documents: Sequence[SearchDocument], word: str, which: SearchFilter
) -> dict[FacetKey, Counter[str]]:
    """What every facet has to count, values that nothing has left out."""
    found: dict[FacetKey, Counter[str]] = {}
    for each in expected(documents, word, NO_FILTER):
        fits = _fits(each, which)
        for facet, values in _values(each).items():
            if all(fit for other, fit in fits.items() if other != facet):
                found.setdefault(facet, Counter()).update(values)
    return found


def _values(document: SearchDocument) -> dict[FacetKey, list[str]]:
    values = {FacetKey(kind): list(terms) for kind, terms in terms_of(document).items()}
    for attribute in facetable_attributes(document):
        values.setdefault(FacetKey(FacetKind.ATTRIBUTE, attribute.name), []).append(attribute.value)
    return {facet: each for facet, each in values.items() if each}


def _fits(document: SearchDocument, which: SearchFilter) -> dict[FacetKey, bool]:
    """Whether a document passes, by facet that is narrowed to."""
    kind, fits = FacetKind, dict[FacetKey, bool]()
    if which.category_ids:
        fits[FacetKey(kind.CATEGORY)] = not set(which.category_ids).isdisjoint(document.category_ids)
    if which.brand_ids:
        fits[FacetKey(kind.BRAND)] = document.brand_id in which.brand_ids
    if which.seller_ids:
        fits[FacetKey(kind.SELLER)] = document.seller_id in which.seller_ids
    if which.prices:
        fits[FacetKey(kind.PRICE)] = any(_is_in(document.price, each) for each in which.prices)
    if which.rating_min is not None:
        fits[FacetKey(kind.RATING)] = document.rating is not None and document.rating >= which.rating_min
    if which.in_stock is not None:
        fits[FacetKey(kind.STOCK)] = document.in_stock is which.in_stock
    for name in {each.name for each in which.attributes}:
        wanted = {each for each in which.attributes if each.name == name}
        fits[FacetKey(kind.ATTRIBUTE, name)] = not wanted.isdisjoint(document.attributes)
    return fits


def _is_in(price: Money, bounds: PriceRange) -> bool:
    low, high = bounds.low or 0, price.minor if bounds.high is None else bounds.high
    return price.currency == bounds.currency and low <= price.minor <= high
