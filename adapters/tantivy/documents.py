"""Search documents as tantivy keeps them."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import tantivy
from tantivy import FieldType

from adapters.folding import normalize
from adapters.language.analysis import Analyzer
from adapters.language.beginnings import label_starts
from adapters.search_ranking import prominence, ranks
from adapters.search_text import KEY_WEIGHTS, description_text, goods_name, label_texts
from adapters.tantivy.narrowing import FIELDS, attribute_term
from domain.search.facet_terms import FacetKind
from domain.search.facets import facetable_attributes, terms_of
from domain.search.fingerprint import fingerprint
from domain.search.model import SearchDocument
from domain.shared.ids import ProductId

FORMAT = 5
"""Grows with every change of the fields or of what is put into them: an index of another format is built anew."""

COLUMN_TYPES: Mapping[str, FieldType] = {
    "prominence": FieldType.Float,
    "price_rank": FieldType.Integer,
    "listed_ms": FieldType.Integer,
    "rating_rank": FieldType.Float,
    "popularity_score": FieldType.Float,
    "rating": FieldType.Float,
}
"""What is sorted by, and the rating as it is shown, for filters."""

_HALF = 2**64


def index_schema() -> tantivy.Schema:
    """Terms are cut by us: tantivy splits at white space only. Ids are two halves, because a fast field has 64 bits."""
    fields = tantivy.SchemaBuilder()
    fields.add_text_field("id", tokenizer_name="raw", index_option="basic")
    fields.add_unsigned_field("id_high", fast=True)
    fields.add_unsigned_field("id_low", fast=True)
    fields.add_integer_field("version", fast=True)
    fields.add_integer_field("revision", fast=True)
    fields.add_integer_field("fingerprint", fast=True)
    fields.add_boolean_field("public", indexed=True, fast=True)
    for name in ("name", "labels", "description"):
        fields.add_text_field(name, tokenizer_name="whitespace", index_option="freq")
    for name in KEY_WEIGHTS:
        fields.add_text_field(name, tokenizer_name="whitespace", index_option="basic")
    for name in FIELDS.values():
        fields.add_text_field(name, tokenizer_name="raw", index_option="basic", fast=True)
    fields.add_float_field("weight", fast=True)
    fields.add_text_field("goods", tokenizer_name="raw", index_option="basic", stored=True)
    fields.add_text_field("starts", tokenizer_name="raw", index_option="basic")
    for name, kind in COLUMN_TYPES.items():
        (fields.add_integer_field if kind is FieldType.Integer else fields.add_float_field)(name, fast=True)
    return fields.build()


def tantivy_document(document: SearchDocument, analyzer: Analyzer) -> tantivy.Document:
    """A public product with its terms; of any other only id, version and revision, which keep late events out."""
    kept = _identified(document.product_id, document.version)
    kept.add_integer("revision", document.revision)
    if not document.is_public:
        return kept
    kept.add_integer("fingerprint", fingerprint(document))
    labels = label_texts(document)
    kept.add_boolean("public", True)
    for field, text in (
        ("name", goods_name(document)),
        ("labels", "\n".join(labels)),
        ("description", description_text(document)),
    ):
        kept.add_text(field, " ".join(analyzer.terms(text)))
    kept.add_text("goods", normalize(goods_name(document)))
    kept.add_text("name_keys", " ".join(analyzer.keys(goods_name(document))))
    kept.add_text("label_keys", " ".join(analyzer.labels(labels)))
    for start in dict.fromkeys(label_starts(document, analyzer)):
        kept.add_text("starts", start)
    kept.add_float("weight", _weight(document))
    _add_columns(kept, document)
    for facet, terms in terms_of(document).items():
        for term in terms:
            kept.add_text(FIELDS[facet], term)
    for attribute in facetable_attributes(document):
        kept.add_text(FIELDS[FacetKind.ATTRIBUTE], attribute_term(attribute))
    return kept


def tombstone(product_id: ProductId, version: int) -> tantivy.Document:
    """What is left of a product that is not found any more; a rebuild of the index is rid of it."""
    return _identified(product_id, version)


def refusal(document: SearchDocument) -> tantivy.Document:
    """In the place of a product that cannot be written as it is: see `Entry.is_refused`."""
    kept = _identified(document.product_id, document.version)
    kept.add_integer("revision", document.revision)
    kept.add_integer("fingerprint", fingerprint(document))
    return kept


def id_term(product_id: ProductId) -> str:
    return product_id.hex


def product_ids(searcher: tantivy.Searcher, addresses: Sequence[tantivy.DocAddress]) -> list[ProductId]:
    """The ids of documents, in their order, read from columns: no stored document is fetched."""
    halves = (searcher.fast_field_values(name, list(addresses)) for name in ("id_high", "id_low"))
    return [ProductId(UUID(int=int(high or 0) * _HALF + int(low or 0))) for high, low in zip(*halves, strict=True)]


def _identified(product_id: ProductId, version: int) -> tantivy.Document:
    document = tantivy.Document()
    document.add_text("id", id_term(product_id))
    high, low = divmod(product_id.int, _HALF)
    document.add_unsigned("id_high", high)
    document.add_unsigned("id_low", low)
    document.add_integer("version", version)
    return document


def _add_columns(kept: tantivy.Document, document: SearchDocument) -> None:
    for name, value in ranks(document).items():
        if COLUMN_TYPES[name] is FieldType.Integer:
            kept.add_integer(name, int(value))
        else:
            kept.add_float(name, float(value))
    if document.rating_count and document.rating is not None:
        kept.add_float("rating", document.rating)


def _weight(document: SearchDocument) -> float:
    return float(2.0 ** (1 + prominence(document)) - 2.0)  # tantivy multiplies scores by log2(2 + weight)
