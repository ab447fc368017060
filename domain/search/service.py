"""What one may ask of search."""

from collections.abc import Sequence

from domain.search.facets import Facet, shown
from domain.search.model import SearchPage, SearchScope
from domain.search.ports import Documents, Progress, SearchIndex
from domain.search.request import SearchRequest
from domain.shared.paging import Count, PageRequest
from domain.shared.refusals import InvalidInput


class Search:
    def __init__(self, index: SearchIndex) -> None:
        self._index = index

    async def search(self, request: SearchRequest, page: PageRequest) -> SearchPage:
        """The public products that match, in the order asked for. Raises InvalidInput, InvalidCursor, Unavailable."""
        if page.backward:  # no index can walk its ranking from the end without reading all of it
            raise InvalidInput(key="page_forward_only", field=("last",))
        return await self._index.search(request, page)

    async def count(self, scope: SearchScope) -> Count:
        return await self._index.count(scope)

    async def facets(self, scope: SearchScope) -> Sequence[Facet]:
        """How the request of a page can be narrowed, with counts in the state of the index that the page shows."""
        return shown(await self._index.facets(scope), scope.request.which)

    async def is_built(self) -> bool:
        return await self._index.is_built()

    async def reindex(self, source: Documents, progress: Progress) -> int:
        """Build the index anew from the source, while the present one goes on answering. Returns the documents read."""
        return await self._index.replace_all(source.documents(), progress)

    async def check(self) -> str:
        return await self._index.check()
