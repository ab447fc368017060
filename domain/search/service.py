"""What one may ask of search."""

import logging
from collections.abc import Sequence

from domain.search.facets import Facet, shown
from domain.search.model import NOTHING_BESIDE, Beside, SearchPage, SearchScope
from domain.search.ports import IN_DATABASE, Documents, Progress, SearchIndex, TextSearch
from domain.search.relaxing import nearest
from domain.search.request import SearchRequest
from domain.search.suggesting import NO_SUGGESTIONS, Suggestions, prefix_of
from domain.search.upkeep import IndexUpkeep
from domain.shared.paging import Count, PageRequest
from domain.shared.refusals import InvalidInput, Unavailable

log = logging.getLogger("torii.search")


class Search:
    """By the index; where it is away, or there is none, by `simple` search, whose pages say so. Without `simple` it is an outage."""

    def __init__(self, index: SearchIndex, simple: TextSearch | None = None) -> None:
        self._index = index
        self._simple = simple
        self._is_away = False

    async def search(self, request: SearchRequest, page: PageRequest, beside: Beside = NOTHING_BESIDE) -> SearchPage:
        """The public products that match, in the order asked for; where none does, the nearest, and what was left out.

        What is said to be wanted `beside` costs less than asked for later.

        Raises InvalidInput, InvalidCursor, Unavailable.
        """
        if page.backward:  # no index can walk its ranking from the end without reading all of it
            raise InvalidInput(key="page_forward_only", field=("last",))
        if self._simple is None:
            return await self._shown(request, page, beside)
        # who began in the database goes on there: places in the index's ranking are others
        if page.key is None or page.key[0] != IN_DATABASE:
            found = await self._indexed(request, page, beside)
            if found is not None:
                return found
        return await self._simple.search(request, page)

    async def _indexed(self, request: SearchRequest, page: PageRequest, beside: Beside) -> SearchPage | None:
        """The index's answer; None where it has none. An outage is logged when it begins and when it is over."""
        outage: Unavailable | None = None
        try:
            found = await self._shown(request, page, beside)
            if found.indexed_at is not None:
                if self._is_away:
                    log.info("the search index answers again")
                self._is_away = False
                return found
        except Unavailable as error:
            outage = error
        if not self._is_away:
            log.error("the search index is away: searches are answered by the database meanwhile", exc_info=outage)
        self._is_away = True
        return None

    async def _shown(self, request: SearchRequest, page: PageRequest, beside: Beside) -> SearchPage:
        """What the index finds, or the nearest to it."""
        found = await self._index.search(request, page, beside)
        if found.nodes or found.indexed_at is None or request.is_everything:
            return found
        if page.key is not None and (await self._index.count(SearchScope(request))).value:
            return found  # the end of a list
        return await nearest(self._index, request, page, beside) or found

    async def count(self, scope: SearchScope) -> Count:
        if scope.total is not None:
            return scope.total
        if self._simple is not None and scope.state == IN_DATABASE:
            return await self._simple.count(scope)
        return await self._index.count(scope)

    async def facets(self, scope: SearchScope) -> Sequence[Facet]:
        """How the request of a page can be narrowed, with counts in the state of the index that the page shows."""
        if scope.state == IN_DATABASE:
            return ()
        counted = await self._index.facets(scope) if scope.counted is None else scope.counted
        return shown(counted, scope.request.which)

    async def suggestions(self, typed: str) -> Suggestions:
        """What may be meant by what was typed so far; simpler while the index is away. Raises Unavailable."""
        prefix = prefix_of(typed)
        if prefix is None:
            return NO_SUGGESTIONS
        try:
            found = await self._index.complete(prefix)
        except Unavailable:
            if self._simple is None:
                raise
            found = None
        if found is None and self._simple is not None:
            return await self._simple.complete(prefix)
        return found or NO_SUGGESTIONS

    async def is_built(self) -> bool:
        return await self._index.is_built()

    async def reindex(self, source: Documents, progress: Progress) -> int:
        """Build the index anew from the source, while the present one goes on answering. Returns the documents read."""
        return await IndexUpkeep(self._index, source).reindex(progress)

    async def check(self) -> str:
        return await self._index.check()
