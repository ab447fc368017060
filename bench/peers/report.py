"""What was compared, as tables and as JSON; and what it says of the goals."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from bench import report as ours
from bench.generator import Load
from bench.operations import SQL, Lookups
from bench.parts import OTHERS
from bench.peers import servers
from bench.peers.comparing import SERVER, Measured
from bench.peers.operations import FEED, LISTING, OPERATIONS, SMALL
from bench.peers.packages import NODE_DIR
from bench.peers.servers import SERVERS, TITLES, Kind

NODE_PEERS = tuple(server.name for server in SERVERS if server.kind is Kind.NODE)
FORMS = {"x": "{:.2f} x", "µs": "{:.0f} µs", "": "{:.0f}"}
NOISY = 0.2
"""Cores that other programs may use before figures are said to be disturbed; the servers that wait use some, too."""


@dataclass(frozen=True, slots=True)
class Goal:
    """`measured` is a multiple of what `of` says, or so many `unit`; None where that was not measured."""

    what: str
    guard: str
    goal: float
    unit: str
    of: str
    measured: float | None

    @property
    def is_met(self) -> bool | None:
        return None if self.measured is None else self.measured <= self.goal


@dataclass(frozen=True, slots=True)
class Figures:
    """One server and one operation: its best round, and the CPU a request of each round."""

    server: str
    operation: str
    cpu_ms: float
    of_best_node_peer: float | None
    best: Load
    cpu_ms_by_round: Sequence[float]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that one run found."""

    at: datetime
    commit: str
    machine: str
    pinned: bool
    versions: Mapping[str, str]
    options: Mapping[str, object]
    figures: Sequence[Figures]
    goals: Sequence[Goal]
    lookups: Lookups


class Costs:
    """CPU a request in milliseconds, by server and operation."""

    def __init__(self, found: Sequence[Measured]) -> None:
        self._of = {(each.server, each.operation): each.cpu_ms for each in found}

    def of(self, server: str, operation: str) -> float | None:
        return self._of.get((server, operation))

    def best_node_peer(self, operation: str) -> float | None:
        known = [cost for name in NODE_PEERS if (cost := self.of(name, operation)) is not None]
        return min(known, default=None)

    def ratio(self, server: str, operation: str, base: float | None) -> float | None:
        cost = self.of(server, operation)
        return None if cost is None or not base else cost / base

    def above(self, server: str, base: str, operation: str) -> float | None:
        """Microseconds."""
        cost, floor = self.of(server, operation), self.of(base, operation)
        return None if cost is None or floor is None else (cost - floor) * 1000


def report(found: Sequence[Measured], lookups: Lookups, pinned: bool, options: Mapping[str, object]) -> Report:
    costs = Costs(found)
    figures = [
        Figures(
            each.server,
            each.operation,
            each.cpu_ms,
            costs.ratio(each.server, each.operation, costs.best_node_peer(each.operation)),
            each.best,
            [load.cpu_s[SERVER] * 1000 / load.requests for load in each.rounds],
        )
        for each in found
    ]
    reached = [*goals(costs), *statements(lookups)]
    return Report(
        datetime.now(UTC), ours.commit(), ours.machine(), pinned, versions(), options, figures, reached, lookups
    )


