"""Figures for whoever watches gateways, in the text format of Prometheus: how operations went, and what parts of a process keep.

No label is anything that a client chose: their number is bounded by the program.
"""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

__all__ = ["CONTENT_TYPE", "Metrics"]

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
Read = Callable[[], Mapping[str, float]]
"""The values of a figure at this moment, by the value of its label."""


class Metrics:
    """The figures of one process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._seconds = Histogram(
            "torii_operation_seconds",
            "Operations by their type and how they ended: ok, errors (data with errors), refused (nothing ran), cancelled.",
            ("type", "outcome"),
            registry=self._registry,
            buckets=BUCKETS,
        )
        self._known: dict[tuple[str, str], Histogram] = {}

    def operation(self, type_: str, outcome: str, seconds: float) -> None:
        """An operation came to its end."""
        known = self._known.get((type_, outcome))
        if known is None:  # finding the child of a label takes longer than counting
            known = self._known[type_, outcome] = self._seconds.labels(type_, outcome)
        known.observe(seconds)

    def counter(self, name: str, about: str, read: Read, label: str = "") -> None:
        """A figure that only grows, read when somebody asks. Without a label it is the value of ''."""
        self._registry.register(_Figure(CounterMetricFamily, name, about, label, read))

    def gauge(self, name: str, about: str, read: Read, label: str = "") -> None:
        """A figure of this moment, read when somebody asks."""
        self._registry.register(_Figure(GaugeMetricFamily, name, about, label, read))

    def text(self) -> bytes:
        """All of it, as Prometheus reads it (`CONTENT_TYPE`)."""
        return generate_latest(self._registry)


class _Figure(Collector):
    def __init__(
        self,
        family: type[CounterMetricFamily] | type[GaugeMetricFamily],
        name: str,
        about: str,
        label: str,
        read: Read,
    ) -> None:
        self._family = family
        self._name = name
        self._about = about
        self._labels = [label] if label else []
        self._read = read

    def collect(self) -> Iterator[Metric]:
        metric = self._family(self._name, self._about, labels=self._labels)
        for value_of_label, value in self._read().items():
            metric.add_metric([value_of_label] if self._labels else [], value)
        yield metric

    def describe(self) -> Iterator[Metric]:
        """What it will be called: the registry then need not ask for values to know."""
        yield self._family(self._name, self._about, labels=self._labels)
