"""`torii explain`: runs an operation on a gateway and shows how it ran: which field loaded what, how many keys, how long."""

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

TIMEOUT_S = 30
BAR = 24
"""Characters that the whole run takes."""


class NotExplained(Exception):
    """Why there is nothing to show, and what to do about it."""


def document(source: str) -> str:
    """The text of a file; of standard input for `-`. Raises NotExplained."""
    if source == "-":
        return sys.stdin.read()
    try:
        return Path(source).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NotExplained(f"{source} cannot be read: {error}") from error


def answers(
    url: str, query: str, variables: str | None, operation: str | None, token: str | None, times: int
) -> list[dict[str, Any]]:
    """The answers to an operation sent so many times, each with its trace. Raises NotExplained."""
    try:
        given = json.loads(variables) if variables else {}
    except json.JSONDecodeError as error:
        raise NotExplained(f"--variables is not JSON: {error}") from error
    body = {"query": query, "variables": given, "operationName": operation, "extensions": {"trace": True}}
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    return [_traced(_answer(request)) for _ in range(times)]


def _answer(request: urllib.request.Request) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            text = response.read()
    except urllib.error.HTTPError as error:
        text = error.read()
    except OSError as error:
        raise NotExplained(
            f"no gateway answers at {request.full_url}: start one with `torii up`, or name it with --url"
        ) from error
    try:
        answer = json.loads(text)
    except ValueError as error:
        raise NotExplained(f"{request.full_url} does not answer in GraphQL") from error
    if not isinstance(answer, dict):
        raise NotExplained(f"{request.full_url} does not answer in GraphQL")
    return answer


def _traced(answer: dict[str, Any]) -> dict[str, Any]:
    if "data" not in answer:
        told = "; ".join(str(error.get("message")) for error in answer.get("errors") or [{"message": "no data"}])
        raise NotExplained(f"the operation did not run: {told}")
    if "trace" not in answer.get("extensions", {}):
        raise NotExplained("the gateway does not tell how it ran: in production it takes an admin's --token")
    return answer


def report(runs: list[dict[str, Any]]) -> Group:
    """How the last of some runs went, with the others' times beside it."""
    last = runs[-1]
    trace, cost = last["extensions"]["trace"], last["extensions"]["cost"]
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("step", no_wrap=True)
    for title in ("count", "at", "took"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("ms", no_wrap=True)
    for depth, span in _spans(trace["steps"], 0):
        is_load = span["kind"] == "load"
        name = Text("  " * depth + (f"load {span['name']}" if is_load else span["name"]), "cyan" if is_load else "")
        bar = Text(_bar(span, trace["tookMs"]), "cyan" if is_load else "dim")
        table.add_row(name, f"{span['count']:,}", f"{span['atMs']:.2f}", f"{span['tookMs']:.2f}", bar)
    took = ", ".join(f"{run['extensions']['trace']['tookMs']:.1f}" for run in runs)
    lines = [
        Text(f"ran by {trace['ranBy']}; {took} ms", "bold"),
        Text(f"cost {cost['actual']:,}, {cost['requested']:,} were asked for; {_loads(trace['steps'])} loads"),
    ]
    if last.get("errors"):
        lines.append(Text(f"{len(last['errors'])} errors, the first: {last['errors'][0]['message']}", "red"))
    if trace.get("omitted"):
        lines.append(Text(f"{trace['omitted']:,} more steps are not shown", "yellow"))
    return Group(*lines, table)


def _spans(spans: list[dict[str, Any]], depth: int) -> Iterator[tuple[int, dict[str, Any]]]:
    for span in spans:
        yield depth, span
        yield from _spans(span.get("inside", []), depth + 1)


def _loads(spans: list[dict[str, Any]]) -> int:
    return sum(span["kind"] == "load" for _, span in _spans(spans, 0))


def _bar(span: dict[str, Any], whole: float) -> str:
    """Where in the whole run a step lies: one character at least."""
    scale = BAR / whole if whole else 0
    begins = min(int(span["atMs"] * scale), BAR - 1)
    return " " * begins + "━" * max(1, min(int(span["tookMs"] * scale), BAR - begins))
