"""Writing a generation. Blocking; whoever calls holds the lock."""

from collections.abc import Sequence

import tantivy
from tantivy import Query

from adapters.language.analysis import Analyzer
from adapters.tantivy.documents import id_term, index_schema, product_ids, tantivy_document, tombstone
from adapters.tantivy.generations import Generation
from domain.search.model import SearchDocument
from domain.shared.ids import ProductId

BUILD_HEAP = 128_000_000
"""Bytes before tantivy writes a segment: some 100,000 products fit into one."""

PUT_HEAP = 15_000_000


class Build:
    """A generation while it is made from nothing."""

    def __init__(self, generation: Generation, analyzer: Analyzer) -> None:
        self.generation = generation
        self._analyzer = analyzer
        index = tantivy.Index(index_schema(), str(generation.path), reuse=False)
        self._writer = index.writer(BUILD_HEAP, 1)  # one thread: what Sudachi gives keeps no more busy

    def add(self, documents: Sequence[SearchDocument]) -> None:
        for document in documents:
            self._writer.add_document(tantivy_document(document, self._analyzer))

    def finish(self) -> None:
        self._writer.commit()
        self._writer.wait_merging_threads()

    def abandon(self) -> None:
        self._writer.rollback()
        self._writer.wait_merging_threads()


def put_newer(generation: Generation, analyzer: Analyzer, documents: Sequence[SearchDocument]) -> int:
    """Write those that the index does not know in a newer version; an equal one is written again. Returns how many."""
    index = tantivy.Index.open(str(generation.path))
    newest = {document.product_id: document for document in sorted(documents, key=lambda each: each.version)}
    known = _versions(index, list(newest))
    changed = [each for each in newest.values() if known.get(each.product_id, each.version) <= each.version]
    _overwrite(index, {each.product_id: tantivy_document(each, analyzer) for each in changed})
    return len(changed)


def forget(generation: Generation, ids: Sequence[ProductId], version: int) -> None:
    """Leave tombstones of that version, except where the index knows a newer one."""
    index = tantivy.Index.open(str(generation.path))
    known = _versions(index, ids)
    _overwrite(index, {each: tombstone(each, version) for each in ids if known.get(each, version) <= version})


def _versions(index: tantivy.Index, ids: Sequence[ProductId]) -> dict[ProductId, int]:
    """The stored versions of those ids that are there."""
    searcher = index.searcher()
    if not ids:
        return {}
    query = Query.term_set_query(index.schema, "id", [id_term(product_id) for product_id in ids])
    addresses = [address for _, address in searcher.search(query, len(ids), count=False).hits]
    versions = searcher.fast_field_values("version", addresses)
    found = product_ids(searcher, addresses)
    return {product_id: int(version or 0) for product_id, version in zip(found, versions, strict=True)}


def _overwrite(index: tantivy.Index, documents: dict[ProductId, tantivy.Document]) -> None:
    if not documents:
        return
    writer = index.writer(PUT_HEAP, 1)
    for product_id, document in documents.items():
        writer.delete_documents_by_term("id", id_term(product_id))
        writer.add_document(document)
    writer.commit()
    writer.wait_merging_threads()
