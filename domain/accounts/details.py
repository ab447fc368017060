"""What users tell of themselves, and what of it can be kept."""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from urllib.parse import urlsplit

from domain.accounts import japan
from domain.shared.refusals import InvalidInput
from domain.shared.text import Form, line

MAX_DISPLAY_NAME = 60
MAX_URL = 2_000
OLDEST = date(1900, 1, 1)


class Gender(StrEnum):
    FEMALE = "female"
    MALE = "male"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class PersonalDetails:
    """All of it is the user's to tell or not. `phone_number` is E.164; `version` 0 says that nothing was told yet."""

    display_name: str | None
    avatar_url: str | None
    birth_date: date | None
    gender: Gender | None
    phone_number: str | None
    version: int = 0

    def checked(self, today: date) -> "PersonalDetails":
        """The same in the form in which it is kept. Raises InvalidInput, or Refusals for several fields."""
        form = Form()
        name, avatar, birth, phone = self.display_name, self.avatar_url, self.birth_date, self.phone_number
        checked = replace(
            self,
            display_name=form.check(lambda: line(name or "", MAX_DISPLAY_NAME, ("displayName",)), "") if name else None,
            avatar_url=form.check(lambda: _picture(avatar or ""), "") if avatar else None,
            birth_date=form.check(lambda: _birth_date(birth, today), None),
            phone_number=form.check(lambda: japan.phone_number(phone or "", ("phoneNumber",)), "") if phone else None,
        )
        form.close()
        return checked


def _picture(typed: str) -> str:
    """An address that a browser can show without harm: no script, no inline data, no password."""
    url = line(typed, MAX_URL, ("avatarUrl",))
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc or " " in url:
        raise InvalidInput(key="image_address", field=("avatarUrl",))
    return url


def _birth_date(day: date | None, today: date) -> date | None:
    if day is not None and not OLDEST <= day <= today:
        raise InvalidInput(key="birth_date", field=("birthDate",))
    return day
