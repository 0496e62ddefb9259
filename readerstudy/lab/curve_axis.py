"""Steps that were really done: the schedule of a GAN counts a stage that ended early as if it had its full length."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

from readerstudy.jobs.progress_log import Point

STAGE = re.compile(r"Stage (\d+) of \d+")
Lengths = Mapping[int, int]  # steps by the number of the stage


@dataclass(frozen=True)
class Border:
    """Where the job began to speak of something else: so many steps were done by then."""

    steps: int
    text: str


@dataclass(frozen=True)
class Walk:
    """For each point how many steps were done by then, and the borders between what the job spoke of."""

    steps: Sequence[int]
    borders: Sequence[Border]


def stage_lengths(result: Any) -> dict[int, int]:
    """How long each stage was, as the answer of a job that is over says; empty where it says nothing of stages."""
    stages = result.get("stages") if isinstance(result, dict) else None
    return {stage["number"]: stage["steps"] for stage in stages or ()}


def walk(points: Sequence[Point], lengths: Lengths) -> Walk:
    """Count the steps without those that stages left out.

    Exact at the borders of stages whose length is known; else to within the steps between two reports, as what was
    done between the last report of a stage and the first of the next is not written down.
    """
    steps: list[int] = []
    borders: list[Border] = []
    before: list[Point] = []
    for text, group in groupby(points, key=lambda point: point.text):
        part = list(group)
        first = (steps[-1] if steps else 0) + _between(before, part)
        begin, last = _fitted(text, first, first + part[-1].done - part[0].done, lengths)
        if before:
            borders.append(Border(begin, text))
        steps += [last - (part[-1].done - point.done) for point in part]
        before = part
    return Walk(steps, borders)


def _between(before: Sequence[Point], after: Sequence[Point]) -> int:
    """Steps from the last report of one part to the first of the next: at most as many as between other reports."""
    if not before or after[0].total != before[-1].total or after[0].done <= before[-1].done:
        return after[0].done  # it counts from its own start
    usual = [later.done - one.done for ends in (before[-2:], after[:2]) for one, later in pairwise(ends)]
    return min(after[0].done - before[-1].done, max(usual, default=1))


def _fitted(text: str, first: int, last: int, lengths: Lengths) -> tuple[int, int]:
    """Steps done before a part, and at its last report: as estimated, moved to lie within its stage where known."""
    stage = STAGE.search(text)
    number = int(stage[1]) if stage else 0
    if number not in lengths:
        return first - 1, last
    begin = sum(length for other, length in lengths.items() if other < number)
    move = max(begin + 1 - first, min(0, begin + lengths[number] - last))
    return begin, last + move
