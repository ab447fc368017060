"""What of a product search indexes of either kind look for words in, and what a match there is worth."""

from domain.search.model import SearchDocument

FIELD_WEIGHTS = {"name": (6.0, 2.0), "labels": (2.0, 1.0), "description": (0.0, 1.0)}
"""A word's score in a field is a fixed part plus a multiple of BM25. The fixed part keeps names first even for a word
that nearly every name holds, where BM25 alone would prefer the rare description that mentions it."""

SYNONYM_WEIGHTS = {"name": 8.0, "labels": 3.0, "description": 0.5}
"""Scores of what means the same as what was typed: BM25 would have the rarest synonym first."""

KEY_WEIGHTS = {"name_keys": 7.0, "label_keys": 2.5}
"""Scores of what only sounds as what was typed; late, since はし is 橋, 箸 and 端."""

LABEL_WEIGHT = 10.0
"""More for what is in the category, or of the brand, that was asked for by its whole name."""

CRUMB_WEIGHT = 0.3
"""Pieces of kana that are no words match only for want of better."""


MOST_NAME, MOST_DESCRIPTION, MOST_LABEL = 1_000, 100_000, 200
"""Characters that are indexed: a product's text has no bound in the database, what one product may cost the index has."""


def goods_name(document: SearchDocument) -> str:
    """The name without the brand's, which is a label: not all that つみき堂 sells is つみき."""
    name = document.name[:MOST_NAME]
    rest = name.replace(document.brand_name, " ") if document.brand_name else ""
    return rest if any(map(str.isalnum, rest)) else name


def description_text(document: SearchDocument) -> str:
    return document.description[:MOST_DESCRIPTION]


def label_texts(document: SearchDocument) -> tuple[str, ...]:
    """What it is listed under: brand, in kana too, categories from the root down, code."""
    texts = (document.brand_name, document.brand_kana, *document.category_names, document.sku)
    return tuple(each[:MOST_LABEL] for each in texts if each)
