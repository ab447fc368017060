"""Search documents as OpenSearch keeps them. Their versions are the index's own external versions."""

from typing import Any

from adapters.folding import codes, normalize
from adapters.language.analysis import Analyzer
from adapters.language.beginnings import label_starts
from adapters.search_ranking import prominence, ranks
from adapters.search_text import MOST_DESCRIPTION, MOST_LABEL, MOST_NAME, description_text, goods_name, label_texts
from domain.catalog.model import ProductStatus
from domain.search.facets import facetable_attributes, terms_of
from domain.search.fingerprint import fingerprint
from domain.search.model import SearchDocument
from domain.shared.ids import ProductId

STATUS = ProductStatus.ACTIVE.value
"""Of whatever is found."""


def source(document: SearchDocument, analyzer: Analyzer) -> dict[str, Any]:
    """A public product with its texts; of any other only the id: its version keeps late events out."""
    if not document.is_public:
        return tombstone(document.product_id, document.revision)
    labels, description = label_texts(document), description_text(document)
    keys = analyzer.keys(goods_name(document))
    return {
        "id": str(document.product_id),
        "name": _text(document.name, MOST_NAME),
        "description": _text(description, MOST_DESCRIPTION),
        "category_path": [_text(name) for name in document.category_names],
        "brand": _text(document.brand_name or ""),
        "status": STATUS,
        "price": str(document.price.amount),
        "seller_id": str(document.seller_id) if document.seller_id else None,
        "currency": document.price.currency,
        "created_at": document.created_at.isoformat(),
        "sku": _text(document.sku),
        "goods": _text(goods_name(document), MOST_NAME),
        "brand_kana": _text(document.brand_kana or ""),
        "name_keys": list(keys),
        "name_written": [_text(written) for written in keys.values()],
        "label_keys": list(analyzer.labels(labels)),
        "starts": list(dict.fromkeys(label_starts(document, analyzer))),
        "codes": {
            "name": _codes(document.name[:MOST_NAME]),
            "labels": _codes("\n".join(labels)),
            "description": _codes(description),
        },
        "public": True,
        "revision": document.revision,
        "fingerprint": fingerprint(document),
        "text_factor": 1 + prominence(document),
        "rating": document.rating if document.rating_count else None,
        "attributes": [{"name": each.name, "value": each.value} for each in facetable_attributes(document)],
        "facet": {str(kind): list(terms) for kind, terms in terms_of(document).items()},
        **ranks(document),
    }


def tombstone(product_id: ProductId, revision: int = 0) -> dict[str, Any]:
    """What is left of a product that is not found any more; a rebuild of the index is rid of it."""
    return {"id": str(product_id), "public": False, "revision": revision}


def refusal(product_id: ProductId, revision: int, told: int) -> dict[str, Any]:
    """In the place of a product of that fingerprint that cannot be written as it is: see `Entry.is_refused`."""
    return {**tombstone(product_id, revision), "fingerprint": told}


def _text(text: str, most: int = MOST_LABEL) -> str:
    """The beginning of it, without lone surrogates, which no encoder takes."""
    return text[:most].encode("utf-8", "ignore").decode()


def _codes(text: str) -> list[str]:
    return sorted({code for _, _, code in codes(normalize(text))})
