"""What stands in the place of a gateway's and a worker's loops in a street of tests: its own orders' turns, when they are told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from adapters.postgres.orders_refunding import PostgresRefundBook
from domain.orders.ports import Settlement, SettlementKind
from domain.payments.finaliser import Finaliser
from domain.payments.refunds import DueRefund
from domain.shared.ids import OrderId

if TYPE_CHECKING:
    from tests.orders.street import Street


class Settling:
    """The port of the checkout, without anything that runs by itself: what is begun is kept until it is done."""

    def __init__(self, finaliser: Finaliser) -> None:
        self._finaliser = finaliser
        self.is_away = False
        self.begun: list[OrderId] = []

    async def settle(self, order_id: OrderId, within_s: float) -> Settlement:
        return Settlement(SettlementKind.PROCESSING) if self.is_away else await self._finaliser.settle(order_id)

    def begin(self, order_id: OrderId) -> None:
        self.begun.append(order_id)


@dataclass(slots=True)
class Sold:
    """An order, of which cart it was, and how far this street knows that its payment came at the provider."""

    id: OrderId
    who: int
    era: int
    version: int
    quantities: dict[int, int]
    at: datetime
    is_heard: bool = False
    """Its lines have left the cart."""


@dataclass(frozen=True, slots=True)
class OwnPayments:
    """The port `OpenPayments`, of this street's orders."""

    street: "Street"

    async def unchecked(self, now: datetime, after: OrderId | None, limit: int) -> Sequence[OrderId]:
        return await self._own(self.street.payments.unchecked, now, after, limit)

    async def expired(self, now: datetime, after: OrderId | None, limit: int) -> Sequence[OrderId]:
        return await self._own(self.street.payments.expired, now, after, limit)

    async def _own(self, find: Any, now: datetime, after: OrderId | None, limit: int) -> Sequence[OrderId]:
        own: set[OrderId] = {each.id for each in self.street.orders}
        found: list[OrderId] = []
        while not found and (page := await find(now, after, limit)):
            found, after = [each for each in page if each in own], page[-1]
        return found


class OwnRefunds(PostgresRefundBook):
    """The port `RefundBook`, where those of this street's orders alone have their turn."""

    def __init__(self, street: "Street") -> None:
        super().__init__(street.database)
        self._street = street

    async def take(self, limit: int, now: datetime, until: datetime) -> Sequence[DueRefund]:
        intents = [await self._street.intent_of(each.id) for each in self._street.orders]
        return [due for each in intents if each is not None for due in await self.pending(each)]
