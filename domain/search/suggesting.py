"""What may be meant by the letters that somebody has typed so far."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from domain.shared.ids import BrandId, CategoryId, ProductId

MAX_PREFIX = 50
"""Characters that count; more are hardly a beginning, and find nothing."""

QUERIES, PRODUCTS, CATEGORIES, BRANDS = 3, 6, 3, 3
"""How many of each are shown."""


@dataclass(frozen=True, slots=True)
class Suggestions:
    """Ids of what is public and begins so, or has a word that does, however it is written; what stands out first."""

    products: tuple[ProductId, ...] = ()
    categories: tuple[CategoryId, ...] = ()
    brands: tuple[BrandId, ...] = ()


class SuggestionKind(StrEnum):
    QUERY = "query"
    PRODUCT = "product"
    CATEGORY = "category"
    BRAND = "brand"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One of them, in the list that is shown."""

    kind: SuggestionKind
    product_id: ProductId | None = None
    category_id: CategoryId | None = None
    brand_id: BrandId | None = None
    query: str | None = None


NO_SUGGESTIONS = Suggestions()


def listed(queries: Sequence[str], found: Suggestions) -> list[Suggestion]:
    """What others typed, categories and brands first: they are few, and lead to many products."""
    return [
        *(Suggestion(SuggestionKind.QUERY, query=each) for each in queries),
        *(Suggestion(SuggestionKind.CATEGORY, category_id=each) for each in found.categories),
        *(Suggestion(SuggestionKind.BRAND, brand_id=each) for each in found.brands),
        *(Suggestion(SuggestionKind.PRODUCT, product_id=each) for each in found.products),
    ]


def prefix_of(typed: str) -> str | None:
    """NFKC and trimmed; None where there is nothing to go by. Never refuses: it is asked with every key."""
    if len(typed) > MAX_PREFIX:
        return None
    text = " ".join(unicodedata.normalize("NFKC", typed).split())
    is_text = len(text) <= MAX_PREFIX and not any(unicodedata.category(each) in ("Cc", "Cs") for each in text)
    return text if text and is_text else None
