"""Lists, newest first, and the search of payment intents."""

import re
from collections.abc import Callable, Sequence

from infra.sandbox.stripe.errors import ApiError, Json
from infra.sandbox.stripe.params import Params
from infra.sandbox.stripe.store import Transaction, public

Action = Callable[[Transaction], Json]
"""What a call does once its parameters are known to be right. Raises ApiError."""

MAX_LISTED = 100
CLAUSE = re.compile(
    r"""(?:metadata\[['"](?P<key>[\w.-]{1,40})['"]\]|(?P<field>status|currency|customer))\s*:\s*(['"])(?P<value>[^'"]*)\3"""
)
AND = re.compile(r"\s+AND\s+")


def listing(params: Params, kind: str, url: str, filters: Sequence[str] = ()) -> Action:
    """A list of a kind with Stripe's cursors and filters by equality of fields."""
    limit = params.integer("limit", least=1, most=MAX_LISTED) or 10
    after, before = params.text("starting_after"), params.text("ending_before")
    where: dict[str, object] = {name: value for name in filters if (value := params.text(name)) is not None}
    if "type" in filters and (types := params.strings("types")):
        where["type"] = types
    since = _since(params)
    params.done()
    if after and before:
        raise ApiError(400, "You can only use one of starting_after and ending_before.", param="ending_before")

    def act(tx: Transaction) -> Json:
        for name, cursor in (("starting_after", after), ("ending_before", before)):
            if cursor:
                tx.get(kind, cursor, name)
        found = tx.newest(kind, limit + 1, where=where, since=since, after=after, before=before)
        kept = found[:limit] if before is None else found[-limit:]
        return page([public(each) for each in kept], url, has_more=len(found) > limit)

    return act


def _since(params: Params) -> int | None:
    created = params.group("created")
    if created is None:
        return None
    since = created.integer("gte")
    created.unsupported("gt", "lt", "lte")
    created.done()
    return since


def page(data: list[Json], url: str, *, has_more: bool) -> Json:
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def searching(params: Params, kind: str, url: str) -> Action:
    """`metadata['order_id']:'1' AND status:'succeeded'`: equality, joined by AND. Stripe's lags by up to a minute; this does not."""
    query = params.needed("query")
    limit = params.integer("limit", least=1, most=MAX_LISTED) or 10
    params.unsupported("page")
    params.done()
    where = {}
    for clause in AND.split(query.strip()):
        matched = CLAUSE.fullmatch(clause)
        if matched is None:
            raise ApiError(400, f"This sandbox cannot search for: {clause}", param="query")
        path = f'metadata."{matched["key"]}"' if matched["key"] else matched["field"]
        where[INDEXED.get(path, path)] = matched["value"]

    def act(tx: Transaction) -> Json:
        found = tx.newest(kind, limit + 1, where=where)
        data = [public(each) for each in found[:limit]]
        more = len(found) > limit
        return {"object": "search_result", "data": data, "has_more": more, "next_page": None, "url": url}

    return act


INDEXED = {'metadata."order_id"': "metadata.order_id"}
"""Written as the index over it is."""


def retrieving(params: Params, kind: str, key: str, param: str = "id") -> Action:
    params.done()
    return lambda tx: public(tx.get(kind, key, param))
