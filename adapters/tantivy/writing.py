"""Writing a generation. Blocking; whoever calls holds the lock."""

from collections.abc import Container, Sequence

import tantivy
from tantivy import FieldType, Order, Query

from adapters.language.analysis import UNWRITABLE, Analyzer
from adapters.search_refusing import tell_refused
from adapters.tantivy.documents import id_term, index_schema, product_ids, refusal, tantivy_document, tombstone
from adapters.tantivy.generations import Generation
from domain.search.model import SearchDocument
from domain.search.ports import Entry
from domain.shared.ids import ProductId

HEAP = 50_000_000
"""Bytes before tantivy writes a segment: no batch needs more. It is taken as it fills up."""


def create(generation: Generation) -> None:
    """Make it an index without documents."""
    writer = tantivy.Index(index_schema(), str(generation.path), reuse=False).writer(HEAP, 1)
    writer.commit()
    writer.wait_merging_threads()


def put_newer(generation: Generation, analyzer: Analyzer, documents: Sequence[SearchDocument]) -> int:
    """Write those that the index does not know in a newer version; an equal one is written again. Returns how many."""
    index = tantivy.Index.open(str(generation.path))
    newest = {document.product_id: document for document in sorted(documents, key=lambda each: each.version)}
    known = {each.product_id: each.version for each in _found(index, list(newest))}
    changed = [each for each in newest.values() if known.get(each.product_id, each.version) <= each.version]
    made = {each.product_id: _made(each, analyzer) for each in changed}
    refused = [each for each in changed if made[each.product_id] is None]
    _overwrite(index, {each.product_id: made[each.product_id] or refusal(each) for each in changed}, known.keys())
    return len(changed) - len(refused)


def _made(document: SearchDocument, analyzer: Analyzer) -> tantivy.Document | None:
    """None where it cannot be written as it is, which must not keep others out."""
    try:
        return tantivy_document(document, analyzer)
    except UNWRITABLE as error:
        tell_refused(document.product_id, repr(error))
        return None


def forget(generation: Generation, ids: Sequence[ProductId], version: int) -> int:
    """Leave tombstones of that version, except where the index knows a newer one. Returns how many."""
    index = tantivy.Index.open(str(generation.path))
    known = {each.product_id: each.version for each in _found(index, ids)}
    older = [each for each in dict.fromkeys(ids) if known.get(each, version) <= version]
    _overwrite(index, {each: tombstone(each, version) for each in older}, known.keys())
    return len(older)


def entries(generation: Generation, after: ProductId | None, upto: ProductId | None) -> list[Entry]:
    """What the index knows of the products past `after` and up to `upto`, by id."""
    index = tantivy.Index.open(str(generation.path))
    searcher = index.searcher()
    low, high = 0 if after is None else after.int >> 64, None if upto is None else upto.int >> 64
    query = Query.range_query(index.schema, "id_high", FieldType.Unsigned, low, high)
    count = searcher.search(query, 1, count=True).count or 0  # type: ignore[attr-defined]  # missing in its stubs
    if not count:
        return []
    found = searcher.search(query, count, count=False, order_by_field="id_high", order=Order.Asc).hits
    addresses = [address for _, address in found]
    return [
        each
        for each in _read(searcher, addresses)
        if (after is None or each.product_id > after) and (upto is None or each.product_id <= upto)
    ]


def entries_of(generation: Generation, ids: Sequence[ProductId]) -> list[Entry]:
    """What the index knows of these products, by id."""
    return _found(tantivy.Index.open(str(generation.path)), ids)


def _found(index: tantivy.Index, ids: Sequence[ProductId]) -> list[Entry]:
    if not ids:
        return []
    searcher = index.searcher()
    query = Query.term_set_query(index.schema, "id", [id_term(product_id) for product_id in ids])
    return _read(searcher, [address for _, address in searcher.search(query, len(ids), count=False).hits])


def _read(searcher: tantivy.Searcher, addresses: list[tantivy.DocAddress]) -> list[Entry]:
    columns = (searcher.fast_field_values(name, addresses) for name in ("version", "revision", "public", "fingerprint"))
    found = zip(product_ids(searcher, addresses), *columns, strict=True)
    told = [
        Entry(product_id, int(version or 0), int(revision or 0), bool(public), int(fingerprint or 0))
        for product_id, version, revision, public, fingerprint in found
    ]
    return sorted(told, key=lambda each: each.product_id)


def _overwrite(index: tantivy.Index, documents: dict[ProductId, tantivy.Document], known: Container[ProductId]) -> None:
    if not documents:
        return
    writer = index.writer(HEAP, 1)  # one thread: what Sudachi gives keeps no more busy
    for product_id, document in documents.items():
        if product_id in known:
            writer.delete_documents_by_term("id", id_term(product_id))
        writer.add_document(document)
    writer.commit()
    writer.wait_merging_threads()
