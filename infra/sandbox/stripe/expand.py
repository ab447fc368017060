"""`expand[]=latest_charge`: an object in place of its key (docs.stripe.com/expand)."""

from infra.sandbox.stripe.errors import ApiError, Json
from infra.sandbox.stripe.store import Transaction, public

MAX_DEPTH = 4


def expanded(tx: Transaction, body: Json, paths: list[str]) -> Json:
    """Raises ApiError for a path that names nothing."""
    for path in paths:
        steps = path.split(".")
        if len(steps) > MAX_DEPTH:
            raise ApiError(400, f"You can expand at most {MAX_DEPTH} levels deep.", param="expand")
        _expand(tx, body, steps, path)
    return body


def _expand(tx: Transaction, body: Json, steps: list[str], path: str) -> None:
    name, *rest = steps
    if name not in body:
        raise ApiError(400, f"This property cannot be expanded ({path}).", param="expand")
    value = body[name]
    if isinstance(value, str):
        found = tx.any_of(value)
        if found is None:
            raise ApiError(400, f"This property cannot be expanded ({path}).", param="expand")
        value = body[name] = public(found)
    for each in value if isinstance(value, list) else [value]:
        if rest and isinstance(each, dict):
            _expand(tx, each, rest, path)
