"""Writes to users of what happened. A mail is sent once at most: nobody is written to twice on a guess."""

from domain.events.ports import Delivery, GivenUp
from domain.notifications.ports import Claim, Languages, Mail, Mailer, Mails, MayBeSent, Recipients
from domain.notifications.templates import Template, letter
from domain.shared.clock import Clock
from domain.shared.ids import UserId
from domain.shared.refusals import Unavailable

TEMPLATES = {"UserRegistered": Template.WELCOME}
"""What is written of which event. Its aggregate is the user."""
NOT_KNOWN = "it is not known whether the mail went out; redriven, it is sent again"


class Notifications:
    """The consumer that writes mails."""

    name = "notifications"
    types = frozenset(TEMPLATES)

    def __init__(
        self, recipients: Recipients, languages: Languages, mails: Mails, mailer: Mailer, clock: Clock
    ) -> None:
        self._recipients = recipients
        self._languages = languages
        self._mails = mails
        self._mailer = mailer
        self._clock = clock

    async def consume(self, delivery: Delivery) -> None:
        event, user_id = delivery.record.event, UserId(delivery.record.event.aggregate_id)
        recipient = await self._recipients.recipient(user_id)
        if recipient is None:
            return
        template = TEMPLATES[event.type]
        mail = Mail(
            f"{template}:{delivery.record.id}",
            template,
            await self._languages.language(user_id),
            user_id,
            self._clock.now(),
        )
        match await self._mails.claim(mail, delivery.reopened_at):
            case Claim.OURS:
                await self._send(mail, recipient.email, recipient.name)
            case Claim.UNDER_WAY:
                raise Unavailable("the mail's other sender")
            case Claim.UNKNOWN:
                raise GivenUp(NOT_KNOWN)
            case Claim.SENT:
                return

    async def _send(self, mail: Mail, address: str, name: str | None) -> None:
        try:
            taken_as = await self._mailer.send(address, letter(mail.template, mail.language, name), mail.key)
        except MayBeSent as unknown:
            raise GivenUp(NOT_KNOWN) from unknown
        except (Unavailable, GivenUp):
            await self._mails.release(mail.key)
            raise
        await self._mails.sent(mail.key, self._clock.now(), taken_as)
