"""The search index as the settings name it. By itself, so that `torii up` asks after it and loads nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.language.highlighting import DictionaryHighlighter
from adapters.language.lexicon import DEFAULT, LexiconFile
from domain.search.ports import SearchIndex
from domain.shared.refusals import Unavailable
from settings import Settings

if TYPE_CHECKING:
    from adapters.language.analysis import Analyzer
    from adapters.opensearch.index import OpenSearchIndex
    from adapters.tantivy.index import TantivyIndex

WRITE_TIMEOUT_MS = 60_000


@asynccontextmanager
async def open_index(settings: Settings) -> AsyncIterator[SearchIndex]:
    """OpenSearch if the settings name one, else the tantivy index of the data folder."""
    index = _on_opensearch(settings) if settings.opensearch_url.get_secret_value() else _on_tantivy(settings)
    try:
        yield index
    finally:
        await index.close()


def highlighter(settings: Settings) -> DictionaryHighlighter:
    """The dictionary that it needs is loaded when something is highlighted first."""
    return DictionaryHighlighter(LexiconFile(settings.search_words or DEFAULT))


async def is_built(settings: Settings) -> bool:
    """Whether there is an index on OpenSearch that this program can read. Nobody knows in an outage: then yes."""
    async with open_index(settings) as index:
        try:
            return await index.is_built()
        except Unavailable:
            return True


# each loads only what it needs: OpenSearch's client takes half as long as all else at a start


def _on_opensearch(settings: Settings) -> "OpenSearchIndex":
    from adapters.opensearch.index import OpenSearchIndex

    return OpenSearchIndex(
        settings.opensearch_url.get_secret_value(),
        settings.opensearch_index,
        LexiconFile(settings.search_words or DEFAULT),
        timeout_ms=settings.opensearch_timeout_ms,
        write_timeout_ms=WRITE_TIMEOUT_MS,
    )


def _on_tantivy(settings: Settings) -> "TantivyIndex":
    from adapters.tantivy.index import TantivyIndex

    return TantivyIndex(settings.search_dir, _analyzer(settings.search_words or DEFAULT))


@cache
def _analyzer(words: Path) -> "Analyzer":
    """One for all indexes that a process opens: it may be used from any thread, and its dictionary is loaded once."""
    from adapters.language.analysis import Analyzer

    return Analyzer(LexiconFile(words))
