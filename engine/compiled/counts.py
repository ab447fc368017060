"""How operations were run, and why not by plans: of all of them, and of each operation of a document."""

from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.compiled.plan import Plan
from engine.compiled.reasons import Reason
from engine.compiled.variables import Variables
from engine.fragments.places import numbers

MAX_VARIANTS = 8
"""Plans of one operation, for different values of the variables in its conditions."""
MAX_FAILURES = 20
"""After so many deviations in a row an operation is left to graphql-core."""
RETRY_EVERY = 100
"""Of so many runs that are left to it, one tries the plan again: outages come to an end."""


@dataclass(slots=True)
class Counts:
    """How many operations ran in which way."""

    compiled: int = 0
    interpreted: int = 0
    deviated: int = 0
    """Begun by a plan, completed by graphql-core."""
    reasons: Counter[Reason] = field(default_factory=Counter)
    """Of those that were interpreted, or deviated. There are as many as Reason has."""

    def runs(self) -> Mapping[str, int]:
        return {"compiled": self.compiled, "interpreted": self.interpreted, "deviated": self.deviated}

    def why(self) -> Mapping[str, int]:
        """The reasons by their names, the most frequent first."""
        return {reason.value: times for reason, times in self.reasons.most_common()}


@dataclass(slots=True)
class Compiled:
    """What is known of one operation of a document, and how it ran."""

    conditions: tuple[str, ...]
    """The variables that its plans depend on."""
    variables: Variables
    counts: Counts = field(default_factory=Counts)
    number: int = field(default_factory=numbers.__next__)
    seen: int = 0
    failures: int = 0
    """Deviations since a plan last came to its end."""
    plans: "OrderedDict[tuple[Any, ...], Plan | Reason]" = field(default_factory=OrderedDict)
    """By the values of the conditions, the one used last at the end; a reason where there can be none."""

    @property
    def is_pinned(self) -> bool:
        """Whether it is left to graphql-core, for it deviates again and again."""
        return self.failures >= MAX_FAILURES

    @property
    def tries_again(self) -> bool:
        return self.seen % RETRY_EVERY == 0

    def keep(self, variant: tuple[Any, ...], plan: Plan | Reason) -> Plan | Reason:
        """Keep a plan, and let go of the one not used for longest when there are too many."""
        self.plans[variant] = plan
        if len(self.plans) > MAX_VARIANTS:
            self.plans.popitem(last=False)
        return plan
