"""The languages in which the marketplace speaks to people."""

from enum import StrEnum


class Language(StrEnum):
    JA = "ja"
    EN = "en"


DEFAULT_LANGUAGE = Language.JA
"""Whoever asks for no language that we have is a shopper in Japan."""
