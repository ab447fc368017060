"""Relay global ids: opaque outside, a type and a UUID inside, checked for the type on the way in."""

import binascii
from base64 import urlsafe_b64decode
from binascii import b2a_base64
from collections.abc import Callable
from uuid import UUID

from domain.shared.refusals import NotFound

PREFIX_LENGTH = 64
MAX_IDS = 4_096
"""Of a type, that are kept, some 300 bytes each."""
URL_SAFE = bytes.maketrans(b"+/", b"-_")
"""RFC 4648, section 5."""


def encode(type_name: str, key: UUID) -> str:
    return _written(_prefix(type_name), key)


def encoder(type_name: str) -> Callable[[UUID], str]:
    """Makes the ids of a type: a page has hundreds of them, and most pages have the same."""
    return Encoded(type_name).__getitem__


class Encoded(dict[UUID, str]):
    """Ids of a type by their keys, each made once."""

    def __init__(self, type_name: str) -> None:
        super().__init__()
        self._prefix = _prefix(type_name)

    def __missing__(self, key: UUID) -> str:
        if len(self) >= MAX_IDS:
            self.clear()
        made = self[key] = _written(self._prefix, key)
        return made


def _prefix(type_name: str) -> bytes:
    return type_name.encode() + b":"


def _written(prefix: bytes, key: UUID) -> str:
    return b2a_base64(prefix + key.bytes, newline=False).translate(URL_SAFE, b"=").decode()


def decode(global_id: str) -> tuple[str, UUID] | None:
    """The type and key of an id; None when it is none of ours."""
    if len(global_id) > PREFIX_LENGTH:
        return None
    try:
        plain = urlsafe_b64decode(global_id + "=" * (-len(global_id) % 4))
        name, key = plain[:-17].decode("ascii"), plain[-16:]
    except (binascii.Error, ValueError):
        return None
    if plain[-17:-16] != b":" or not name or encode(name, UUID(bytes=key)) != global_id:
        return None
    return name, UUID(bytes=key)


def key_of(global_id: str, type_name: str, field: str) -> UUID:
    """The key of an id that has to be of a type. Raises NotFound: another type's id names nothing here."""
    decoded = decode(global_id)
    if decoded is None or decoded[0] != type_name:
        raise NotFound(key="id_not_found", type=type_name, field=(field,))
    return decoded[1]
