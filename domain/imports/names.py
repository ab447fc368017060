"""Descriptions as names: the file writes them by hand, mostly in capitals, with stray spaces and the odd note."""

import re
import string

MAX_NAME = 200
MIN_LETTERS = 3


def name_of(description: str | None) -> str | None:
    """A description as shoppers see it, or None if it names nothing ('?', '---', '21733').

    Spaces are tidied; what is all capitals becomes 'White Hanging Heart T-light Holder'; the rest stays as it is.
    """
    if description is None:
        return None
    printable = "".join(character if character.isprintable() else " " for character in description)
    name = " ".join(printable.split())[:MAX_NAME].rstrip()
    if sum(character.isalpha() for character in name) < MIN_LETTERS:
        return None
    return string.capwords(name) if name.isupper() else name


def slug_of(name: str, stock_code: str) -> str:
    """Lower-case ASCII; unique within the shop by its stock code."""
    words = re.findall(r"[a-z0-9]+", name.casefold())
    return "-".join([*words, stock_code])
