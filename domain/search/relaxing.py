"""A request that finds nothing is asked once more with less: the nearest results, and what was left out to find them."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from domain.search.facet_terms import FacetKey, FacetKind, FacetTerm
from domain.search.facets import selected_terms, token_of
from domain.search.model import NOTHING_BESIDE, Beside, Relaxation, SearchPage, SearchScope
from domain.search.pieces import Pieces
from domain.search.ports import SearchIndex
from domain.search.request import NO_FILTER, SearchFilter, SearchQuery, SearchRequest, SearchSort
from domain.shared.paging import PageRequest

MOST_WORDS = 6
"""Words that are looked at one by one; of a longer query the first."""

MOST_FILTERS = 8

LEAST_PIECE = 2
"""Letters of a piece of a word that is asked for alone."""

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


async def nearest(
    index: SearchIndex, request: SearchRequest, page: PageRequest, beside: Beside = NOTHING_BESIDE
) -> SearchPage | None:
    """The page of the nearest request that finds something; None where even less finds nothing.

    First words are spelled otherwise, then single filters left out, then single words, then all filters, then all words
    but one. At most 17 requests and 12 spellings, side by side.
    """
    text = request.query.text
    words: Sequence[str] = text.split()
    respelled = await _respelled(index, request, words)
    if respelled is None and len(words) == 1:
        words = _pieces(text)
        respelled = await _respelled(index, request, words) if len(words) > 1 else None
    for relaxed in ([respelled] if respelled else [], *_with_less(request, words)):
        best = await _best(index, relaxed)
        if best is not None:
            return await _page(index, best, page, beside)
    return None


async def _best(index: SearchIndex, relaxed: Sequence[Relaxed]) -> Relaxed | None:
    """Of filters the one least missed, as they come; of words what is left says most where it finds what scores highest:
    that is a name rather than a description, and a rare word rather than a common one."""
    if not relaxed:
        return None
    if len(relaxed) == 1 or relaxed[0].left_out.filters:
        counts = await asyncio.gather(*(index.count(SearchScope(each.request)) for each in relaxed))
        return next((each for count, each in zip(counts, relaxed, strict=True) if count.value), None)
    by_score = (replace(each.request, sort=SearchSort.RELEVANCE) for each in relaxed)
    pages = await asyncio.gather(*(index.search(each, PageRequest(size=1)) for each in by_score))
    found = [(page.nodes[0].score, each) for page, each in zip(pages, relaxed, strict=True) if page.nodes]
    return max(found, key=lambda each: each[0])[1] if found else None


async def _page(index: SearchIndex, relaxed: Relaxed, page: PageRequest, beside: Beside) -> SearchPage:
    found = await index.search(relaxed.request, page, beside)
    found.relaxed, found.did_you_mean = relaxed.left_out, relaxed.spelled
    return found


async def _respelled(index: SearchIndex, request: SearchRequest, words: Sequence[str]) -> Relaxed | None:
    some = words[:MOST_WORDS]
    spelled = await asyncio.gather(*(index.spelled(word) for word in some))
    changed = {word: other for word, other in zip(some, spelled, strict=True) if other is not None}
    if not changed:
        return None
    text = _in_place(request.query.text, some, changed)
    query = SearchQuery(text[:200])
    return Relaxed(replace(request, query=query), Relaxation(words=tuple(changed)), query.text)


def _in_place(text: str, words: Sequence[str], changed: Mapping[str, str]) -> str:
    """The text with some of its words, which stand in it one after the other, changed."""
    done = 0
    for word in words:
        place = text.index(word, done)
        other = changed.get(word, word)
        text, done = text[:place] + other + text[place + len(word) :], place + len(other)
    return text


def _pieces(word: str) -> Sequence[str]:
    """Where a word that was typed without a space may be cut, as far as one sees: 無糖コーヒ. Not codes."""
    pieces = Pieces.of(word).needed
    is_cut = not any(map(str.isdigit, word)) and all(len(piece) >= LEAST_PIECE for piece in pieces)
    return pieces if is_cut else (word,)


def _with_less(request: SearchRequest, words: Sequence[str]) -> Iterator[list[Relaxed]]:
    chosen = sorted(selected_terms(request.which).items(), key=lambda each: _LEAST_MISSED.index(each[0].kind))
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
