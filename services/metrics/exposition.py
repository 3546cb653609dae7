"""Figures as text that Prometheus reads, made at most every few seconds however often somebody asks."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_LOG = logging.getLogger(__name__)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_FRESH_S = 5.0
Section = Callable[[], Iterable[Metric]]


def gauge(
    name: str, says: str, labels: Iterable[str] = (), values: Iterable[tuple[tuple[str, ...], float]] = ()
) -> Metric:
    """A gauge with a value for each combination of labels."""
    names = list(labels)
    found = GaugeMetricFamily(f"jicho_{name}", says, labels=names)
    for label_values, value in values:
        found.add_metric(list(label_values), value)
    return found


class Figures(Collector):
    """Sections by name. One that fails is missing and counted; the others are given all the same."""

    def __init__(self, sections: Mapping[str, Section]) -> None:
        self._sections, self._lock = sections, threading.Lock()
        self._found: list[Metric] = []
        self._due = 0.0

    def collect(self) -> Iterator[Metric]:
        with self._lock:
            if time.monotonic() >= self._due:
                self._found = list(self._look())
                self._due = time.monotonic() + _FRESH_S
            yield from self._found

    def _look(self) -> Iterator[Metric]:
        failed: list[tuple[tuple[str, ...], float]] = []
        for name, section in self._sections.items():
            try:
                found = list(section())
            except Exception as error:
                _LOG.warning("no figures", extra={"section": name, "reason": f"{type(error).__name__}: {error}"})
                failed.append(((name,), 1))
            else:
                failed.append(((name,), 0))
                yield from found
        yield gauge("section_failed", "whether a part of these figures could not be had", ["section"], failed)


def registry_of(sections: Mapping[str, Section]) -> CollectorRegistry:
    """A registry of this process's own: Prometheus' global one would add what nobody asked for."""
    disable_created_metrics()  # type: ignore[no-untyped-call]
    found = CollectorRegistry()
    found.register(Figures(sections))
    return found


def text(registry: CollectorRegistry) -> bytes:
    """Everything, as Prometheus reads it."""
    return generate_latest(registry)
