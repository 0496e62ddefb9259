"""Progress reports of long work."""

from typing import Protocol

from readerstudy.results.progress import Activity


class Report(Protocol):
    """Called after every step: steps done and in all, the activity, and figures by name."""

    def __call__(self, done: int, total: int, activity: Activity, values: dict[str, float], /) -> None: ...


def silent(done: int, total: int, activity: Activity, values: dict[str, float], /) -> None:
    """Report nothing."""
