"""Counters of the web processes, which add up over all processes of one server of pages.

Gunicorn's processes share files in a folder of their own (`metrics_folder`), as prometheus-client's multiprocess mode
needs: the folder must be known before prometheus-client is loaded for the first time.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

SECTIONS: Final = frozenset({"account", "read", "report", "desk", "images", "lab", "api", "admin"})
_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

registry = CollectorRegistry()
readings = Counter(
    "readerstudy_readings_accepted", "Verdicts acknowledged to readers for the first time", registry=registry
)
_seconds = Histogram(
    "readerstudy_request_seconds",
    "Time to answer a request, by route",
    ["route"],
    buckets=_BUCKETS,
    registry=registry,
)
_responses = Counter(
    "readerstudy_responses", "Answers, by route, method and status", ["route", "method", "status"], registry=registry
)


def count_request(*, route: str, method: str, status: int, seconds: float) -> None:
    """Count one answered request. Methods that do not exist are counted together: anybody can send them."""
    _seconds.labels(route).observe(seconds)
    _responses.labels(route, method if method in _METHODS else "other", f"{status // 100}xx").inc()
