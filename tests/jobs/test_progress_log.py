"""The log and the points of a job are complete, bounded, and readable after a kill."""

import math
from itertools import pairwise

import pytest

from readerstudy.jobs import progress_log
from readerstudy.jobs.progress_log import Point, ProgressLog, read_log, read_points, seconds_left
from readerstudy.results.progress import Activity, ActivityKind
from tests.make import MONDAY

TRAINING = Activity(ActivityKind.TRAINING_CLASSIFIER)
READING = Activity(ActivityKind.READING_IMAGES)


def stage(number: int) -> Activity:
    return Activity(ActivityKind.TRAINING_GAN, stage=number, stages=2)


def note(log: ProgressLog, done: int, total: int = 10_000, activity: Activity = TRAINING) -> None:
    log.add(Point(done, total, activity, at=float(done), values={"loss": 1 / done}), at=MONDAY)


def test_points_of_a_long_job_stay_bounded_and_evenly_spread(monkeypatch):
    monkeypatch.setattr(progress_log, "MAXIMUM_POINTS", 64)
    log = ProgressLog(1)
    for done in range(1, 10_001):
        note(log, done)
    steps = [point.done for point in read_points(1)]
    assert 32 <= len(steps) <= 64
    assert steps[-1] == 10_000
    gaps = [later - earlier for earlier, later in pairwise(steps[:-1])]
    assert len(set(gaps)) == 1, "evenly spread"


def test_a_truncated_line_is_left_out():
    log = ProgressLog(1)
    for done in (1, 2, 3):
        note(log, done)
    path = progress_log.job_folder(1) / "points.jsonl"
    path.write_text(path.read_text() + '{"done": 4, "tot')
    again = ProgressLog(1)
    again.add(Point(3, 10, TRAINING, at=9.0, values={"loss": 0.1}), at=MONDAY)  # from the save at step 2
    note(again, 4)
    assert [point.done for point in read_points(1)] == [1, 2, 3, 4]
    assert read_points(1)[2].values == {"loss": 0.1}, "what the killed attempt said beyond the save is gone"


def test_the_log_has_each_activity_once():
    log = ProgressLog(1)
    for done in (1, 2):
        note(log, done, activity=stage(1))
    note(log, 3, activity=stage(2))
    assert [line[20:] for line in read_log(1)] == ["Stage 1 of 2 (1 of 10000)", "Stage 2 of 2 (3 of 10000)"]


def test_the_time_left_follows_the_recent_rate_despite_a_pause():
    steady = [Point(done, 1000, TRAINING, at=2.0 * done, values={}) for done in range(1, 21)]
    assert seconds_left(steady, now=40.0) == pytest.approx(2 * 980)
    assert seconds_left(steady, now=50.0) == pytest.approx(2 * 980 - 10)
    paused = [*steady, Point(21, 1000, TRAINING, at=40.0 + 60.0, values={})]
    assert seconds_left(paused, now=100.0) == pytest.approx(2 * 979, rel=0.2)


def test_there_is_no_estimate_before_a_few_steps_are_done():
    assert seconds_left([Point(1, 10, TRAINING, at=0.0, values={})], now=1.0) is None
    reading = [Point(done, 5, READING, at=float(done), values={}) for done in range(1, 6)]
    assert seconds_left([*reading, Point(1, 1000, TRAINING, at=9.0, values={})], now=9.0) is None


def test_values_that_are_not_finite_are_stored_in_points():
    log = ProgressLog(1)
    log.add(Point(1, 2, TRAINING, at=1.0, values={"loss": math.nan}), at=MONDAY)
    assert math.isnan(read_points(1)[0].values["loss"])
