"""Answers as clients read them."""

from typing import Any

import orjson
from graphql import ExecutionResult

from engine.fragments.rendered import written


def read(data: Any) -> Any:
    """The data of an answer, written and read again: plans give it in rows."""
    return orjson.loads(orjson.dumps(data, default=written))


def read_result(result: ExecutionResult) -> ExecutionResult:
    return ExecutionResult(read(result.data), result.errors, result.extensions)
