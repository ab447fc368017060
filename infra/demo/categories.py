"""Categories and brands of the demo."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from domain.shared.ids import BrandId, CategoryId
from domain.shared.tax import TaxClass
from infra.demo.dice import key
from infra.demo.rows import Row
from infra.demo.times import OPENED
from infra.demo.words import departments

CATEGORIES_COLUMNS = (
    "id",
    "parent_id",
    "name",
    "slug",
    "icon_url",
    "sort_order",
    "tax_class",
    "created_at",
    "updated_at",
)
EATEN_AND_DRUNK = ("food", "sweets", "drinks")
"""Departments whose goods are taxed at the reduced rate, but for"""
ALCOHOL = "alcohol"
BRANDS_COLUMNS = ("id", "name", "name_kana", "logo_url", "created_at", "updated_at")


class CategoryKeys:
    """Ids of categories and brands, by their ASCII names."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.brands = {
            brand.ascii: BrandId(self._key("brand", brand.ascii)) for each in departments() for brand in each.brands
        }
        self.leaves = {leaf.slug: self._category(leaf.slug) for each in departments() for leaf in each.leaves}

    def category_rows(self) -> Iterator[Row]:
        for number, department in enumerate(departments()):
            top = self._category(department.slug)
            tax = _tax(department.slug)
            yield self._row(top, None, department.name, department.slug, number, tax)
            for place, section in enumerate(department.sections):
                middle, tax = self._category(section.slug), _tax(department.slug, section.slug)
                yield self._row(middle, top, section.name, section.slug, place, tax)
                for position, leaf in enumerate(section.leaves):
                    yield self._row(self.leaves[leaf.slug], middle, leaf.name, leaf.slug, position, tax)

    def category_count(self) -> int:
        return sum(1 for _ in self.category_rows())

    def brand_rows(self) -> Iterator[Row]:
        for department in departments():
            for brand in department.brands:
                logo = f"/images/logos/brand-{brand.ascii}.svg"
                yield (self.brands[brand.ascii], brand.text, brand.kana, logo, OPENED, OPENED)

    def _row(self, id: CategoryId, parent: CategoryId | None, name: str, slug: str, order: int, tax: TaxClass) -> Row:
        opened: datetime = OPENED
        return (id, parent, name, slug, f"/images/logos/category-{slug}.svg", order, tax.value, opened, opened)

    def _category(self, slug: str) -> CategoryId:
        return CategoryId(self._key("category", slug))

    def _key(self, kind: str, name: str) -> UUID:
        return key(OPENED, self._seed, kind, name)


def _tax(department: str, section: str = "") -> TaxClass:
    return TaxClass.REDUCED if department in EATEN_AND_DRUNK and section != ALCOHOL else TaxClass.STANDARD
