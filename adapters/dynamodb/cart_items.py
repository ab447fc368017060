"""How a cart lies in the Carts table: an item a line, and one header.

A line is the document's item: sort key `product` or `product#variation`, `price_snapshot` in minor units with its
currency in `metadata`, times in seconds since 1970. The header (sort key `#cart`, which sorts before any product) is
ours: it holds `cart_id`, `version`, `line_count`, when the cart expires, and `settled`, the paid orders whose lines have left;
every change of a line changes it too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from domain.carts.model import LIFETIME, Cart, CartLine, CartOwner, LineRef
from domain.shared.money import Money

HEADER = "#cart"
MOVED = "#moved#"
"""Before the id of a guest's cart: to whose it was moved, for orders of it that are paid later."""

LINE_GRACE = timedelta(days=1)
"""Lines are kept this much longer than their cart: so a change need renew the others only once a day."""

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A cart as it was read, and the upkeep that its next change has to do.

    Both are sort keys of lines. `stale`: left over from a cart that expired. `renewable`: would be deleted before the
    cart, were it changed now.
    """

    cart: Cart
    stale: Sequence[str] = ()
    renewable: Sequence[str] = ()


def snapshot(owner: CartOwner, items: Sequence[Item], now: datetime) -> Snapshot:
    header = next((item for item in items if item["product_id"]["S"] == HEADER), None)
    lines = [item for item in items if not item["product_id"]["S"].startswith("#")]
    if header is None or _time(header["expires_at"]) <= now:  # DynamoDB deletes late, and item by item
        return Snapshot(Cart(owner), stale=[line["product_id"]["S"] for line in lines])
    cart = Cart(
        owner=owner,
        lines=tuple(sorted(map(_line, lines), key=lambda line: (line.added_at, line.id))),
        id=UUID(header["cart_id"]["S"]),
        version=int(header["version"]["N"]),
        expires_at=_time(header["expires_at"]),
        settled=tuple(UUID(each["S"]) for each in header.get("settled", {}).get("L", ())),
    )
    renewable = [line["product_id"]["S"] for line in lines if _time(line["expires_at"]) < now + LIFETIME]
    return Snapshot(cart, renewable=renewable)


def line_item(owner: CartOwner, line: CartLine, now: datetime) -> Item:
    variation = {} if line.variation_id is None else {"product_variation_id": {"S": str(line.variation_id)}}
    return {
        "user_id": {"S": owner.key},
        "product_id": {"S": line.id},
        **variation,
        "quantity": number(line.quantity),
        "added_at": instant(line.added_at),
        "updated_at": instant(line.updated_at),
        "expires_at": line_expiry(now),
        "price_snapshot": number(line.price_snapshot.minor),
        "metadata": {"M": {"currency": {"S": line.price_snapshot.currency}}},
    }


def header_item(owner: CartOwner, cart_id: UUID, line_count: int, now: datetime) -> Item:
    """The header of a cart that begins."""
    return {
        "user_id": {"S": owner.key},
        "product_id": {"S": HEADER},
        "cart_id": {"S": str(cart_id)},
        "version": number(1),
        "line_count": number(line_count),
        "updated_at": instant(now),
        "expires_at": cart_expiry(now),
    }


def moved_item(guest: CartOwner, cart_id: UUID, owner: CartOwner, now: datetime) -> Item:
    """Kept as long as a cart is: an order is paid or over long before."""
    return {
        "user_id": {"S": guest.key},
        "product_id": {"S": f"{MOVED}{cart_id}"},
        "moved_to": {"S": owner.key},
        "expires_at": cart_expiry(now),
    }


def ids(values: Sequence[UUID]) -> Item:
    return {"L": [{"S": str(each)} for each in values]}


def number(value: int) -> Item:
    return {"N": str(value)}


def instant(at: datetime) -> Item:
    return {"N": f"{at.timestamp():.6f}"}


def cart_expiry(now: datetime) -> Item:
    return number(int((now + LIFETIME).timestamp()))  # whole seconds: DynamoDB takes nothing else for a TTL


def line_expiry(now: datetime) -> Item:
    return number(int((now + LIFETIME + LINE_GRACE).timestamp()))


def _line(item: Item) -> CartLine:
    ref = LineRef.parse(item["product_id"]["S"])
    if ref is None:
        raise ValueError(f"not a cart line: {item['product_id']['S']}")
    return CartLine(
        product_id=ref.product_id,
        variation_id=ref.variation_id,
        quantity=int(item["quantity"]["N"]),
        added_at=_time(item["added_at"]),
        updated_at=_time(item["updated_at"]),
        price_snapshot=Money(int(item["price_snapshot"]["N"]), item["metadata"]["M"]["currency"]["S"]),
    )


def _time(value: Item) -> datetime:
    return datetime.fromtimestamp(float(value["N"]), UTC)
