"""What somebody who means harm may send, and what each costs us: `python -m bench.hostile`.

Each is sent to the HTTP endpoint in this process, without a socket, while another task measures how long the event loop
leaves it waiting. tests/engine/test_limits.py holds the same requests to their bounds.
"""

import asyncio
import gc
import statistics
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import get_introspection_query
from rich.console import Console
from rich.table import Table

from engine.execution import Executor
from engine.policy import Policy
from engine.reading.bounds import Limits
from engine.transport.asked import Asked
from engine.transport.http import GraphQLHTTP
from schema.build import build_schema

INTROSPECTION = get_introspection_query(input_value_deprecation=True)
FULL_TYPE = INTROSPECTION[INTROSPECTION.index("fragment FullType") :]
"""The part of it that is asked of each type."""

TIMES = 7
TICK_S = 0.001
MB = 1024 * 1024

Send = Callable[[bytes], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Hostile:
    """A body and the code with which it is refused."""

    body: bytes
    code: str


@dataclass(frozen=True, slots=True)
class Found:
    """Of a request sent a few times: its times, the loop's longest pauses, memory at its highest and what stayed.

    `cpu_ms` and `stretch_ms` are those of the fastest time, which a busy machine disturbs least; `stretch_ms` is the longest
    pause in CPU of this process, with what its other threads take.
    """

    code: str | None
    cpu_ms: float
    median_ms: float
    worst_ms: float
    pause_ms: float
    stretch_ms: float
    peak_mb: float
    kept_kb: float


def _document(text: str, code: str, **variables: Any) -> Hostile:
    return Hostile(orjson.dumps({"query": text, "variables": variables}), code)


def _variables(raw: bytes, code: str) -> Hostile:
    return Hostile(b'{"query":"query($a:[ID!]!){nodes(ids:$a){id}}","variables":{"a":' + raw + b"}}", code)


def _chain(links: int, times: int, inner: str) -> str:
    """Fragments of which each spreads the next a few times."""
    spreads = [f"fragment F{n} on Query {{ {f'...F{n + 1} ' * times} }}" for n in range(links)]
    return "{ ...F0 } " + " ".join(spreads) + f" fragment F{links} on Query {{ {inner} }}"


def _nested(field: str, depth: int) -> str:
    return f"{field} {{ " * depth + "id" + " }" * depth


def _fragments(outer: int, field: str, of: str, inner: int, leaf: str) -> str:
    """The same inline fragment so many times, with another in it so many times."""
    return f"... on Query {{ {field} {{ {f'... on {of} {{ {leaf} }} ' * inner} }} }} " * outer


def hostile() -> Mapping[str, Hostile]:
    """By a name that says what is wrong with it."""
    page = "products(first: 1) { nodes {"
    number = "query($n: Int) { products(first: $n) { nodes { id } } }"
    return {
        "document of 65 KB": _document("#" + "x" * 65_600 + "\n{ __typename }", "DOCUMENT_SIZE_LIMIT_EXCEEDED"),
        "document of 2 MB": _document("{" + " a" * 1_000_000 + "}", "DOCUMENT_SIZE_LIMIT_EXCEEDED"),
        "6,000 tokens": _document("{" + " a" * 6_000 + "}", "TOKEN_LIMIT_EXCEEDED"),
        "6,000 comments": _document("#\n" * 6_000 + "{ __typename }", "TOKEN_LIMIT_EXCEEDED"),
        "60,000 marks": _document("{" * 60_000, "TOKEN_LIMIT_EXCEEDED"),
        "unclosed block strings": _document('"""' * 21_000, "TOKEN_LIMIT_EXCEEDED"),
        "a number of 65,000 digits": _document(
            "{ products(first: " + "1" * 65_000 + ") { nodes { id } } }", "DIGIT_LIMIT_EXCEEDED"
        ),
        "a string of 40,000 line breaks": _document(
            '{ brand(id: """' + "\n" * 40_000 + '""") { nam } }', "LINE_LIMIT_EXCEEDED"
        ),
        "60,000 lines": _document("\n" * 60_000 + "{ nam }", "LINE_LIMIT_EXCEEDED"),
        "20 unknown fields below 4,990 lines": _document(
            "\n" * 4_990 + "{ " + " ".join(f"nam{n}" for n in range(20)) + " }", "GRAPHQL_VALIDATION_FAILED"
        ),
        "65 brackets": _document("{ a" * 65 + "}" * 65, "NESTING_LIMIT_EXCEEDED"),
        "2,000 lists in lists": _document("{ a(b: " + "[" * 2_000 + "]" * 2_000 + ") }", "NESTING_LIMIT_EXCEEDED"),
        "category in category": _document("{ category { " + _nested("parent", 15) + " } }", "DEPTH_LIMIT_EXCEEDED"),
        "depth through fragments": _document(
            "{ category { ...A } } fragment A on Category { "
            + _nested("parent", 6)[:-12]
            + "...B"
            + " }" * 6
            + " } fragment B on Category { "
            + _nested("parent", 9)
            + " }",
            "DEPTH_LIMIT_EXCEEDED",
        ),
        "51 aliases": _document("{ " + " ".join(f"a{n}: __typename" for n in range(51)) + " }", "ALIAS_LIMIT_EXCEEDED"),
        "aliases times spreads": _document(
            f"{{ {page} {'...F ' * 26} }} }} }} fragment F on Product {{ a: id b: id }}", "ALIAS_LIMIT_EXCEEDED"
        ),
        "21 root fields": _document("{ " + "cart { version } " * 21 + "}", "ROOT_FIELD_LIMIT_EXCEEDED"),
        "root fields in fragments": _document(
            "{ ...F ... on Query { ...F } ...F } fragment F on Query {" + " __typename" * 8 + "}",
            "ROOT_FIELD_LIMIT_EXCEEDED",
        ),
        "51 directives on a field": _document("{ __typename" + " @a" * 51 + " }", "DIRECTIVE_LIMIT_EXCEEDED"),
        "directives times spreads": _document(
            f"{{ {page} {'...F ' * 18} }} }} }} fragment F on Product {{ id @skip(if: false) @skip(if: false) @a }}",
            "DIRECTIVE_LIMIT_EXCEEDED",
        ),
        "4,900 fields": _document("{" + " a" * 4_900 + "}", "FIELD_LIMIT_EXCEEDED"),
        "fields times spreads": _document(
            "{ brands { nodes { id } } "
            + " ".join(f"... on Query {{ categories {{ path {{ ...F{n % 2} }} }} }}" for n in range(15))
            + "} fragment F0 on Category { "
            + " ".join(f"parent {{ id name slug children {{ {'id ' * 20} }} }}" for _ in range(4))
            + " } fragment F1 on Category { "
            + " ".join(f"parent {{ id name slug children {{ {'id ' * 20} }} }}" for _ in range(4))
            + " }",
            "FIELD_LIMIT_EXCEEDED",
        ),
        "201 fields in one place": _document(
            "{ " + page + " ".join(["id name slug sku"] * 51) + " } } }", "BREADTH_LIMIT_EXCEEDED"
        ),
        "51 times the same field": _document(f"{{ {page} {'id ' * 51} }} }} }}", "REPETITION_LIMIT_EXCEEDED"),
        "fields that overlap level by level": _document(
            f"{{ {page} {('category { ' + 'parent { id name } ' * 8 + '} ') * 8} }} }} }}", "REPETITION_LIMIT_EXCEEDED"
        ),
        "repeated inline fragments": _document(
            "{ " + "... on Query { __typename } " * 201 + "}", "FRAGMENT_LIMIT_EXCEEDED"
        ),
        # The shapes of CVE-2026-75507: validation compares each pair of what inline fragments of two levels have below them.
        "inline fragments, 200 of 100 each": _document(
            "{ " + _fragments(200, "cart", "Cart", 100, "version") + " }", "DOCUMENT_SIZE_LIMIT_EXCEEDED"
        ),
        "inline fragments, 20 of 20 each": _document(
            "{ " + _fragments(20, "cart", "Cart", 20, "version") + " }", "FRAGMENT_LIMIT_EXCEEDED"
        ),
        "inline fragments, 13 of 13 each": _document(
            "{ " + _fragments(13, "cart", "Cart", 13, "version") + " }", "REPETITION_LIMIT_EXCEEDED"
        ),
        "inline fragments, 1,600": _document("{ " + "... { a } " * 1_600 + "}", "TOKEN_LIMIT_EXCEEDED"),
        "inline fragments in each other": _document(
            "{ " + "... { " * 62 + "a" + " }" * 63, "GRAPHQL_VALIDATION_FAILED"
        ),
        "30 fragments, each twice the next": _document(_chain(30, 2, "__typename"), "ROOT_FIELD_LIMIT_EXCEEDED"),
        "fragments of no end": _document(_chain(60, 3, "cart { version }"), "ROOT_FIELD_LIMIT_EXCEEDED"),
        "a fragment in itself": _document("{ ...A } fragment A on Query { ...A }", "FRAGMENT_CYCLE"),
        "fragments in a circle": _document(
            "{ __typename } " + " ".join(f"fragment F{n} on Query {{ ...F{(n + 1) % 99} }}" for n in range(99)),
            "FRAGMENT_CYCLE",
        ),
        "two fragments of one name, one in a circle": _document(
            "{ ...A } fragment A on Query { __typename } fragment A on Query { ...A }", "FRAGMENT_CYCLE"
        ),
        "1,001 ids in the document": _document(
            "{ nodes(ids: [" + '"x" ' * 1_001 + "]) { id } }", "LIST_LIMIT_EXCEEDED"
        ),
        "1,001 ids in variables": _variables(b"[" + b'"x",' * 1_000 + b'"x"]', "LIST_LIMIT_EXCEEDED"),
        "lists in lists in variables": _variables(b"[" * 500 + b"]" * 500, "INPUT_DEPTH_LIMIT_EXCEEDED"),
        "an object of 18,000 unknown fields": _document(
            "mutation($i: AddressCreateInput!) { addressCreate(input: $i) { userErrors { code } } }",
            "OBJECT_LIMIT_EXCEEDED",
            i={f"k{n}": "v" for n in range(18_000)},
        ),
        "an object of 1,200 unknown fields in the document": _document(
            "mutation { addressCreate(input: {"
            + " ".join(f'k{n}: "v"' for n in range(1_200))
            + "}) { userErrors { code } } }",
            "OBJECT_LIMIT_EXCEEDED",
        ),
        "an object of 200 unknown fields": _document(
            "mutation($i: AddressCreateInput!) { addressCreate(input: $i) { userErrors { code } } }",
            "GRAPHQL_VALIDATION_FAILED",
            i={f"k{n}": "v" for n in range(200)},
        ),
        "lists that multiply": _document(
            "{ products(first: 100) { nodes { reviews(first: 100) { nodes { author { displayName } } } } } }",
            "COST_LIMIT_EXCEEDED",
        ),
        "a page of 2 billion": _document(
            "query($n: Int) { products(first: $n) { nodes { seller { id } } } }", "COST_LIMIT_EXCEEDED", n=2**31 - 1
        ),
        "the schema in the schema": _document(
            "{ __schema { types { " + "fields { type { " * 5 + "name" + " } }" * 5 + " } } }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        "introspection, four times over": _document(
            "{ " + " ".join(f"a{n}: __schema {{ types {{ ...FullType }} }}" for n in range(4)) + " } " + FULL_TYPE,
            "COST_LIMIT_EXCEEDED",
        ),
        "19 deep looks at types": _document(
            "{ "
            + " ".join(f"a{n}: __schema {{ types {{ fields {{ type {{ fields {{ name }} }} }} }} }}" for n in range(19))
            + " }",
            "COST_LIMIT_EXCEEDED",
        ),
        "the schema beside data": _document(
            "{ __schema { types { name } } products(first: 100) { nodes { id } } }", "INTROSPECTION_MIXED"
        ),
        "100 unknown keys of an input": _document(
            "mutation { cartItemAdd(input: {" + " ".join(f"a{n}: 1" for n in range(100)) + "}) { cart { version } } }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        "700,000 empty lists": _variables(b"[" + b"[]," * 690_000 + b"[]]", "REQUEST_SIZE_LIMIT_EXCEEDED"),
        "700,000 empty objects": _variables(b"[" + b"{}," * 690_000 + b"{}]", "REQUEST_SIZE_LIMIT_EXCEEDED"),
        "a million numbers": _variables(b"[" + b"1," * 1_000_000 + b"1]", "REQUEST_SIZE_LIMIT_EXCEEDED"),
        "700,000 empty strings": _variables(b"[" + b'"",' * 690_000 + b"1]", "REQUEST_SIZE_LIMIT_EXCEEDED"),
        "180,000 keys": _variables(
            b"{" + b",".join(b'"%d":0' % n for n in range(180_000)) + b"}", "REQUEST_SIZE_LIMIT_EXCEEDED"
        ),
        "2 MB of backslashes": _document(number, "GRAPHQL_VALIDATION_FAILED", n="\\" * 1_000_000),
        "2 MB of quotes": _document(number, "GRAPHQL_VALIDATION_FAILED", n='"' * 1_000_000),
        "2 MB of brackets": Hostile(b"[" * 2_000_000, "REQUEST_SIZE_LIMIT_EXCEEDED"),
        "2 MB of zeros": Hostile(b"\x00" * 2_000_000, "BAD_REQUEST"),
        "3 MB": Hostile(b" " * 3 * MB, "REQUEST_SIZE_LIMIT_EXCEEDED"),
        "1,000 unknown fields": _document(
            "{ " + page + " " + " ".join(f"nam{n}" for n in range(190)) + " } } }", "GRAPHQL_VALIDATION_FAILED"
        ),
    }


def sender(limits: Limits | None = None) -> Send:
    """Sends a body to an endpoint on the real schema, whose context is empty: what is refused needs none."""
    limits = limits or Limits()
    executor = Executor(build_schema()._schema, lambda *_: None, Policy(10.0, limits))

    async def no_context(_: Asked) -> None:
        return None

    endpoint = GraphQLHTTP(executor, no_context, limits)

    async def send(body: bytes) -> dict[str, Any]:
        scope = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b""}
        scope["headers"] = [(b"content-type", b"application/json")]
        chunks = [body[at : at + 65_536] for at in range(0, len(body), 65_536)]  # as a server hands them over
        sent: list[bytes] = []

        async def receive() -> dict[str, Any]:
            chunk = chunks.pop(0) if chunks else b""
            return {"type": "http.request", "body": chunk, "more_body": bool(chunks)}

        async def take(message: Any) -> None:
            sent.append(message.get("body", b""))

        await endpoint(scope, receive, take)
        answer: dict[str, Any] = orjson.loads(b"".join(sent))
        return answer

    return send


async def longest_pause(
    work: Awaitable[Any], clock: Callable[[], float] = time.perf_counter, tick_s: float = TICK_S
) -> float:
    """For how many seconds, at most, the event loop left a task waiting while this went on."""
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        while True:
            began = clock()
            try:
                await asyncio.sleep(TICK_S)
            finally:
                longest = max(longest, clock() - began - tick_s)

    ticking = asyncio.create_task(tick())
    await asyncio.sleep(2 * TICK_S)
    longest = 0.0
    await work
    ticking.cancel()
    with suppress(asyncio.CancelledError):
        await ticking
    return longest


async def longest_stretch(work: Awaitable[Any], clock: Callable[[], float] = time.thread_time) -> float:
    """The same in CPU of the event loop's thread: what others on a busy machine take does not count."""
    return await longest_pause(work, clock, 0)


async def measure(send: Send, body: bytes, times: int = TIMES) -> Found:
    """Times without, memory with tracing: tracing slows everything down."""
    answer = await send(body)
    walls, cpus, pauses, stretches = [], [], [], []
    for _ in range(times):
        began, cpu_began = time.perf_counter(), time.process_time()
        await send(body)
        cpus.append((time.process_time() - cpu_began) * 1e3)
        walls.append((time.perf_counter() - began) * 1e3)
        pauses.append(await longest_pause(send(body)) * 1e3)
        stretches.append(await longest_stretch(send(body), time.process_time) * 1e3)
    peak, kept = await memory(send, body)
    error = answer.get("errors", [{}])[0]
    return Found(
        error.get("extensions", {}).get("code"),
        min(cpus),
        statistics.median(walls),
        max(walls),
        statistics.median(pauses),
        min(stretches),
        peak / MB,
        kept / 1024,
    )


async def memory(send: Send, body: bytes) -> tuple[int, int]:
    """Bytes at the highest while a body is answered, and what five of them leave behind."""
    gc.collect()
    tracemalloc.start()
    try:
        await send(body)
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        await send(body)
        peak = tracemalloc.get_traced_memory()[1] - before
        for _ in range(4):
            await send(body)
        gc.collect()
        return peak, tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


async def main() -> None:
    send = sender()
    table = Table("request", "KB", "code", "median ms", "worst ms", "loop pause ms", "peak MB", "kept KB")
    for name, each in hostile().items():
        found = await measure(send, each.body)
        figures = (found.median_ms, found.worst_ms, found.pause_ms, found.peak_mb, found.kept_kb)
        wrong = "" if found.code == each.code else f" (not {each.code})"
        table.add_row(
            name, f"{len(each.body) / 1024:.0f}", f"{found.code}{wrong}", *(f"{figure:.1f}" for figure in figures)
        )
    Console(width=160).print(table)


if __name__ == "__main__":
    asyncio.run(main())
