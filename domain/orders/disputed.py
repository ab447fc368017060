"""What a dispute takes from whom, and gives back: pure functions of the order as it stands."""

from collections.abc import Mapping
from uuid import UUID

from domain.orders.ledger import BUYER_RECEIPTS, DISPUTES, LedgerKind, Posting, clawback
from domain.orders.open_order import OpenOrder
from domain.orders.refunds import spread
from domain.shared.ids import SellerId


def taken(order: OpenOrder, dispute_id: UUID, amount: int, move: int) -> list[Posting]:
    """The bank took so much, in minor units: of each seller in proportion to what is left of its part, less the commission on it.

    What went back before was taken from them then: what the bank takes beyond the rest is the marketplace's cost. Nothing where
    the sale is in no ledger. `move`: the how-manieth it is of this dispute.
    """
    entered = [part for part in order.parts.values() if part.is_in_ledger]
    if not entered:
        return []
    left = sum(item.left for item in order.items) + sum(part.shipping_left for part in order.parts.values())
    shares = spread(order, min(amount, left)) if left > 0 else {}
    found: list[Posting] = []
    rest = amount
    for part in entered:
        parts = shares.get(part.seller_id, [])
        goods = sum(each.amount for each in parts if each.item_id is not None)
        carriage = sum(each.amount for each in parts if each.item_id is None)
        if goods + carriage:
            rest -= goods + carriage
            entries = clawback(part, goods, carriage, BUYER_RECEIPTS)
            found.append(_posting(order, part.seller_id, dispute_id, f"taken:{move}", entries))
    if rest:
        entries = ((DISPUTES, -rest), (BUYER_RECEIPTS, rest))
        found.append(_posting(order, entered[0].seller_id, dispute_id, f"beyond:{move}", entries))
    return found


def given_back(
    order: OpenOrder, dispute_id: UUID, standing: Mapping[SellerId, Mapping[str, int]], move: int
) -> list[Posting]:
    """The bank gave it back: all that stands of it, by seller and account, is undone."""
    return [
        _posting(
            order, seller_id, dispute_id, f"back:{move}", tuple((name, -amount) for name, amount in accounts.items())
        )
        for seller_id, accounts in standing.items()
    ]


def _posting(
    order: OpenOrder, seller_id: SellerId, dispute_id: UUID, what: str, entries: tuple[tuple[str, int], ...]
) -> Posting:
    key = f"dispute:{dispute_id}:{seller_id}:{what}"
    return Posting(LedgerKind.DISPUTE, key, order.id, seller_id, order.currency, entries, dispute_id=dispute_id)
