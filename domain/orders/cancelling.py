"""What follows when items are cancelled, whoever does it and wherever their money is: a pure function."""

from collections.abc import Sequence
from dataclasses import replace

from domain.orders.changes import By, Changes, Restock, move_items, of_order
from domain.orders.model import OrderStatus
from domain.orders.open_order import OpenItem, OpenOrder


def cancelled(order: OpenOrder, items: Sequence[OpenItem], by: By, note: str | None) -> tuple[Changes, OpenOrder]:
    """The items' moves and what becomes of their units; and the order as it then is. Raises IllegalMove."""
    changes, after = move_items(order, items, OrderStatus.CANCELLED, by, note)
    if changes.status is OrderStatus.CANCELLED:
        changes = replace(changes, events=[*changes.events, of_order(after, "OrderCancelled")])
    if all(item.status is OrderStatus.PENDING for item in items):
        # Nothing was paid, and nothing was taken off the shelf: what was set aside is let go.
        return replace(changes, releases=True), after
    restocks = [
        Restock(item.product_id, item.variation_id, item.quantity - item.short)
        for item in items
        if item.quantity > item.short
    ]
    return replace(changes, restocks=restocks), after
