"""Texts of mails, each in every language of the marketplace."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.shared.languages import Language


class Template(StrEnum):
    WELCOME = "welcome"


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail as it is read: plain text."""

    subject: str
    text: str


ADDRESSED = {Language.JA: "{name} 様\n\n", Language.EN: "Dear {name},\n\n"}
LETTERS: Mapping[Template, Mapping[Language, Letter]] = {
    Template.WELCOME: {
        Language.JA: Letter(
            "ご登録ありがとうございます",
            "ご登録いただき、ありがとうございます。\nこのメールアドレスでログインして、お買い物をお楽しみいただけます。\n\n"
            "このメールにお心当たりがない場合は、破棄してください。\n",
        ),
        Language.EN: Letter(
            "Welcome",
            "Thank you for registering.\nYou can sign in with this mail address, and start shopping.\n\n"
            "If you know nothing of this, please ignore this mail.\n",
        ),
    },
}


def letter(template: Template, language: Language, name: str | None) -> Letter:
    """The letter to somebody, who may have told no name."""
    text = LETTERS[template][language]
    # by replace: a name may have braces in it
    greeting = ADDRESSED[language].replace("{name}", name) if name else ""
    return Letter(text.subject, greeting + text.text)
