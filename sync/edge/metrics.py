"""What a long-running process tells Prometheus: runs by their end, items by their fate, requests, pushes, what waits.

Counts only; names of syncs are labels, people and credentials never are.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest, start_http_server

from sync.core.errors import ConfigError
from sync.core.report import CohortReport, EventsReport

_COHORT_FATES = ("already_members", "added", "not_found", "pending", "removed")
_EVENT_FATES = ("filtered", "delivered", "duplicates", "expired", "pending")


class Metrics:
    """One process's figures, in a registry of their own. Any thread may use it."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._lock = threading.Lock()
        self._told: dict[str, float] = {}
        self._runs = self._counter("runs", "runs that ended", "kind", "status")
        self._items = self._counter("items", "what became of people and events", "kind", "fate")
        self._requests = self._counter("requests", "requests to Customer.io, retries included", "kind")
        self._failures = self._counter("failures", "runs and rounds that ended without a report")
        self._pushes = self._counter("pushes", "what Amplitude pushed, and what of it was refused", "kind")
        self._waiting = Gauge(
            "cio_sync_inbox_waiting", "messages kept and not yet applied", ["kind"], registry=self._registry
        )
        self._ended_at = Gauge(
            "cio_sync_last_run_timestamp_seconds", "when a run last ended so", ["sync", "status"],
            registry=self._registry,
        )  # fmt: skip

    def _counter(self, name: str, says: str, *labels: str) -> Counter:
        return Counter(f"cio_sync_{name}", says, labels, registry=self._registry)

    def observe(self, report: CohortReport | EventsReport, now: float) -> None:
        """A run has ended; `now` is Unix seconds."""
        kind = report.kind
        self._runs.labels(kind, report.status).inc()
        self._requests.labels(kind).inc(report.requests)
        self._ended_at.labels(report.sync or kind, report.status).set(now)
        for fate in _COHORT_FATES if isinstance(report, CohortReport) else _EVENT_FATES:
            self._items.labels(kind, fate).inc(getattr(report, fate))
        lost = report.skipped if isinstance(report, CohortReport) else report.discarded
        for reason, count in {**lost, **report.refused}.items():
            self._items.labels(kind, reason).inc(count)

    def count_failure(self) -> None:
        """Something ended without a report."""
        self._failures.inc()

    def text(self, taken: Mapping[str, int], waiting: Mapping[str, int]) -> str:
        """Everything in the text format. `taken` counts pushes from the start of the process."""
        with self._lock:
            for kind, count in taken.items():
                self._pushes.labels(kind).inc(count - self._told.get(kind, 0))
                self._told[kind] = count
            for kind, count in waiting.items():
                self._waiting.labels(kind).set(count)
            return generate_latest(self._registry).decode()

    @contextlib.contextmanager
    def served(self, host: str, port: int) -> Iterator[str]:
        """Answer there, on any path, in a thread beside; gives the url. `port` 0 picks one. Raises ConfigError when the
        address can't be used."""
        try:
            server, thread = start_http_server(port, host, self._registry)
        except (OSError, OverflowError) as error:
            raise ConfigError(
                f"the address {host}:{port} for metrics can't be used, or is taken by another program",
                hint="choose another port with --metrics",
            ) from error
        try:
            where = f"[{host}]" if ":" in host else host
            yield f"http://{where}:{server.server_port}/metrics"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
