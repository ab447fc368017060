"""Writes to users of what happened. A mail is sent once at most: nobody is written to twice on a guess."""

from datetime import datetime

from domain.events.ports import Delivery, GivenUp
from domain.notifications.ports import Claim, Languages, Mail, Mailer, Mails, MayBeSent, Recipients
from domain.notifications.templates import Letter, Template, letter
from domain.shared.clock import Clock
from domain.shared.ids import UserId
from domain.shared.refusals import Unavailable

TEMPLATES = {"UserRegistered": Template.WELCOME}
"""What is written of which event. Its aggregate is the user."""
NOT_KNOWN = "it is not known whether the mail went out; redriven, it is sent again"


class Posting:
    """Sends a mail once at most, and keeps that it did."""

    def __init__(self, mails: Mails, mailer: Mailer, clock: Clock) -> None:
        self._mails = mails
        self._mailer = mailer
        self._clock = clock

    async def send(self, mail: Mail, address: str, letter: Letter, reopened_at: datetime | None) -> None:
        """Raises Unavailable and GivenUp."""
        match await self._mails.claim(mail, reopened_at):
            case Claim.OURS:
                await self._send(mail, address, letter)
            case Claim.UNDER_WAY:
                raise Unavailable("the mail's other sender")
            case Claim.UNKNOWN:
                raise GivenUp(NOT_KNOWN)
            case Claim.SENT:
                return

    async def _send(self, mail: Mail, address: str, letter: Letter) -> None:
        try:
            taken_as = await self._mailer.send(address, letter, mail.key)
        except MayBeSent as unknown:
            raise GivenUp(NOT_KNOWN) from unknown
        except (Unavailable, GivenUp):
            await self._mails.release(mail.key)
            raise
        await self._mails.sent(mail.key, self._clock.now(), taken_as)


class Notifications:
    """The consumer that writes mails to users about themselves."""

    name = "notifications"
    types = frozenset(TEMPLATES)

    def __init__(
        self, recipients: Recipients, languages: Languages, mails: Mails, mailer: Mailer, clock: Clock
    ) -> None:
        self._recipients = recipients
        self._languages = languages
        self._posting = Posting(mails, mailer, clock)
        self._clock = clock

    async def consume(self, delivery: Delivery) -> None:
        event, user_id = delivery.record.event, UserId(delivery.record.event.aggregate_id)
        recipient = await self._recipients.recipient(user_id)
        if recipient is None:
            return
        template, language = TEMPLATES[event.type], await self._languages.language(user_id)
        mail = Mail(f"{template}:{delivery.record.id}", template, language, user_id, self._clock.now())
        await self._posting.send(
            mail, recipient.email, letter(template, language, recipient.name), delivery.reopened_at
        )
