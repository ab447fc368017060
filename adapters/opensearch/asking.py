"""How OpenSearch is asked: of a state of the index that can be paged through, or of what is there now; several questions in
one request."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from opensearchpy.exceptions import ConnectionError as NoConnection
from opensearchpy.exceptions import NotFoundError, TransportError

from adapters.opensearch.client import OUTAGE_STATUSES, Client
from adapters.opensearch.snapshots import Snapshots, State
from domain.shared.refusals import Unavailable

Body = Mapping[str, Any]
Answers = Sequence[Mapping[str, Any]]
"""One to each question."""

_NOT_FOUND = 404


class Asking:
    """`timeout_ms`: after so long the server stops working on a question, too."""

    def __init__(self, client: Client, snapshots: Snapshots, alias: str, timeout_ms: int) -> None:
        self._client = client
        self._snapshots = snapshots
        self._alias = alias
        self._limit = {"cancel_after_time_interval": f"{timeout_ms}ms"}

    async def of_state(self, name: str, bodies: Sequence[Body]) -> tuple[State, Answers] | None:
        """Of the state that is named while it is kept, else of the latest; None while there is no index.

        Raises Unavailable.
        """
        async with self._client.answering() as api:
            state = await self._snapshots.named(name, api)
            answers = None if state is None else await self._answers(api, state, bodies, is_named=state.name == name)
            if state is not None and answers is None:  # its time is over: on in the latest
                self._snapshots.expire()
                state = await self._snapshots.latest(api)
                answers = None if state is None else await self._answers(api, state, bodies, is_named=False)
        if state is None:
            return None
        if answers is None:
            raise Unavailable("search")
        return state, answers

    async def now(self, bodies: Sequence[Body]) -> Answers | None:
        """Of what is there now, kept for nobody; None while there is no index. Raises Unavailable."""
        async with self._client.answering() as api:
            try:
                return await self._sent(api, {"index": self._alias}, bodies)
            except NotFoundError:
                return None

    async def _answers(self, api: Any, state: State, bodies: Sequence[Body], *, is_named: bool) -> Answers | None:
        """None when that state is kept no longer."""
        here = {} if "pit" in state.place else {"index": self._alias}
        try:
            return await self._sent(api, here, [{**each, **state.place} for each in bodies])
        except NotFoundError:
            return None
        except NoConnection:
            raise
        except TransportError:  # of any status: a state that somebody made up must not look like an outage
            if not is_named:
                raise
            return None

    async def _sent(self, api: Any, here: Mapping[str, str], bodies: Sequence[Body]) -> Answers:
        """Raises TransportError, of one question like of all."""
        if len(bodies) == 1:
            return [await api.search(body=bodies[0], params=self._limit, **here)]
        head = orjson.dumps({**here, **self._limit})
        lines = [line for each in bodies for line in (head, orjson.dumps(each))]
        answers: Answers = (await api.msearch(body=b"\n".join(lines)))["responses"]
        for each in answers:
            if "error" in each:
                raise _error(each)
        return answers


def _error(answer: Mapping[str, Any]) -> Exception:
    """As if it had been asked alone."""
    status, kind = answer.get("status", 500), str(answer["error"].get("type", ""))
    if status in OUTAGE_STATUSES:
        return Unavailable("search")
    return (NotFoundError if status == _NOT_FOUND else TransportError)(status, kind, answer)
