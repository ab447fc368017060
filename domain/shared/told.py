"""One message in every language that people are told things in."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.shared.languages import Language


@dataclass(frozen=True, slots=True)
class Text:
    """What stands in braces are arguments."""

    en: str
    ja: str

    def told(self, language: Language, arguments: Mapping[str, object]) -> str:
        return str(getattr(self, language.value)).format(**arguments)
