"""What recommendations need from the outside."""

from collections.abc import Sequence
from typing import Protocol

from domain.recommendations.model import Model, Scored
from domain.shared.ids import ProductId


class Features(Protocol):
    """The model as stored. Reads raise Unavailable; before the first training everything is empty.

    Lists come as they were given: best first, of the same score the lower id.
    """

    async def neighbours(self, ids: Sequence[ProductId]) -> Sequence[Sequence[Scored]]:
        """What is bought together with each of these, in the order of `ids`."""
        ...

    async def popular(self) -> Sequence[Scored]:
        """What most orders hold."""
        ...

    async def replace(self, model: Model) -> None:
        """Put a model in place of the present one.

        Readers may see both meanwhile, each product's list whole. Cut short, it leaves a usable mix: run it again.
        """
        ...
