"""The horizontal axis of a job's curves: steps that were done.

The schedule of a GAN counts a stage that ended early as if it had its full length; the axis does not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

from readerstudy.jobs.progress_log import Point
from readerstudy.results.progress import Activity

StageLengths = Mapping[int, int]  # steps by the number of the stage


@dataclass(frozen=True)
class Border:
    """The start of an activity, after `steps` steps."""

    steps: int
    activity: Activity


@dataclass(frozen=True)
class CurveAxis:
    """The number of steps done at each point, and the borders between activities."""

    steps: Sequence[int]
    borders: Sequence[Border]


def stage_lengths(result: Any) -> dict[int, int]:
    """Return the steps of each stage from the result of a job; empty if it has no stages."""
    stages = result.get("stages") if isinstance(result, dict) else None
    return {stage["number"]: stage["steps"] for stage in stages or ()}


def curve_axis(points: Sequence[Point], lengths: StageLengths) -> CurveAxis:
    """Count the steps without those that stages left out.

    The count is exact at the borders of stages in `lengths`. Elsewhere it is exact to within the steps between two
    reports, because the number of steps after the last report of a stage is not stored.
    """
    steps: list[int] = []
    borders: list[Border] = []
    before: list[Point] = []
    for activity, group in groupby(points, key=lambda point: point.activity):
        part = list(group)
        first = (steps[-1] if steps else 0) + _steps_between(before, part)
        begin, last = _fit_into_stage(activity.stage, first, first + part[-1].done - part[0].done, lengths)
        if before:
            borders.append(Border(begin, activity))
        steps += [last - (part[-1].done - point.done) for point in part]
        before = part
    return CurveAxis(steps, borders)


def _steps_between(before: Sequence[Point], after: Sequence[Point]) -> int:
    """Return the steps from the last report of a part to the first of the next: at most as many as between others."""
    if not before or after[0].total != before[-1].total or after[0].done <= before[-1].done:
        return after[0].done  # the next part counts from its own start
    usual = [later.done - earlier.done for ends in (before[-2:], after[:2]) for earlier, later in pairwise(ends)]
    return min(after[0].done - before[-1].done, max(usual, default=1))


def _fit_into_stage(stage: int, first: int, last: int, lengths: StageLengths) -> tuple[int, int]:
    """Return the steps done before a part and at its last report: the estimates, moved into the stage if known."""
    if stage not in lengths:
        return first - 1, last
    begin = sum(length for number, length in lengths.items() if number < stage)
    move = max(begin + 1 - first, min(0, begin + lengths[stage] - last))
    return begin, last + move
