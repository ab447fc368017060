"""In which language to answer: `@inContext` of the operation, else `Accept-Language`, else Japanese."""

from functools import lru_cache

from domain.shared.languages import DEFAULT_LANGUAGE, Language

MAX_HEADER = 500
"""Characters of `Accept-Language` that are looked at: browsers send some fifty."""


def accepted(header: str | None) -> Language:
    """Of our languages the one that `Accept-Language` (RFC 9110, 12.5.4) likes best; equals go by their order in it.

    `*` is the default language. A range that cannot be read, or has weight 0, is no wish.
    """
    return _accepted(header[:MAX_HEADER]) if header else DEFAULT_LANGUAGE


@lru_cache(maxsize=256)  # browsers of one kind send the same
def _accepted(header: str) -> Language:
    best, weight = DEFAULT_LANGUAGE, 0.0
    for part in header.split(","):
        tag, _, parameters = part.partition(";")
        language = _language(tag.strip().lower())
        wish = _weight(parameters.strip().lower())
        if language is not None and wish > weight:
            best, weight = language, wish
    return best


def _language(tag: str) -> Language | None:
    """The language of a range such as `en-GB`."""
    if tag == "*":
        return DEFAULT_LANGUAGE
    try:
        return Language(tag.partition("-")[0])
    except ValueError:
        return None


def _weight(parameter: str) -> float:
    if not parameter:
        return 1.0
    name, _, value = parameter.partition("=")
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if name.strip() == "q" and 0 <= weight <= 1 else 0.0
