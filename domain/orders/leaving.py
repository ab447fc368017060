"""Lines leave the cart when their order is paid: before, whoever gives up finds the cart as it was."""

from domain.carts.ports import Carts
from domain.carts.service import settle
from domain.events.ports import Delivery
from domain.orders.checkout_ports import OrderBook
from domain.shared.ids import OrderId


class CartLeaving:
    """The consumer of paid orders for carts. An order that is told of again takes nothing more."""

    name = "carts"
    types = frozenset({"OrderPaid"})

    def __init__(self, book: OrderBook, carts: Carts) -> None:
        self._book = book
        self._carts = carts

    async def consume(self, delivery: Delivery) -> None:
        event = delivery.record.event
        if event.stream != f"order/{event.aggregate_id}":  # the same, as it is told to one of its sellers
            return
        bought = await self._book.bought(OrderId(event.aggregate_id))
        if bought is not None:
            await settle(self._carts, bought)
