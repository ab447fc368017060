"""Whether two documents say the same, without having both."""

from dataclasses import fields
from hashlib import blake2b

from domain.search.model import SearchDocument

NOTHING = 0
"""Of what nobody finds."""
_NAMES = tuple(each.name for each in fields(SearchDocument) if each.name not in ("version", "revision"))


def fingerprint(document: SearchDocument) -> int:
    """63 bits of all that a document says; versions are not part of it."""
    if not document.is_public:
        return NOTHING
    said = repr([getattr(document, name) for name in _NAMES])
    return int.from_bytes(blake2b(said.encode("utf-8", "surrogatepass"), digest_size=8).digest()) >> 1
