"""A request that finds nothing is asked once more with less: the nearest results, and what was left out to find them."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from domain.search.facets import FacetKey, FacetKind, FacetTerm, selected_terms, token_of
from domain.search.model import Relaxation, SearchPage, SearchScope
from domain.search.ports import SearchIndex
from domain.search.request import NO_FILTER, SearchFilter, SearchQuery, SearchRequest
from domain.shared.paging import PageRequest

MOST_WORDS = 6
"""Words that are looked at one by one; of a longer query the first."""

MOST_FILTERS = 8

_LEAST_MISSED = (
    FacetKind.ATTRIBUTE,
    FacetKind.PRICE,
    FacetKind.RATING,
    FacetKind.STOCK,
    FacetKind.SELLER,
    FacetKind.BRAND,
    FacetKind.CATEGORY,
)
"""Which filter goes first where several would do."""


@dataclass(frozen=True, slots=True)
class Relaxed:
    """A request that asks less than another, and what it leaves out."""

    request: SearchRequest
    left_out: Relaxation
    spelled: str | None = None


async def nearest(index: SearchIndex, request: SearchRequest, page: PageRequest) -> SearchPage | None:
    """The page of the nearest request that finds something; None where even less finds nothing.

    First words are spelled otherwise, then single filters left out, then single words, then all filters, then all words
    but one. At most 17 counts and 6 spellings, side by side.
    """
    tries = [await _respelled(index, request)]
    for relaxed in (*tries, *_with_less(request)):
        if not relaxed:
            continue
        counts = await asyncio.gather(*(index.count(SearchScope(each.request)) for each in relaxed))
        finding = [(count.value, each) for count, each in zip(counts, relaxed, strict=True) if count.value]
        if finding:
            return await _page(index, finding[0][1] if len(finding) == 1 else _best(finding), page)
    return None


def _best(finding: Sequence[tuple[int, Relaxed]]) -> Relaxed:
    """Of filters the one least missed, as they come; of words what is left says most where it finds least."""
    if finding[0][1].left_out.filters:
        return finding[0][1]
    return min(finding, key=lambda each: each[0])[1]


async def _page(index: SearchIndex, relaxed: Relaxed, page: PageRequest) -> SearchPage:
    found = await index.search(relaxed.request, page)
    found.relaxed, found.did_you_mean = relaxed.left_out, relaxed.spelled
    return found


async def _respelled(index: SearchIndex, request: SearchRequest) -> list[Relaxed]:
    words = request.query.text.split()
    some = words[:MOST_WORDS]
    spelled = await asyncio.gather(*(index.spelled(word) for word in some))
    changed = [word for word, other in zip(some, spelled, strict=True) if other is not None]
    if not changed:
        return []
    text = " ".join([other or word for word, other in zip(some, spelled, strict=True)] + words[MOST_WORDS:])
    query = SearchQuery(text[:200])
    return [Relaxed(replace(request, query=query), Relaxation(words=tuple(changed)), query.text)]


def _with_less(request: SearchRequest) -> Iterator[list[Relaxed]]:
    chosen = sorted(selected_terms(request.which).items(), key=lambda each: _LEAST_MISSED.index(each[0].kind))
    words = request.query.text.split()
    yield [_without_filter(request, key, values) for key, values in chosen[:MOST_FILTERS]]
    if 1 < len(words) <= MOST_WORDS:
        yield [
            _with_words(request, words, [other for other in words if other != word]) for word in dict.fromkeys(words)
        ]
    if len(chosen) > 1:
        tokens = tuple(token_of(FacetTerm(key, value)) for key, values in chosen for value in values)
        yield [Relaxed(replace(request, which=NO_FILTER), Relaxation(filters=tokens))]
    if len(words) > 2:
        yield [_with_words(request, words, [word]) for word in dict.fromkeys(words[:MOST_WORDS])]


def _with_words(request: SearchRequest, words: Sequence[str], kept: Sequence[str]) -> Relaxed:
    left_out = tuple(word for word in words if word not in kept)
    return Relaxed(replace(request, query=SearchQuery(" ".join(kept))), Relaxation(words=left_out))


def _without_filter(request: SearchRequest, key: FacetKey, values: Sequence[str]) -> Relaxed:
    tokens = tuple(token_of(FacetTerm(key, value)) for value in values)
    return Relaxed(replace(request, which=_without(request.which, key)), Relaxation(filters=tokens))


def _without(which: SearchFilter, key: FacetKey) -> SearchFilter:
    match key.kind:
        case FacetKind.CATEGORY:
            return replace(which, category_ids=())
        case FacetKind.BRAND:
            return replace(which, brand_ids=())
        case FacetKind.SELLER:
            return replace(which, seller_ids=())
        case FacetKind.PRICE:
            return replace(which, prices=())
        case FacetKind.RATING:
            return replace(which, rating_min=None)
        case FacetKind.STOCK:
            return replace(which, in_stock=None)
        case FacetKind.ATTRIBUTE:
            return replace(which, attributes=tuple(each for each in which.attributes if each.name != key.name))
