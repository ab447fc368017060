"""Makes moto's SQS keep every message, its EventBridge pass events on whole, and its SES take mails of any sender.

As shipped (5.2.5) its threads change the list of a queue without a lock: a message that comes while another is deleted is
lost, and one may be handed out twice. Events go through a template of text, which takes `<id>` in their data for a place to
fill in, and needs a parser of JSONPath for it. Senders are verified by mail or in the DNS, which nobody does for an emulator.
"""

import time
from typing import Any

from moto.events.utils import EventTemplateParser
from moto.ses.models import SESBackend
from moto.sqs.models import Message, Queue, SQSBackend

LONGEST_SLICE_S = 1
"""A hidden message that is seen again wakes nobody: so often it is looked for."""


def repair() -> None:
    """Call it once, before the server starts."""
    delete_message = Queue.delete_message
    receive_message = SQSBackend.receive_message

    def delete(self: Queue, receipt_handle: str) -> None:
        with self._messages_lock:
            delete_message(self, receipt_handle)

    def receive(
        self: SQSBackend,
        queue_name: str,
        count: int,
        wait_seconds_timeout: int,
        visibility_timeout: int,
        message_attribute_names: list[str] | None = None,
    ) -> list[Message]:
        queue = self.get_queue(queue_name)
        until = time.monotonic() + wait_seconds_timeout
        while True:
            with queue._messages_lock:
                found = receive_message(self, queue_name, count, 0, visibility_timeout, message_attribute_names)
            left = until - time.monotonic()
            if found or left <= 0:
                return found
            queue.wait_for_messages(min(LONGEST_SLICE_S, left))  # type: ignore[arg-type]

    Queue.delete_message = delete  # type: ignore[method-assign]
    SQSBackend.receive_message = receive  # type: ignore[method-assign]
    EventTemplateParser.parse = staticmethod(_whole)  # type: ignore[method-assign]
    SESBackend._is_verified_address = _any_sender  # type: ignore[method-assign]


def _whole(input_template: str | None, input_paths_map: dict[str, Any], event: Any) -> dict[str, Any]:
    """What a target gets that asks for no transformation, as all of ours. Source: EventBridge's structure of events."""
    if input_template or input_paths_map:
        raise NotImplementedError("the emulator transforms no events")
    return {name: value for name, value in event.items() if name != "ingestion-time"}


def _any_sender(self: Any, source: str) -> bool:  # noqa: ARG001  (moto's signature)
    return True
