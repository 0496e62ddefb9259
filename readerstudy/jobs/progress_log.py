"""The files of a job in `var/jobs/<id>/`: its log and the points of its curves; and the estimate of the time left."""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from pathlib import Path
from statistics import median
from uuid import uuid4

from django.conf import settings
from django.utils.translation import override

from readerstudy.errors import BadInput
from readerstudy.jobs.progress_text import activity_text
from readerstudy.results.progress import Activity
from readerstudy.serialise import from_dict, to_dict

logger = logging.getLogger(__name__)

MAXIMUM_POINTS = 2000  # enough for a curve; a training of a month must not fill the disk
RECENT = 40  # points from which the rate is estimated
LOG_LINES = 200  # shown on a page

Values = Mapping[str, float]


@dataclass(frozen=True)
class Point:
    """One progress report: steps done and in all, the activity, the time (seconds since 1970) and figures by name."""

    done: int
    total: int
    activity: Activity
    at: float
    values: Mapping[str, float]

    def as_line(self) -> str:
        return json.dumps(to_dict(self))

    @classmethod
    def from_line(cls, line: str) -> "Point":
        return from_dict(cls, json.loads(line))


def job_folder(job_id: int) -> Path:
    """Return the folder of a job's files."""
    return Path(settings.JOBS_DIR) / str(job_id)


class ProgressLog:
    """Writes the log and the points of one job. One writer at a time; the next attempt appends.

    What cannot be written is left out: a full disk ends the work at its next save, not at a line about it, and the
    job's row must still say how it ended.
    """

    def __init__(self, job_id: int) -> None:
        folder = job_folder(job_id)
        self._log, self._points = folder / "log.txt", folder / "points.jsonl"
        with _left_out():
            folder.mkdir(parents=True, exist_ok=True)
        self._kept = len(_lines(self._points))
        if self._kept and not self._points.read_bytes().endswith(b"\n"):
            with _left_out(), self._points.open("a") as file:  # the last writer was killed in the middle of a line
                file.write("\n")
        self._stride, self._calls = 1, 0
        self._last_activity: Activity | None = None

    def write(self, text: str, *, at: datetime) -> None:
        """Append a line to the log."""
        with _left_out(), self._log.open("a", encoding="utf-8") as file:
            file.write(f"{at:%Y-%m-%d %H:%M:%S} {text}\n")

    def add(self, point: Point, *, at: datetime) -> None:
        """Append a point to the curves, and a line to the log if the activity is new."""
        if point.activity != self._last_activity:
            self._last_activity = point.activity
            with override("en"):
                self.write(f"{activity_text(point.activity)} ({point.done} of {point.total})", at=at)
        self._calls += 1
        if self._calls % self._stride and point.done != point.total:
            return
        with _left_out(), self._points.open("a", encoding="utf-8") as file:
            file.write(point.as_line() + "\n")
        self._kept += 1
        if self._kept >= MAXIMUM_POINTS:
            self._thin_out()

    def _thin_out(self) -> None:
        """Keep every second point, and from now on every second report."""
        lines = _lines(self._points)[1::2]
        draft = self._points.with_suffix(f".{uuid4().hex}.part")
        with _left_out():
            draft.write_text("\n".join(lines) + "\n", encoding="utf-8")
            draft.replace(self._points)
        self._kept = len(lines)
        self._stride *= 2


@contextmanager
def _left_out() -> Iterator[None]:
    """Go on after the block if the disk takes nothing, and say so in the process's own log."""
    try:
        yield
    except OSError as error:
        logger.warning("A job's log cannot be written: %s", error)


def read_points(job_id: int) -> list[Point]:
    """Return the points of a job in the order of writing, without a line that a kill cut short.

    If an attempt resumed from an earlier step, the points of the previous attempt beyond that step are left out, also
    if they belong to a later stage, and so are the reports on data that was read again in between.
    """
    points: list[Point] = []
    for line in _lines(job_folder(job_id) / "points.jsonl"):
        try:
            point = Point.from_line(line)
        except (ValueError, BadInput):
            continue
        del points[_count_valid(points, point) :]
        points.append(point)
    return points


def _count_valid(points: list[Point], point: Point) -> int:
    """Return how many of the points before this one are still valid: those not of a later step of the same work."""
    valid = len(points)
    for index in range(len(points) - 1, -1, -1):
        earlier = points[index]
        if _is_beyond(earlier, point):
            valid = index
        elif earlier.values or not point.values:
            break
    return valid


def _is_beyond(earlier: Point, point: Point) -> bool:
    """Whether the earlier point is of a later step.

    Points with figures share one schedule; points without figures restart with each activity.
    """
    same = earlier.activity == point.activity or bool(earlier.values and point.values and earlier.total == point.total)
    return same and earlier.done >= point.done


def read_log(job_id: int) -> list[str]:
    """Return the last lines of the job's log."""
    return _lines(job_folder(job_id) / "log.txt")[-LOG_LINES:]


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []


def seconds_left(points: list[Point], *, now: float) -> float | None:
    """Return the time left at the recent rate, in seconds; None if there are too few points.

    The rate is the median over all pairs of recent points of the same total (Theil-Sen estimator), so that a pause for
    evaluation or saving, or one slow step, has little effect.
    """
    if not points or points[-1].done >= points[-1].total:
        return None  # a stage has ended; the length of the next one is unknown
    recent = [point for point in points[-RECENT:] if point.total == points[-1].total]
    rates = [
        (later.done - earlier.done) / (later.at - earlier.at)
        for earlier, later in combinations(recent, 2)
        if later.at > earlier.at and later.done > earlier.done
    ]
    if len(rates) < 3:
        return None
    last = recent[-1]
    return max(0.0, (last.total - last.done) / median(rates) - (now - last.at))
