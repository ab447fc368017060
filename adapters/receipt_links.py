"""Addresses of receipts on paper: signed, for some minutes, and nothing is kept of them."""

from datetime import timedelta

from adapters.sealed_ids import Seal, SealedIds
from domain.orders.receipt_papers import ReceiptKey
from domain.shared.clock import Clock
from domain.shared.ids import OrderId, SellerId

RECEIPTS = "/receipts"
SEAL = Seal("r1", b"torii receipt", timedelta(minutes=10))
"""Long enough to click on; what stays in a browser's history opens nothing."""


class ReceiptLinks:
    """The port `PaperLinks`. A token names the order, and is read for the seller it was made for alone."""

    def __init__(self, url: str, secret: str, clock: Clock, *, previous: str = "") -> None:
        """`url`: how the outside reaches the gateway; `previous`: the secret of before, whose tokens are still read."""
        self._url = url
        self._ids = SealedIds(SEAL, secret, clock, previous=previous)

    def address(self, key: ReceiptKey) -> str:
        order_id, seller_id = key
        return f"{self._url}{RECEIPTS}/{self._ids.seal(order_id, seller_id.bytes)}/{seller_id}.pdf"

    def read(self, token: str, seller_id: SellerId) -> OrderId | None:
        opened = self._ids.open(token, seller_id.bytes)
        return None if opened is None else OrderId(opened.id)
