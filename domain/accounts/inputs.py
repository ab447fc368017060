"""What people type, brought into shape before the user pool sees it. Refusals never quote it."""

import json
import re

from domain.accounts.passwords import missing
from domain.accounts.refusals import InvalidCode, WeakPassword
from domain.shared.refusals import InvalidInput

MAX_ADDRESS = 254
"""RFC 5321, 4.5.3.1.3, less the brackets."""
MAX_SECRET = 8 * 1024
"""Characters of a token or a session of a challenge; Cognito's have some 1,900."""
MAX_CODE = 64

_ADDRESS = re.compile(r"[^@\s\x00-\x1f]+@[^@\s.\x00-\x1f]+(\.[^@\s.\x00-\x1f]+)+")


def address(typed: str) -> str:
    """A mail address in lower case: nobody has two that differ in case alone. Raises InvalidInput."""
    trimmed = typed.strip()
    if len(trimmed) > MAX_ADDRESS or not _ADDRESS.fullmatch(trimmed):
        raise InvalidInput(key="email_address", field=("email",))
    return trimmed.lower()


def new_password(typed: str, field: str = "password") -> str:
    """Raises WeakPassword."""
    broken = missing(typed)
    if broken:
        raise WeakPassword(broken, field=field)
    return typed


def code(typed: str) -> str:
    """Raises InvalidCode."""
    trimmed = typed.strip()
    if not 0 < len(trimmed) <= MAX_CODE or not trimmed.isprintable() or " " in trimmed:
        raise InvalidCode
    return trimmed


def secret(sent: str, field: str) -> str:
    """A token, a session or an old password: anything but nothing and too much. Raises InvalidInput."""
    if not 0 < len(sent) <= MAX_SECRET:
        raise InvalidInput(key="length", field=(field,), least=1, most=MAX_SECRET)
    return sent


def json_object(sent: str, field: str) -> str:
    """JSON of a browser's credential, as it came. Raises InvalidInput."""
    secret(sent, field)
    try:
        is_object = isinstance(json.loads(sent), dict)
    except (ValueError, RecursionError):
        is_object = False
    if not is_object:
        raise InvalidInput(key="credential_json", field=(field,))
    return sent
