"""Where events go, and what those who act on them need."""

from email.utils import parseaddr
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator

from settings.general import MIN_SECRET
from settings.guard import GuardSettings
from settings.values import check_web_address


class EventSettings(GuardSettings):
    event_prefix: str = Field(
        "torii-",
        pattern="^[a-z0-9-]{0,40}$",
        description="Put before the name of the event bus and of each rule and queue.",
    )
    events_timeout_ms: int = Field(5000, ge=10, description="Longest call of a worker to EventBridge, SQS or SES.")
    capture_stream: str = Field(
        "",
        pattern="^[a-zA-Z0-9_.-]{0,128}$",
        description="Kinesis stream that changes of the database are put on; empty, and none are captured.",
    )
    capture_slot: str = Field(
        "torii", pattern="^[a-z0-9_]{1,63}$", description="Replication slot that changes are read from."
    )
    lake_bucket: str = Field(
        "", description="S3 bucket of the activity lake, which captured changes are kept in; empty, and there is none."
    )
    mail_from: str = Field(
        "", description="Sender of mails, an identity that SES has verified; empty, and workers send no mails."
    )
    order_page_url: str = Field(
        "",
        description="Page of the shop that shows a guest's order. Mails lead there with the token behind a `#`, which no"
        " server is sent; empty, and they tell the token as a code.",
    )
    revalidate_url: str = Field("", description="Told which cached pages are out of date; empty, and nobody is told.")
    revalidate_secret: SecretStr = Field(SecretStr(""), description="Signs what is sent there; at least 32 characters.")

    @field_validator("mail_from")
    @classmethod
    def sender_is_one(cls, value: str) -> str:
        address = parseaddr(value)[1]
        if value and ("@" not in address or any(ord(each) < 32 for each in value)):
            raise ValueError("a sender has the form Shop <no-reply@example.com>")
        return value

    @field_validator("revalidate_url", "order_page_url")
    @classmethod
    def revalidate_address_is_one(cls, value: str) -> str:
        return check_web_address(value)

    @model_validator(mode="after")
    def what_is_sent_is_signed(self) -> Self:
        if self.revalidate_url and len(self.revalidate_secret.get_secret_value()) < MIN_SECRET:
            raise ValueError(f"TORII_REVALIDATE_URL needs TORII_REVALIDATE_SECRET, of at least {MIN_SECRET} characters")
        return self
