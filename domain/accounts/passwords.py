"""What a password has to have. The user pool asks the same; this says it before anything is asked of the pool.

It has to be said first: a pool that looks up the address before it looks at the password would tell whose addresses it knows.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum

MIN_LENGTH = 8
MAX_LENGTH = 256
SYMBOLS = frozenset("^$*.[]{}()?\"!@#%&/\\,><':;|_~`=+- ")
"""Source: Amazon Cognito developer guide, "Password policies". A space counts inside, not at an end."""


class PasswordRule(StrEnum):
    LENGTH = "LENGTH"
    LETTER = "LETTER"
    DIGIT = "DIGIT"
    SYMBOL = "SYMBOL"


RULES: Mapping[PasswordRule, Callable[[str], bool]] = {
    PasswordRule.LENGTH: lambda text: MIN_LENGTH <= len(text) <= MAX_LENGTH,
    PasswordRule.LETTER: lambda text: any("a" <= each <= "z" for each in text),
    PasswordRule.DIGIT: lambda text: any("0" <= each <= "9" for each in text),
    PasswordRule.SYMBOL: lambda text: any(each in SYMBOLS for each in text.strip(" ")),
}


def missing(password: str) -> tuple[PasswordRule, ...]:
    """The rules that a password breaks."""
    return tuple(rule for rule, holds in RULES.items() if not holds(password))
