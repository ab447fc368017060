"""Shadow runs: graphql-core says the same as plans did, and asks for nothing again."""

import asyncio
import logging
from typing import Any

import pytest
from graphql import ExecutionResult, parse

from engine.compiled.engine import Engine
from engine.compiled.shadow import Shadow
from tests.engine.test_compiled import SCHEMA, Runner

DOCUMENT = parse("query Named { a }")


def runner(text: str) -> Runner:
    runner = Runner(text)
    runner.engine = Engine(SCHEMA, compile_at=1, shadow=Shadow(1, pause_s=0))
    return runner


async def test_a_query_is_run_once_more_from_what_was_loaded() -> None:
    shadowed = runner("{ things(first: 4) { label maker { name } tags } }")
    await shadowed.run()
    await shadowed.engine.shadow.settled()
    assert (shadowed.engine.shadow.compared.same, shadowed.engine.shadow.compared.different) == (1, 0)
    assert shadowed.context.calls == ["things", [0, 1]], "once"


async def test_a_mutation_is_never_run_again() -> None:
    shadowed = runner('mutation { make(name: "new") { name } }')
    await shadowed.run()
    await shadowed.engine.shadow.settled()
    assert shadowed.engine.shadow.compared.same == 0
    assert shadowed.context.calls == ["make new"]


async def test_no_query_is_run_again_unless_asked_for() -> None:
    plain = Runner("{ things { id } }")
    await plain.run()
    await plain.engine.shadow.settled()
    assert plain.engine.shadow.compared.same == 0


@pytest.mark.parametrize(
    "said",
    [ExecutionResult({"a": 2}, None), ExecutionResult({"b": 2, "a": 1}, None), ExecutionResult(None, [Exception()])],  # type: ignore[list-item]
)
async def test_a_difference_is_counted_and_logged_without_what_was_in_it(
    said: ExecutionResult, caplog: pytest.LogCaptureFixture
) -> None:
    shadow = Shadow(1, pause_s=0)

    async def rerun() -> ExecutionResult:
        return said

    with caplog.at_level(logging.ERROR, "torii.engine"):
        shadow.compare(DOCUMENT, "Named", {"a": 1, "b": 2}, rerun)
        await shadow.settled()
    assert (shadow.compared.same, shadow.compared.different) == (0, 1)
    [record] = caplog.records
    fields: Any = record.fields  # type: ignore[attr-defined]
    assert fields["operation"] == "Named"
    assert len(fields["document"]) == 64


async def test_one_at_a_time() -> None:
    shadow = Shadow(1, pause_s=0)
    gate = asyncio.Event()

    async def rerun() -> ExecutionResult:
        await gate.wait()
        return ExecutionResult({"a": 1}, None)

    assert shadow.takes_next()
    shadow.compare(DOCUMENT, None, {"a": 1}, rerun)
    assert not shadow.takes_next()
    shadow.compare(DOCUMENT, None, {"a": 1}, rerun)
    gate.set()
    await shadow.settled()
    assert shadow.compared.same == 1
