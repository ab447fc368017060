"""Form bodies as Stripe takes them: `metadata[order_id]=1`, `expand[]=customer`, `items[0][price]=2`."""

import re
from typing import Any
from urllib.parse import parse_qsl

from infra.sandbox.stripe.errors import ApiError, Json

NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
MAX_FIELDS = 1_000
MAX_DEPTH = 8


def decode(text: str) -> Json:
    """Nested dicts of strings, and of lists of strings where names end with `[]`. Raises ApiError."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError as error:
        raise ApiError(400, f"Invalid request: {error}") from error
    values: Json = {}
    for name, value in pairs:
        _put(values, _path(name), value, name)
    return values


def _path(name: str) -> list[str]:
    matched = NAME.fullmatch(name)
    if matched is None:
        raise ApiError(400, f"Invalid parameter name: {name}", param=name)
    path = [matched[1], *re.findall(r"\[([^\[\]]*)\]", matched[2])]
    if len(path) > MAX_DEPTH:
        raise ApiError(400, "Parameters are nested too deeply.", param=name)
    return path


def _put(values: Json, path: list[str], value: str, name: str) -> None:
    *way, last = path
    if way and last == "":
        *way, last = way
        found: Any = _group(values, way, name).setdefault(last, [])
        if isinstance(found, list):
            found.append(value)
            return
        raise ApiError(400, f"Invalid array: {name}", param=name)
    group = _group(values, way, name)
    if isinstance(group.get(last), (dict, list)):
        raise ApiError(400, f"Invalid parameter: {name}", param=name)
    group[last] = value


def _group(values: Json, way: list[str], name: str) -> Json:
    for step in way:
        inner = values.setdefault(step, {})
        if not isinstance(inner, dict):
            raise ApiError(400, f"Invalid object: {name}", param=name)
        values = inner
    return values
