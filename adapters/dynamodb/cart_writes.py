"""One transaction for a change of a cart: its header, its lines, and the upkeep that is due.

The header's condition guards the number of lines and that the cart is still alive; each line's own condition guards
the line. So changes of different lines never fail each other, and those of one line are never lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from adapters.dynamodb.cart_items import (
    HEADER,
    Item,
    Snapshot,
    cart_expiry,
    header_item,
    ids,
    instant,
    line_expiry,
    line_item,
    moved_item,
    number,
)
from domain.carts.changes import Change, Increase, PutLine, Remove, SetQuantity
from domain.carts.model import MAX_LINES, Cart, CartOwner
from domain.shared.money import Money

IS_THERE = "attribute_exists(user_id)"
IS_NOT_THERE = "attribute_not_exists(user_id)"


@dataclass(frozen=True, slots=True)
class CartTransaction:
    """Makes the items of a TransactWriteItems, at most 100 of them, for a cart at a moment."""

    table: str
    owner: CartOwner
    now: datetime

    def begin(
        self, read: Snapshot, changes: Sequence[Change], cart_id: UUID, settled: Sequence[UUID] | None = None
    ) -> list[Item]:
        """A cart that was not there, or had expired: what is left of an expired one goes."""
        lines = [change.line for change in changes if isinstance(change, PutLine)]
        if len(lines) < len(changes):
            raise ValueError("a cart begins with new lines")
        taken = {line.id for line in lines}
        header = header_item(self.owner, cart_id, len(lines), self.now)
        if settled is not None:
            header["settled"] = ids(settled)
        return [
            self._put(header, f"{IS_NOT_THERE} OR expires_at <= :now", {":now": instant(self.now)}),
            *(self._delete(key) for key in read.stale if key not in taken),
            *(self._put(line_item(self.owner, line, self.now)) for line in lines),
        ]

    def go_on(self, read: Snapshot, changes: Sequence[Change], settled: Sequence[UUID] | None = None) -> list[Item]:
        """A cart that is there: lines that would be deleted before it are renewed along the way. `settled` takes the place of
        what the cart was read with.
        """
        growth = sum({PutLine: 1, Remove: -1}.get(type(change), 0) for change in changes)
        changed = {change.ref.id for change in changes}
        return [
            self._header(growth) if settled is None else self._settled_header(growth, read.cart, settled),
            *(self._line(key, "", {}) for key in read.renewable if key not in changed),
            *(self._change(change) for change in changes),
        ]

    def move(self, read: Cart, owner: CartOwner) -> list[Item]:
        """The cart is there no more, if it still is as it was read, and where it went is; its lines are deleted by their TTL."""
        assert read.id is not None
        values = {":cart": {"S": str(read.id)}, ":version": number(read.version)}
        ended = self._delete(HEADER, "cart_id = :cart AND version = :version", values)
        return [ended, self._put(moved_item(self.owner, read.id, owner, self.now))]

    def _header(self, growth: int) -> Item:
        condition = "expires_at > :now"
        values = {":now": instant(self.now), ":growth": number(growth), ":one": number(1)}
        if growth > 0:
            condition += " AND line_count <= :room"
            values[":room"] = number(MAX_LINES - growth)
        return self._update(
            HEADER,
            "SET updated_at = :now, expires_at = :expires ADD version :one, line_count :growth",
            condition,
            values | {":expires": cart_expiry(self.now)},
        )

    def _settled_header(self, growth: int, read: Cart, settled: Sequence[UUID]) -> Item:
        values = {":now": instant(self.now), ":growth": number(growth), ":one": number(1), ":cart": {"S": str(read.id)}}
        unchanged = "attribute_not_exists(settled)"
        if read.settled:
            unchanged, values = "settled = :was", values | {":was": ids(read.settled)}
        condition = f"expires_at > :now AND cart_id = :cart AND {unchanged}"
        if growth > 0:
            condition, values = f"{condition} AND line_count <= :room", values | {":room": number(MAX_LINES - growth)}
        return self._update(
            HEADER,
            "SET updated_at = :now, expires_at = :expires, settled = :settled ADD version :one, line_count :growth",
            condition,
            values | {":expires": cart_expiry(self.now), ":settled": ids(settled)},
        )

    def _change(self, change: Change) -> Item:
        match change:
            case PutLine(line):
                return self._put(line_item(self.owner, line, self.now), IS_NOT_THERE)
            case Remove(ref, was):
                if was is None:
                    return self._delete(ref.id, IS_THERE)
                return self._delete(ref.id, "quantity = :was", {":was": number(was)})
            case Increase(ref, by, at_most, price):
                values = {":by": number(by), ":room": number(at_most - by)}
                return self._line(ref.id, ", quantity = quantity + :by", values, price, "quantity <= :room")
            case SetQuantity(ref, quantity, was, price):
                values = {":quantity": number(quantity)} | ({} if was is None else {":was": number(was)})
                condition = IS_THERE if was is None else "quantity = :was"
                return self._line(ref.id, ", quantity = :quantity", values, price, condition)

    def _line(self, key: str, change: str, values: Item, price: Money | None = None, condition: str = IS_THERE) -> Item:
        """An update of a line; an empty `change` only renews it."""
        if change:
            change += ", updated_at = :now"
            values = values | {":now": instant(self.now)}
        if price is not None:  # adding more of a product makes the present price the one to compare with
            change += ", price_snapshot = :price, metadata.currency = :currency"
            values = values | {":price": number(price.minor), ":currency": {"S": price.currency}}
        return self._update(
            key, "SET expires_at = :expires" + change, condition, values | {":expires": line_expiry(self.now)}
        )

    def _put(self, item: Item, condition: str = "", values: Item | None = None) -> Item:
        return {"Put": {"TableName": self.table, "Item": item} | _conditional(condition, values)}

    def _delete(self, key: str, condition: str = "", values: Item | None = None) -> Item:
        return {"Delete": {"TableName": self.table, "Key": self._key(key)} | _conditional(condition, values)}

    def _update(self, key: str, update: str, condition: str, values: Item) -> Item:
        target = {"TableName": self.table, "Key": self._key(key), "UpdateExpression": update}
        return {"Update": target | _conditional(condition, values)}

    def _key(self, sort_key: str) -> Item:
        return {"user_id": {"S": self.owner.key}, "product_id": {"S": sort_key}}


def _conditional(condition: str, values: Item | None = None) -> Item:
    """DynamoDB refuses empty conditions and unused values."""
    return ({"ConditionExpression": condition} if condition else {}) | (
        {"ExpressionAttributeValues": values} if values else {}
    )
