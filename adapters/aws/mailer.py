"""Mails through SES. It has no keys for what is to happen once, so nothing here is ever tried again on a guess."""

from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError

from adapters.aws.clients import NO_CREDENTIALS, OUTAGE_CODES, SES, Aws, error_code
from domain.events.ports import GivenUp
from domain.notifications.ports import MayBeSent
from domain.notifications.templates import Letter
from domain.shared.refusals import Unavailable

NEVER_REACHED = (EndpointConnectionError, ConnectTimeoutError, *NO_CREDENTIALS)
NOT_NOW = OUTAGE_CODES - {"InternalError", "InternalErrorException", "InternalFailure", "InternalServerError"} | {
    "AccountSuspendedException",
    "LimitExceededException",
    "SendingPausedException",
}
"""Refusals of SES that may be none later: it took nothing."""


class SesMailer:
    """The port `Mailer`. `sender` is an identity that SES has verified."""

    def __init__(self, aws: Aws, sender: str) -> None:
        self._aws = aws
        self._sender = sender

    async def send(self, to: str, letter: Letter, key: str) -> str:
        content = {
            "Subject": {"Data": letter.subject, "Charset": "UTF-8"},
            "Body": {"Text": {"Data": letter.text, "Charset": "UTF-8"}},
        }
        try:
            async with self._aws.calling(SES):
                answer = await self._aws.ses.send_email(
                    FromEmailAddress=self._sender,
                    Destination={"ToAddresses": [to]},
                    Content={"Simple": content},
                )
        except Unavailable as outage:
            if _took_nothing(outage.__cause__):
                raise
            raise MayBeSent(key) from outage
        except ClientError as error:
            if error_code(error) in NOT_NOW:
                raise Unavailable(SES) from error
            raise GivenUp(f"SES refuses the mail: {error_code(error)}") from error
        return str(answer["MessageId"])


def _took_nothing(cause: BaseException | None) -> bool:
    """Whether SES cannot have begun to send: it was not reached, or said so."""
    return isinstance(cause, NEVER_REACHED) or (isinstance(cause, ClientError) and error_code(cause) in NOT_NOW)
