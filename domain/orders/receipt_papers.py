"""Receipts on paper: an address that opens for some minutes, and what is printed there."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from domain.orders.receipts import Receipt
from domain.orders.records import OrderRecords
from domain.shared.ids import OrderId, SellerId
from domain.shared.refusals import NotFound, Unavailable
from domain.shared.viewer import Viewer

ReceiptKey = tuple[OrderId, SellerId]
"""`Receipt.key`."""


class PaperLinks(Protocol):
    def address(self, key: ReceiptKey) -> str:
        """A URL that opens the receipt for some minutes, whoever has it."""
        ...

    def read(self, token: str, seller_id: SellerId) -> OrderId | None:
        """The order of a URL's token; None when it is not one of ours, another seller's, or too old."""
        ...


class Press(Protocol):
    async def printed(self, receipt: Receipt) -> bytes:
        """A PDF. Raises Unavailable where too many wait for theirs."""
        ...


@dataclass(frozen=True, slots=True)
class Paper:
    """`name`: of a file, of letters, digits and hyphens with `.pdf` behind."""

    name: str
    content: bytes = field(repr=False)


AT_ONCE = 16
"""Papers that are read and printed at a time: whoever has one address is not to keep all others from the database."""


class ReceiptPapers:
    def __init__(self, records: OrderRecords, links: PaperLinks, press: Press) -> None:
        self._records = records
        self._links = links
        self._press = press
        self._under_way = 0

    async def addresses_of(self, keys: Sequence[ReceiptKey]) -> Sequence[str]:
        """Where each is found from now on, for whoever was shown the receipt."""
        return [self._links.address(key) for key in keys]

    async def paper(self, token: str, seller_id: SellerId) -> Paper:
        """As it stands now, with what went back by now. Raises NotFound, Unavailable."""
        order_id = self._links.read(token, seller_id)
        if order_id is None:
            raise NotFound
        if self._under_way >= AT_ONCE:
            raise Unavailable("printing")
        self._under_way += 1
        try:
            return await self._paper(order_id, seller_id)
        finally:
            self._under_way -= 1

    async def _paper(self, order_id: OrderId, seller_id: SellerId) -> Paper:
        [receipts] = await self._records.receipts_of(Viewer(order_ids=(order_id,)), [order_id])
        for receipt in receipts:
            if receipt.seller_id == seller_id:
                number = "".join(
                    each for each in receipt.order_number if each.isascii() and (each.isalnum() or each == "-")
                )
                return Paper(f"receipt-{number}.pdf", await self._press.printed(receipt))
        raise NotFound
