"""Events of orders, for those who watch."""

from domain.events.live import Watching
from domain.orders.live import OrderStatusEvent, SellerEvent
from domain.shared.ids import OrderId, SellerId
from domain.shared.refusals import NotFound
from resolvers.context import Info
from resolvers.global_ids import key_of


async def of_order(info: Info, order_id: str, after: str | None, token: str | None) -> Watching[OrderStatusEvent]:
    key = OrderId(key_of(order_id, "Order", "orderId"))
    if token is not None:
        shown = info.context.services.order_finding.shown(info.context.viewer, token)
        if shown is None or shown[1] != key:
            raise NotFound
        info.context.see_as(shown[0])
    return await info.context.services.order_watch.order(info.context.viewer, key, after)


async def of_seller(info: Info, seller_id: str | None, after: str | None) -> Watching[SellerEvent]:
    key = None if seller_id is None else SellerId(key_of(seller_id, "Seller", "sellerId"))
    return await info.context.services.order_watch.seller(info.context.viewer, key, after)
