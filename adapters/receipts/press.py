"""Prints receipts in a thread of its own, one after the other, so that no request waits for paper."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from domain.orders.receipts import Receipt
from domain.shared.refusals import Unavailable

MAX_WAITING = 16
"""Receipts that wait for the thread, the one under way included: a few hundredths of a second each."""


class ReceiptPress:
    """The port `Press`."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "receipts")
        self._waiting = 0

    async def printed(self, receipt: Receipt) -> bytes:
        if self._waiting >= MAX_WAITING:
            raise Unavailable("printing")
        self._waiting += 1
        work = asyncio.get_running_loop().run_in_executor(self._thread, _printed, receipt)
        work.add_done_callback(lambda _: self._done())
        return await asyncio.shield(work)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _done(self) -> None:
        self._waiting -= 1


def _printed(receipt: Receipt) -> bytes:
    # imported with the first receipt: it takes half a second, and most processes print none
    from adapters.receipts.pdf import pdf_of

    return pdf_of(receipt)
