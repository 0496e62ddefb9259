"""The text of `/metrics`: the counters of the web processes, and the figures of the installation."""

import os
from collections.abc import Iterator
from typing import Final

from django.db import Error
from django.utils.timezone import now
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from readerstudy.metrics_folder import VARIABLE
from readerstudy.operation import counters
from readerstudy.operation.figures import Figures, take_figures
from readerstudy.operation.health import CHECKS, examiner

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST


def exposition() -> bytes:
    """Return all metrics in Prometheus' text format."""
    registry = counters.registry
    if VARIABLE in os.environ:
        registry = CollectorRegistry()
        # prometheus-client does not annotate it.
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    gauges = CollectorRegistry()
    gauges.register(_Gauges())
    return generate_latest(registry) + generate_latest(gauges)


class _Gauges:
    """Figures that are read when Prometheus asks."""

    def collect(self) -> Iterator[Metric]:
        health = examiner.health()
        yield _by(
            "check_passed", "Checks of /health/ready", "check", {n: not health.checks.get(n, "no") for n in CHECKS}
        )
        try:
            figures = take_figures(at=now())
        except Error:  # the database is away; `check_passed` says so
            return
        yield from _metrics(figures)


def _metrics(figures: Figures) -> Iterator[Metric]:
    yield _by("jobs", "Jobs by state", "state", figures.jobs)
    if figures.queues is not None:
        yield _by("queue_messages", "Messages that wait in a queue", "queue", figures.queues)
    yield _by("worker_age_seconds", "Time since a worker of a queue reported", "queue", figures.workers)
    yield _by("mails", "Mails that wait, are being sent, or failed", "state", figures.mails)
    for name, text, value in (
        ("job_waiting_seconds", "Time that the oldest queued job has waited", figures.oldest_queued or 0),
        ("job_heartbeat_age_seconds", "Age of the oldest heartbeat of a running job", figures.heartbeat or 0),
        ("sessions_on_hold", "Sessions that a coordinator must resume", figures.sessions_on_hold),
        ("sessions_open", "Sessions that are not finished", figures.sessions_open),
        ("blinding_audit_age_seconds", "Time since the last blinding audit of any study", figures.audit_age),
        ("blinding_audit_passed", "Whether the last blinding audit passed", figures.audit_passed),
        ("disk_free_bytes", "Room on the disk of VAR_DIR", figures.disk_free),
        ("disk_size_bytes", "Size of the disk of VAR_DIR", figures.disk_total),
        ("database_connections", "Connections to the database, of all processes", figures.connections),
        ("database_connections_allowed", "max_connections of PostgreSQL", figures.connections_allowed),
    ):
        if value is not None:
            yield GaugeMetricFamily(f"readerstudy_{name}", text, value=float(value))


def _by(name: str, text: str, label: str, values: dict[str, bool] | dict[str, int] | dict[str, float]) -> Metric:
    family = GaugeMetricFamily(f"readerstudy_{name}", text, labels=[label])
    for value, number in values.items():
        family.add_metric([value], float(number))
    return family
