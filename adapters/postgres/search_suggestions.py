"""Suggestions out of the database itself, for while the index is away: the texts of r0028_product_texts.py by their letters."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, Text, and_, bindparam, func, literal_column, or_, select, union_all

from adapters.postgres.reading import Prepared
from adapters.postgres.search_prominence import PROMINENCE
from adapters.postgres.tables import brands, categories, product_ratings, products
from domain.search.suggesting import BRANDS, CATEGORIES, PRODUCTS, SuggestionKind, Suggestions
from domain.shared.ids import BrandId, CategoryId, ProductId

P, R, B, C = products.c, product_ratings.c, brands.c, categories.c
TYPED = bindparam("typed", type_=Text)
BEGUN = func.catalog.begun_by_text(TYPED).table_valued("product_id", "score", name="begun")
FOLDED = select(func.catalog.folded(TYPED)).scalar_subquery()
"""Once a statement, not once a row."""


def _begins(name: Any) -> Any:
    return func.starts_with(func.catalog.folded(name), FOLDED)


def _labelled(kind: SuggestionKind, found: Select[Any], id: Any, most: int) -> Select[Any]:
    """Those of most products first."""
    place = func.row_number().over(order_by=[func.count().desc(), id])
    ranked = found.with_only_columns(id.label("id"), place.label("place")).group_by(id).subquery()
    kept = ranked.c.place <= literal_column(str(most))
    return select(literal_column(f"'{kind}'", Text).label("kind"), ranked.c.id, ranked.c.place).where(kept)


def _statement() -> Prepared:
    source = BEGUN.join(products, P.id == BEGUN.c.product_id).outerjoin(product_ratings, R.product_id == P.id)
    columns = (P.id, P.brand_id, P.category_id, BEGUN.c.score, PROMINENCE.label("prominence"))
    on_sale = P.status == literal_column("'active'", Text)
    shown = select(*columns).select_from(source).where(on_sale).cte("shown")
    s = shown.c
    place = func.row_number().over(order_by=[s.score.desc(), s.prominence.desc(), s.id])
    named = select(s.id, place.label("place")).where(s.score > literal_column("0")).subquery()
    found = select(literal_column(f"'{SuggestionKind.PRODUCT}'", Text).label("kind"), named.c.id, named.c.place).where(
        named.c.place <= literal_column(str(PRODUCTS))
    )
    branded = (
        select(B.id)
        .select_from(shown.join(brands, B.id == s.brand_id))
        .where(or_(_begins(B.name), and_(B.name_kana.is_not(None), _begins(B.name_kana))))
    )
    path = select(s.category_id.label("of"), C.id, C.parent_id, C.name).join(categories, C.id == s.category_id)
    up = path.distinct().cte("up", recursive=True)
    up = up.union(select(up.c.of, C.id, C.parent_id, C.name).join(up, C.id == up.c.parent_id))
    listed = select(up.c.id).select_from(shown.join(up, up.c.of == s.category_id)).where(_begins(up.c.name))
    return Prepared(
        union_all(
            found,
            _labelled(SuggestionKind.BRAND, branded, B.id, BRANDS),
            _labelled(SuggestionKind.CATEGORY, listed, up.c.id, CATEGORIES),
        )
    )


SUGGESTED = _statement()
"""Kind, id and place of each."""


def suggestions(rows: Sequence[Any]) -> Suggestions:
    """From the rows of SUGGESTED."""
    ids = {kind: [row[1] for row in sorted(rows, key=lambda row: row[2]) if row[0] == kind] for kind in SuggestionKind}
    return Suggestions(
        products=tuple(map(ProductId, ids[SuggestionKind.PRODUCT])),
        categories=tuple(map(CategoryId, ids[SuggestionKind.CATEGORY])),
        brands=tuple(map(BrandId, ids[SuggestionKind.BRAND])),
    )
