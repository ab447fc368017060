"""The category tree: small, read whole, walked in memory."""

from collections.abc import Iterable
from dataclasses import dataclass

from domain.shared.ids import CategoryId
from domain.shared.tax import TaxClass


@dataclass(frozen=True, slots=True)
class Category:
    id: CategoryId
    parent_id: CategoryId | None
    name: str
    slug: str
    icon_url: str | None
    sort_order: int
    tax_class: TaxClass = TaxClass.STANDARD


class CategoryTree:
    """All active categories, by id and slug, each with its ancestors and descendants."""

    def __init__(self, categories: Iterable[Category]) -> None:
        self.by_id = {category.id: category for category in categories}
        self.by_slug = {category.slug: category for category in self.by_id.values()}
        self._children: dict[CategoryId | None, list[Category]] = {}
        for category in sorted(self.by_id.values(), key=lambda each: (each.sort_order, each.name, each.id.int)):
            self._children.setdefault(category.parent_id, []).append(category)

    @property
    def roots(self) -> list[Category]:
        return self._children.get(None, [])

    def children(self, category_id: CategoryId) -> list[Category]:
        return self._children.get(category_id, [])

    def path(self, category_id: CategoryId) -> list[Category]:
        """From the root down to the category itself; empty when it is not in the tree."""
        path: list[Category] = []
        step = self.by_id.get(category_id)
        while step is not None and step not in path:
            path.append(step)
            step = self.by_id.get(step.parent_id) if step.parent_id else None
        return path[::-1]

    def with_descendants(self, category_id: CategoryId) -> tuple[CategoryId, ...]:
        """The category and all below it; empty when it is not in the tree."""
        if category_id not in self.by_id:
            return ()
        found = [category_id]
        for each in found:
            found.extend(child.id for child in self.children(each))
        return tuple(found)
