"""The ledger of each seller: double entry in integer minor units, only ever added to.

An entry above zero is in favour of its account. What buyers paid stands below zero in `buyer_receipts`, so that every
transaction sums to zero; what a seller is owed is the sum of its `payable`. Refunds are entered when they are decided, not when
the provider has carried them out: money that must go back is nobody's to pay out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from domain.orders.open_order import OpenPart
from domain.orders.refunds import BorneBy, RefundDraft
from domain.payments.model import RefundId
from domain.shared.ids import OrderId, SellerId
from domain.shared.money import Money

BUYER_RECEIPTS = "buyer_receipts"
COMMISSION = "marketplace:commission"
REFUNDS = "marketplace:refunds"
"""What the marketplace gave back and did not take from the seller; below zero it is the marketplace's cost."""


DISPUTES = "marketplace:disputes"
"""What was taken and is no seller's, for it went back already; below zero it is the marketplace's cost."""
OWED = "buyers:owed"
"""Refunds that came back from the buyers' banks, and have to go once more."""


def payable(seller_id: SellerId) -> str:
    return f"seller:{seller_id}:payable"


class LedgerKind(StrEnum):
    SALE = "sale"
    COMMISSION = "commission"
    SHIPPING = "shipping"
    REFUND = "refund"
    """To the buyer."""
    CLAWBACK = "clawback"
    """From the seller, less the commission on it."""
    RETURNED = "returned"
    """A refund that came back, or went once more."""
    DISPUTE = "dispute"
    """What a buyer had the bank take back, from the seller less the commission on it; or what came of it again."""


@dataclass(frozen=True, slots=True)
class Posting:
    """A transaction of the ledger. `key` names what it is written once for; its entries sum to zero."""

    kind: LedgerKind
    key: str
    order_id: OrderId
    seller_id: SellerId
    currency: str
    entries: Sequence[tuple[str, int]]
    refund_id: RefundId | None = None
    dispute_id: UUID | None = None

    def __post_init__(self) -> None:
        if sum(amount for _, amount in self.entries) != 0:
            raise ValueError(f"{self.key} does not sum to zero")


@dataclass(frozen=True, slots=True)
class Balance:
    """What a seller is owed in one currency; below zero it owes the marketplace."""

    seller_id: SellerId
    currency: str
    payable: Money
    sales: Money
    shipping: Money
    commission: Money
    clawed_back: Money


def of_sale(order_id: OrderId, currency: str, part: OpenPart) -> list[Posting]:
    """What is entered when a seller's part was paid."""
    account = payable(part.seller_id)
    amounts = (
        (LedgerKind.SALE, part.subtotal, BUYER_RECEIPTS, account),
        (LedgerKind.COMMISSION, part.commission, account, COMMISSION),
        (LedgerKind.SHIPPING, part.shipping_fee, BUYER_RECEIPTS, account),
    )
    return [
        Posting(
            kind,
            f"{kind.value}:{order_id}:{part.seller_id}",
            order_id,
            part.seller_id,
            currency,
            ((source, -amount), (target, amount)),
        )
        for kind, amount, source, target in amounts
        if amount
    ]


def of_refund(order_id: OrderId, currency: str, part: OpenPart, refund: RefundDraft) -> list[Posting]:
    """What is entered when a refund is decided; nothing where the sale is in no ledger."""
    if not part.is_in_ledger:
        return []
    to_buyer = Posting(
        LedgerKind.REFUND,
        f"refund:{refund.id}",
        order_id,
        part.seller_id,
        currency,
        ((REFUNDS, -refund.amount), (BUYER_RECEIPTS, refund.amount)),
        refund.id,
    )
    if refund.borne_by is BorneBy.MARKETPLACE:
        return [to_buyer]
    goods = sum(each.amount for each in refund.parts if each.item_id is not None)
    from_seller = Posting(
        LedgerKind.CLAWBACK,
        f"clawback:{refund.id}",
        order_id,
        part.seller_id,
        currency,
        clawback(part, goods, refund.amount - goods),
        refund.id,
    )
    return [to_buyer, from_seller]


def clawback(part: OpenPart, goods: int, carriage: int, target: str = REFUNDS) -> tuple[tuple[str, int], ...]:
    """Entries by which a seller bears so much, less the commission on the goods."""
    commission = commission_back(part, goods)
    amount = goods + carriage
    entries = [(payable(part.seller_id), commission - amount), (target, amount), (COMMISSION, -commission)]
    return tuple((account, share) for account, share in entries if share)


def of_return(refund_id: RefundId, order_id: OrderId, seller_id: SellerId, amount: Money, lost_id: str) -> Posting:
    """A refund came back from the buyer's bank: the money is here, and owed. What it took from the seller stays taken."""
    entries = ((BUYER_RECEIPTS, -amount.minor), (OWED, amount.minor))
    key = f"returned:{refund_id}:{lost_id}"
    return Posting(LedgerKind.RETURNED, key, order_id, seller_id, amount.currency, entries, refund_id)


def of_second_try(refund_id: RefundId, order_id: OrderId, seller_id: SellerId, amount: Money, made_id: str) -> Posting:
    """What came back went to the buyer after all."""
    entries = ((OWED, -amount.minor), (BUYER_RECEIPTS, amount.minor))
    key = f"repaid:{refund_id}:{made_id}"
    return Posting(LedgerKind.RETURNED, key, order_id, seller_id, amount.currency, entries, refund_id)


def commission_back(part: OpenPart, goods: int) -> int:
    """The commission on so much of the goods. Parts add up: when all goods went back, all of the commission did."""

    def returned(clawed: int) -> int:
        kept = part.commission * (part.subtotal - clawed) // part.subtotal if part.subtotal else 0
        return part.commission - kept

    return returned(part.clawed_back + goods) - returned(part.clawed_back)
