"""What an operation costs with some variables, and what its answer shows to have been done."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import attrgetter
from types import NoneType
from typing import Any

from engine.fragments.rendered import Rendered
from engine.reading.limits import COUNTED
from engine.rows import Row

Variables = Mapping[str, Any]
Condition = tuple[str, bool]
"""A variable, and the value with which the field is there."""


@dataclass(frozen=True, slots=True)
class Size:
    """How many values a list has: the largest of these numbers and variables, or what is assumed."""

    assumed: float
    asked: tuple[int | str, ...] = ()

    def of(self, variables: Variables) -> float:
        numbers = [number(variables.get(each)) if isinstance(each, str) else each for each in self.asked]
        return max((each for each in numbers if each is not None), default=self.assumed)


@dataclass(frozen=True, slots=True)
class Priced:
    """A field whose cost depends on a list or a variable. The rest is folded into `each` of the field around it."""

    name: str
    once: float
    """Of the field itself."""
    each: float
    """Below each of its values, of all that is always there."""
    size: Size | None
    """Of a list, or of a field of the schema's description that is not there for each of its values."""
    when: tuple[Condition, ...]
    below: tuple["Priced", ...]

    def requested(self, variables: Variables) -> float:
        if any(variables.get(name) is (not wanted) for name, wanted in self.when):
            return 0
        times = 1 if self.size is None else self.size.of(variables)
        return self.once + times * (self.each + sum(field.requested(variables) for field in self.below))

    @property
    def depends(self) -> bool:
        """Whether variables have a part in what is asked for."""
        sized = self.size is not None and any(isinstance(each, str) for each in self.size.asked)
        return sized or bool(self.when) or any(field.depends for field in self.below)

    def actual(self, column: Sequence[Any]) -> float:
        """Of the field on so many parents: what it came to on each."""
        return self.once * len(column) + self.below_column(column)

    def below_column(self, column: Sequence[Any]) -> float:
        """The same without the field itself."""
        classes = set(map(type, column))
        if list not in classes:
            return self._of_classes(classes, column)
        lists = column if len(classes) == 1 else [value for value in column if type(value) is list]
        total = self.of_values(list(chain.from_iterable(lists))) if self.below else self.each * sum(map(len, lists))
        if len(classes) > 1:
            total += self.of_values([value for value in column if type(value) is not list])
        return total

    def of_values(self, values: Sequence[Any]) -> float:
        """What is below values of the field."""
        return self._of_classes(set(map(type, values)), values)

    def _of_classes(self, classes: set[type], values: Sequence[Any]) -> float:
        """Of all of a class at once, for answers are long."""
        if len(classes) == 1:
            return self._of_class(classes.pop(), values)
        return sum(self._of_class(each, [value for value in values if type(value) is each]) for each in classes)

    def _of_class(self, class_: type, values: Sequence[Any]) -> float:
        if class_ is NoneType:
            return 0
        if class_ is Rendered:
            return float(sum(value.cost for value in values))
        total = self.each * len(values)
        if issubclass(class_, Row):
            for field in self.below:
                place = class_.places.get(field.name)
                if place:
                    total += field.actual(list(map(attrgetter(place), values)))
        elif issubclass(class_, dict):
            for field in self.below:
                total += field.actual([value[field.name] for value in values if field.name in value])
        return total


@dataclass(frozen=True, slots=True)
class Price:
    """What an operation costs."""

    root: Priced
    defaults: Variables
    fixed: int | None = field(init=False)
    """What it asks for, where no variable has a part in that."""

    def __post_init__(self) -> None:
        fixed = None if self.root.depends else _whole(self.root.requested({}))
        object.__setattr__(self, "fixed", fixed)

    def requested(self, variables: Variables | None) -> int:
        """With these variables, which need not fit: what does not is assumed, and refused when it runs."""
        if self.fixed is not None:
            return self.fixed
        return _whole(self.root.requested({**self.defaults, **(variables or {})}))

    def actual(self, data: Mapping[str, Any] | None) -> int:
        """What the answer shows to have been done; of no answer at all, nothing."""
        return _whole(self.root.of_values([data])) if data is not None else 0


def times(priced: Priced, way: Sequence[str]) -> int:
    """How often the cost of what stands at the end of a way counts; not at all where it is always the same."""
    if not way:
        return 1
    return sum(times(each, way[1:]) for each in priced.below if each.name == way[0])


def number(value: Any) -> int | None:
    """How many a variable asks for."""
    if isinstance(value, list):
        return len(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return max(0, int(min(value, COUNTED)))


def _whole(cost: float) -> int:
    return math.ceil(round(min(cost, COUNTED), 6))
