"""Kinds of value that settings have."""

from urllib.parse import urlsplit

from pydantic import SecretStr


def listed(value: str) -> list[str]:
    """What a comma-separated setting names."""
    return [each.strip() for each in value.split(",") if each.strip()]


def is_address(value: str, kinds: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in kinds and bool(parts.hostname or parts.query) and parts.port != 0
    except ValueError:
        return False


def check_web_address(value: str) -> str:
    """Raises ValueError for what is neither empty nor an address."""
    if value and not is_address(value, ("http", "https")):
        raise ValueError("an address has the form http://host:port")
    return value


def plain(value: SecretStr | str) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value
