"""What a job leaves beside its row, in `var/jobs/<id>/`: a log, the points of its curves; and how long it will take."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import Any

from django.conf import settings

MOST_POINTS = 2000  # a curve needs no more, and a month's training must not fill the disk
RECENT = 40  # points from which the rate is taken
LOG_LINES = 200  # shown on a page

Values = Mapping[str, float]


@dataclass(frozen=True)
class Point:
    """One report: how far, at what, with which figures, and when (seconds since 1970)."""

    done: int
    total: int
    text: str
    at: float
    values: Mapping[str, float]

    def as_line(self) -> str:
        return json.dumps({"done": self.done, "total": self.total, "text": self.text, "at": self.at, **self.values})

    @classmethod
    def from_line(cls, line: str) -> "Point":
        data: dict[str, Any] = json.loads(line)
        done, total, text, at = (data.pop(name) for name in ("done", "total", "text", "at"))
        return cls(done, total, text, at, data)


def folder_of(job_id: int) -> Path:
    return Path(settings.JOBS_DIR) / str(job_id)


class Trace:
    """Writes the log and the points of one job; one writer at a time, a next attempt goes on where it ended."""

    def __init__(self, job_id: int) -> None:
        folder = folder_of(job_id)
        folder.mkdir(parents=True, exist_ok=True)
        self._log, self._points = folder / "log.txt", folder / "points.jsonl"
        self._kept = len(_lines(self._points))
        if self._kept and not self._points.read_bytes().endswith(b"\n"):
            with self._points.open("a") as file:  # the last writer was killed in the middle of a line
                file.write("\n")
        self._stride, self._calls = 1, 0
        self._said = ""

    def say(self, text: str, *, at: datetime) -> None:
        """A line for the log."""
        with self._log.open("a", encoding="utf-8") as file:
            file.write(f"{at:%Y-%m-%d %H:%M:%S} {text}\n")

    def note(self, point: Point, *, at: datetime) -> None:
        """One report: a point of the curves, and a line of the log where it speaks of something new."""
        if point.text != self._said:
            self._said = point.text
            self.say(f"{point.text} ({point.done} of {point.total})", at=at)
        self._calls += 1
        if self._calls % self._stride and point.done != point.total:
            return
        with self._points.open("a", encoding="utf-8") as file:
            file.write(point.as_line() + "\n")
        self._kept += 1
        if self._kept >= MOST_POINTS:
            self._thin_out()

    def _thin_out(self) -> None:
        """Keep every second point, and from now on every second report."""
        lines = _lines(self._points)[1::2]
        draft = self._points.with_suffix(".part")
        draft.write_text("\n".join(lines) + "\n", encoding="utf-8")
        draft.replace(self._points)
        self._kept = len(lines)
        self._stride *= 2


def points_of(job_id: int) -> list[Point]:
    """The job's points, as they were written. A line cut short by a kill is left out.

    Where an attempt went on from an earlier step, what the one before had said beyond it is left out too, also where
    it had come to the next stage by then, and with it the reports of what was read anew in between.
    """
    points: list[Point] = []
    for line in _lines(folder_of(job_id) / "points.jsonl"):
        try:
            point = Point.from_line(line)
        except (ValueError, KeyError):
            continue
        del points[_still_true(points, point) :]
        points.append(point)
    return points


def _still_true(points: list[Point], point: Point) -> int:
    """How many of the points before this one still hold: all that are not of a later step of the same work."""
    still = len(points)
    for place in range(len(points) - 1, -1, -1):
        earlier = points[place]
        if _is_beyond(earlier, point):
            still = place
        elif earlier.values or not point.values:
            break
    return still


def _is_beyond(earlier: Point, point: Point) -> bool:
    """Figures belong to one schedule, which goes up; reports without figures may start again under another text."""
    same = earlier.text == point.text or bool(earlier.values and point.values and earlier.total == point.total)
    return same and earlier.done >= point.done


def log_of(job_id: int) -> list[str]:
    """The last lines of the job's log."""
    return _lines(folder_of(job_id) / "log.txt")[-LOG_LINES:]


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []


def seconds_left(points: list[Point], *, now: float) -> float | None:
    """How long it will take from now at the recent rate; None while there is too little to say.

    The rate is the median over all pairs of recent points of the same total (Theil and Sen): a pause for judging or
    saving, or one slow step, does not upset it.
    """
    if not points or points[-1].done >= points[-1].total:
        return None  # at the end of something, and what comes next is not known
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
