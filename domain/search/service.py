"""What one may ask of search."""

from domain.search.model import Hit, SearchQuery, SearchScope
from domain.search.ports import Documents, Progress, SearchIndex
from domain.shared.paging import Count, Page, PageRequest
from domain.shared.refusals import InvalidInput


class Search:
    def __init__(self, index: SearchIndex) -> None:
        self._index = index

    async def search(self, text: str, request: PageRequest) -> Page[Hit]:
        """The public products that match, best first. Raises InvalidInput, Unavailable."""
        query = SearchQuery.of(text)
        if request.backward:  # no index can walk its ranking from the end without reading all of it
            raise InvalidInput(key="page_forward_only", field=("last",))
        return await self._index.search(query, request)

    async def count(self, scope: SearchScope) -> Count:
        return await self._index.count(scope.query)

    async def is_built(self) -> bool:
        return await self._index.is_built()

    async def reindex(self, source: Documents, progress: Progress) -> int:
        """Build the index anew from the source, while the present one goes on answering. Returns the documents read."""
        return await self._index.replace_all(source.documents(), progress)

    async def check(self) -> str:
        return await self._index.check()
