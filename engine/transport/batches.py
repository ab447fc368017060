"""Several operations in one request, as a JSON array: answered in one array, in the same order.

Each is an operation of its own: read, priced, counted and logged as if it had come alone, in a context of its own. They run one after
the other, so that none overtakes a mutation; side by side where none of them can be one. All of them share one deadline.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from engine.exchange import Answer, Request, invalid
from engine.execution import Executor
from engine.transport.http_request import ONE, BadRequest, checked

MOST = 10


class Batches:
    """Runs batches of so many operations at the most; of one, they are off.

    `following` makes the context of an operation from that of the request and that of the operation before.
    """

    def __init__(self, executor: Executor, following: Callable[[Any, Any], Any], most: int = MOST) -> None:
        self._executor = executor
        self._following = following
        self.most = most

    def operations(self, sent: list[Any]) -> list[Request | Answer]:
        """What was sent, each read or refused by itself. Raises BadRequest for what is no batch."""
        if self.most == 1:
            raise BadRequest(400, ONE)
        if not 0 < len(sent) <= self.most:
            raise BadRequest(400, f"A batch has 1 to {self.most} operations: this one has {len(sent)}.")
        return [_read(each) for each in sent]

    async def run(self, operations: Sequence[Request | Answer], context: Any) -> tuple[list[Answer], list[Any]]:
        """The answers, and the contexts that they came from, in which tokens may have been handed out."""
        deadline = self._executor.deadline()

        async def one(operation: Request | Answer, own: Any) -> Answer:
            if isinstance(operation, Answer):
                return operation
            return await self._executor.run(operation, own, deadline=deadline)

        if not any(isinstance(each, Request) and _may_change_something(each) for each in operations):
            contexts = [self._following(context, context) for _ in operations]
            return list(await asyncio.gather(*map(one, operations, contexts))), contexts
        answers, contexts = [], [context]
        for operation in operations:  # who got an identity by one operation has it in the next
            contexts.append(self._following(context, contexts[-1]))
            answers.append(await one(operation, contexts[-1]))
        return answers, contexts


def status_of(answers: Sequence[Answer]) -> tuple[int, dict[str, str]]:
    """Of the reply, with its headers: 200, unless all were refused for one reason that only HTTP can say."""
    statuses = {answer.status for answer in answers}
    if len(statuses) == 1 and (status := statuses.pop()) is not None:
        return status, answers[-1].headers
    return 200, {}


def _read(sent: Any) -> Request | Answer:
    try:
        return checked(sent)
    except BadRequest as error:
        return invalid(error.message)


def _may_change_something(operation: Request) -> bool:
    """A mutation has that word in it; what is named by an id may have, whatever text comes along with it."""
    return operation.document_id is not None or "mutation" in operation.query
