"""What sellers, buyers and admins do to placed orders. Each use case is one decision under the order's lock."""

from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from domain.orders import decisions
from domain.orders.changes import Changes
from domain.orders.decisions import RefundRequest, Shipment
from domain.orders.open_order import OpenOrder
from domain.orders.returns import ReturnId, ReturnReason
from domain.shared.clock import Clock
from domain.shared.idempotency import IdempotentCall
from domain.shared.ids import OrderId, OrderItemId
from domain.shared.refusals import NotFound
from domain.shared.viewer import Viewer


class OrderFiles(Protocol):
    """Placed orders as they are decided about. Every method raises Unavailable."""

    async def order_of_item(self, viewer: Viewer, item_id: OrderItemId) -> OrderId | None:
        """None where the viewer may not see the item."""
        ...

    async def order_of_return(self, viewer: Viewer, return_id: ReturnId) -> OrderId | None: ...

    async def change(
        self,
        viewer: Viewer,
        order_id: OrderId,
        decide: Callable[[OpenOrder], Changes],
        call: IdempotentCall | None = None,
    ) -> UUID:
        """Write what `decide` makes of the order under its lock, all or nothing; where `call` came before, nothing.

        Gives the changes' result. Raises NotFound, IdempotencyKeyReused, IdempotencyInProgress, and whatever `decide` does.
        """
        ...


class Fulfilment:
    """Raises, all of it: NotFound, VersionConflict, IllegalMove, InvalidInput, Unavailable; with a key, what keys raise."""

    def __init__(self, files: OrderFiles, clock: Clock) -> None:
        self._files = files
        self._clock = clock

    async def ship(self, viewer: Viewer, item_id: OrderItemId, expected_version: int, shipment: Shipment) -> None:
        await self._item(
            viewer,
            item_id,
            lambda order: decisions.ship(order, viewer, item_id, expected_version, shipment),
        )

    async def deliver(self, viewer: Viewer, item_id: OrderItemId, expected_version: int) -> None:
        await self._item(viewer, item_id, lambda order: decisions.deliver(order, viewer, item_id, expected_version))

    async def cancel_item(
        self, viewer: Viewer, item_id: OrderItemId, expected_version: int, reason: str | None, key: str
    ) -> None:
        call = IdempotentCall.of("orderItemCancel", key, (item_id, expected_version, reason))

        def decide(order: OpenOrder) -> Changes:
            return decisions.cancel_item(order, viewer, item_id, expected_version, reason)

        await self._item(viewer, item_id, decide, call)

    async def cancel_order(
        self, viewer: Viewer, order_id: OrderId, expected_version: int, reason: str | None, key: str
    ) -> None:
        call = IdempotentCall.of("orderCancel", key, (order_id, expected_version, reason))

        def decide(order: OpenOrder) -> Changes:
            return decisions.cancel_order(order, viewer, expected_version, reason)

        await self._files.change(viewer, order_id, decide, call)

    async def request_return(
        self, viewer: Viewer, item_id: OrderItemId, quantity: int, reason: ReturnReason, comment: str | None, key: str
    ) -> ReturnId:
        call = IdempotentCall.of("returnRequest", key, (item_id, quantity, reason.value, comment))
        now = self._clock.now()

        def decide(order: OpenOrder) -> Changes:
            return decisions.request_return(order, viewer, item_id, quantity, reason, comment, now)

        return ReturnId(await self._item(viewer, item_id, decide, call))

    async def accept_return(self, viewer: Viewer, return_id: ReturnId, expected_version: int) -> None:
        await self._return(
            viewer, return_id, lambda order: decisions.accept_return(order, viewer, return_id, expected_version)
        )

    async def refuse_return(self, viewer: Viewer, return_id: ReturnId, expected_version: int, note: str | None) -> None:
        await self._return(
            viewer, return_id, lambda order: decisions.refuse_return(order, viewer, return_id, expected_version, note)
        )

    async def receive_return(
        self, viewer: Viewer, return_id: ReturnId, expected_version: int, *, restock: bool, key: str
    ) -> None:
        call = IdempotentCall.of("returnReceive", key, (return_id, expected_version, restock))

        def decide(order: OpenOrder) -> Changes:
            return decisions.receive_return(order, viewer, return_id, expected_version, restock=restock)

        await self._return(viewer, return_id, decide, call)

    async def refund(
        self, viewer: Viewer, order_id: OrderId, expected_version: int, request: RefundRequest, key: str
    ) -> None:
        call = IdempotentCall.of("refundCreate", key, (order_id, expected_version, request))
        await self._files.change(
            viewer, order_id, lambda order: decisions.refund(order, viewer, expected_version, request), call
        )

    async def _item(
        self,
        viewer: Viewer,
        item_id: OrderItemId,
        decide: Callable[[OpenOrder], Changes],
        call: IdempotentCall | None = None,
    ) -> UUID:
        order_id = await self._files.order_of_item(viewer, item_id)
        if order_id is None:
            raise NotFound
        return await self._files.change(viewer, order_id, decide, call)

    async def _return(
        self,
        viewer: Viewer,
        return_id: ReturnId,
        decide: Callable[[OpenOrder], Changes],
        call: IdempotentCall | None = None,
    ) -> None:
        order_id = await self._files.order_of_return(viewer, return_id)
        if order_id is None:
            raise NotFound
        await self._files.change(viewer, order_id, decide, call)
