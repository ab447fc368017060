"""The load generator against a gateway of a few lines, whose answers are known."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import pytest

from bench.generator import Plan, percentile, run
from bench.operations import WrongAnswer

ALIVE = b'{"status":"alive"}'
QUICK = {"operation": "health", "variables": [{}], "warm_up_s": 0.05, "seconds": 0.2, "max_requests": 1_000_000}


@asynccontextmanager
async def gateway(answers: Sequence[tuple[int, bytes]]) -> AsyncIterator[int]:
    """A port on which these are the answers in turn; the last one from then on."""
    coming, served = iter(answers), []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            status, body = next(coming, answers[-1])
            writer.write(f"HTTP/1.1 {status} Fine\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)

    async def until_gone(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(asyncio.current_task())
        with suppress(asyncio.IncompleteReadError, ConnectionResetError):
            await serve(reader, writer)
        writer.close()

    server = await asyncio.start_server(until_gone, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        await asyncio.wait(served)  # they end when the generator has closed its connections


async def test_counts_what_was_answered_while_the_time_ran() -> None:
    async with gateway([(200, ALIVE)]) as port:
        load = await run(Plan(port=port, connections=4, **QUICK))
    assert load.requests > 100
    assert 0.2 <= load.seconds < 1
    assert 0 < load.latency_ms["p50"] <= load.latency_ms["p95"] <= load.latency_ms["p99"] < 200
    assert load.answer_bytes == len(ALIVE)
    assert (load.busy("generator") or 0) > 0


async def test_stops_after_enough_requests() -> None:
    async with gateway([(200, ALIVE)]) as port:
        load = await run(Plan(port=port, connections=2, **QUICK | {"max_requests": 50, "seconds": 30}))
    assert 50 <= load.requests <= 60
    assert load.seconds < 5


async def test_sends_no_more_than_are_due() -> None:
    async with gateway([(200, ALIVE)]) as port:
        load = await run(Plan(port=port, connections=4, per_second=200, **QUICK | {"seconds": 0.5}))
    assert 10 <= load.requests <= 0.5 * 200 + 4


async def test_what_is_late_is_late_from_when_it_was_due() -> None:
    async with gateway([(200, ALIVE)]) as port:
        load = await run(Plan(port=port, connections=1, per_second=1e6, **QUICK))
    assert load.latency_ms["p99"] > 50


@pytest.mark.parametrize(
    ("answer", "why"), [((200, b'{"status":"draining"}'), "draining"), ((503, b"away"), "status 503: b'away'")]
)
async def test_gives_up_at_the_first_wrong_answer(answer: tuple[int, bytes], why: str) -> None:
    async with gateway([*[(200, ALIVE)] * 20, answer, (200, ALIVE)]) as port:
        with pytest.raises(WrongAnswer, match=why):
            await run(Plan(port=port, connections=2, **QUICK))


def test_percentiles_are_values_that_were_measured() -> None:
    ordered = [float(each) for each in range(1, 101)]
    assert [percentile(ordered, share) for share in (0.5, 0.95, 0.99)] == [50, 95, 99]
    assert percentile([7.0], 0.5) == 7