def goals(costs: Costs) -> list[Goal]:
    """Those of them that a comparison of servers can tell of."""
    node, mercurius = "the best Node peer", TITLES[servers.MERCURIUS]
    of_node = {name: costs.best_node_peer(name) for name in OPERATIONS}
    jit, redis = costs.of(servers.MERCURIUS, LISTING), costs.of(servers.FROM_REDIS, FEED)
    found = []
    for guard, cold, warm in (("off", servers.COLD_OFF, servers.WARM_OFF), ("on", servers.COLD_ON, servers.WARM_ON)):
        found += [
            Goal("feed, nothing cached", guard, 0.95, "x", node, costs.ratio(cold, FEED, of_node[FEED])),
            Goal("feed, warm", guard, 0.2, "x", node, costs.ratio(warm, FEED, of_node[FEED])),
            Goal("feed, warm", guard, 1.5, "x", TITLES[servers.FROM_REDIS], costs.ratio(warm, FEED, redis)),
            Goal("list of 50 x 8, nothing cached", guard, 1.0, "x", mercurius, costs.ratio(cold, LISTING, jit)),
            Goal("list of 50 x 8, warm", guard, 1.0, "x", mercurius, costs.ratio(warm, LISTING, jit)),
        ]
    small: Callable[[str], float | None] = lambda name: costs.above(name, servers.FROM_MEMORY, SMALL)  # noqa: E731
    floor = "above bare ASGI"
    return [
        *found,
        Goal("{ product { id name } }, warm", "off", 150, "µs", floor, small(servers.WARM_OFF)),
        Goal("{ product { id name } }, warm", "on", 500, "µs", floor, small(servers.WARM_ON)),
        Goal("{ product { id name } }, warm", "on, with a token", 500, "µs", floor, small(servers.BUYER)),
    ]


def statements(lookups: Lookups) -> list[Goal]:
    """Of the feed, in a gateway that has just started on an empty cache, and then."""
    found = lookups.get(FEED)
    if found is None:
        return []
    of = "statements by Torii"
    return [
        Goal("feed, nothing cached", "on", 8, "", of, found["cold"][SQL]),
        Goal("feed, warm", "on", 1, "", of, found["warm"][SQL]),
    ]


def versions() -> dict[str, str]:
    packages: dict[str, str] = json.loads((NODE_DIR / "package.json").read_text())["dependencies"]
    return ours.versions() | packages


def show(found: Report, console: Console) -> None:
    placed = "each server on a core of its own" if found.pinned else "no process is kept to a core"
    console.print(f"[bold]Torii[/bold] {found.commit}, {found.machine}, {placed}")
    for operation in OPERATIONS:
        rows = [each for each in found.figures if each.operation == operation]
        if rows:
            console.print()
            console.print(_table(operation, rows))
    known = [goal for goal in found.goals if goal.measured is not None]
    if known:
        console.print()
        console.print(_goals(known))
    for doubt in doubts(found.figures):
        console.print(f"[yellow]![/yellow] {doubt}")


def doubts(figures: Sequence[Figures]) -> list[str]:
    """Why figures may say less than they seem to."""
    others = [each.best.busy(OTHERS) or 0 for each in figures]
    disturbed = sum(each > NOISY for each in others)
    if not disturbed:
        return []
    return [
        f"other programs used the machine during {disturbed} of {len(figures)} figures, up to {max(others):.2f} cores"
    ]


def _table(operation: str, rows: Sequence[Figures]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column(OPERATIONS[operation].title, no_wrap=True)
    for column in ("CPU, ms", "x best Node", "p50, ms", "p95, ms", "requests/s", "CPU of postgres, ms", "kB"):
        table.add_column(column, justify="right")
    for row in rows:
        load = row.best
        table.add_row(
            TITLES[row.server],
            f"{row.cpu_ms:.3f}",
            "–" if row.of_best_node_peer is None else f"{row.of_best_node_peer:.2f}",
            f"{load.latency_ms['p50']:.1f}",
            f"{load.latency_ms['p95']:.1f}",
            f"{load.per_second:,.0f}",
            f"{load.cpu_ms('postgres') or 0:.2f}",
            f"{load.answer_bytes / 1000:.1f}",
        )
    return table


def _goals(goals: Sequence[Goal]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("what", "guard", "goal", "measured", ""):
        table.add_column(column, no_wrap=True)
    for goal in goals:
        form = FORMS[goal.unit]
        measured = "–" if goal.measured is None else form.format(goal.measured)
        met = {True: "[green]met[/green]", False: "[red]missed[/red]", None: ""}[goal.is_met]
        table.add_row(goal.what, goal.guard, f"<= {form.format(goal.goal)} {goal.of}", measured, met)
    return table
