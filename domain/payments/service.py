"""Taking in what the provider tells."""

from domain.payments.ports import EventInbox, EventReader


class PaymentEvents:
    """Keeps what the provider tells before it is told that we heard: what comes of it is decided later, and again if need be."""

    def __init__(self, reader: EventReader, inbox: EventInbox) -> None:
        self._reader = reader
        self._inbox = inbox

    async def receive(self, payload: bytes, signature: str | None) -> bool:
        """Whether it is new. Of any type: what nobody knows yet is kept too. Raises UntrustedEvent, Unavailable."""
        return await self._inbox.keep(self._reader.read(payload, signature))
