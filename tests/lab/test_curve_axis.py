"""Curves are drawn over the steps that were done, not over the schedule."""

import pytest

from readerstudy.jobs.progress_log import Point, ProgressLog, read_points
from readerstudy.lab.charts import LEFT, RIGHT, WIDTH, curve_charts
from readerstudy.lab.curve_axis import curve_axis, stage_lengths
from readerstudy.results.progress import Activity, ActivityKind
from tests.make import MONDAY

LENGTHS = {1: 3, 2: 2, 3: 4}


def gan(stage: int) -> Activity:
    return Activity(ActivityKind.TRAINING_GAN, stage=stage, stages=3)


def point(done: int, stage: int, total: int = 100) -> Point:
    return Point(done, total, gan(stage), at=float(done), values={"gap": float(done)})


def schedule(*, reported_every: int = 1) -> list[Point]:
    """Stages of at most 50, 30 and 20 steps that ended after 3, 2 and 4."""
    done = [(1, 1), (2, 1), (3, 1), (51, 2), (52, 2), (81, 3), (82, 3), (83, 3), (84, 3)]
    return [point(*report) for report in done][::-reported_every][::-1]


@pytest.mark.parametrize("lengths", [LENGTHS, {}])
def test_steps_that_a_stage_left_out_are_not_counted(lengths):
    axis = curve_axis(schedule(), lengths)
    assert list(axis.steps) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert [border.steps for border in axis.borders] == [3, 5]


def test_borders_are_exact_if_the_lengths_are_known():
    axis = curve_axis(schedule(reported_every=2), LENGTHS)
    assert [border.steps for border in axis.borders] == [3, 5]
    assert axis.steps[-1] == 9
    assert all(step <= 3 for step in axis.steps[:2]), "a stage's reports lie within it"


def test_a_stage_without_reports_keeps_its_length():
    points = [report for report in schedule() if report.activity != gan(2)]
    axis = curve_axis(points, LENGTHS)
    assert list(axis.steps) == [1, 2, 3, 6, 7, 8, 9]
    assert [(border.steps, border.activity) for border in axis.borders] == [(5, gan(3))]


def test_rare_reports_count_the_usual_interval_between_stages():
    points = [point(done, 1) for done in (5, 10, 15)] + [point(done, 2) for done in (54, 59)]
    assert list(curve_axis(points, {}).steps) == [5, 10, 15, 20, 25]


def test_a_part_with_its_own_count_continues_the_axis():
    points = [
        point(4, 1, total=4),
        Point(1, 9, Activity(ActivityKind.TRAINING_CLASSIFIER), at=5.0, values={"loss": 1.0}),
    ]
    assert list(curve_axis(points, {}).steps) == [4, 5]


def test_the_chart_ends_at_the_last_step_and_marks_stages():
    (chart,) = curve_charts(schedule(), LENGTHS)
    assert chart.end[0] == str(float(WIDTH - RIGHT))
    per_step = (WIDTH - LEFT - RIGHT) / 9
    assert [tick.at for tick in chart.stages] == [round(LEFT + 3 * per_step, 1), round(LEFT + 5 * per_step, 1)]
    assert chart.has_stages
    assert chart.description.endswith("84 at step 9.")
    assert max(tick.at for tick in chart.x_ticks) <= WIDTH - RIGHT


def test_stage_lengths_come_from_the_result_of_a_job():
    assert stage_lengths({"stages": [{"number": 1, "steps": 3}, {"number": 2, "steps": 2}]}) == {1: 3, 2: 2}
    assert stage_lengths({"text": "Table 1"}) == stage_lengths(None) == {}


def test_a_resumed_attempt_drops_the_points_of_later_stages():
    log = ProgressLog(1)
    for report in schedule()[:7]:
        log.add(report, at=MONDAY)
    again = ProgressLog(1)
    again.add(Point(1, 2, Activity(ActivityKind.READING_IMAGES), at=90.0, values={}), at=MONDAY)
    again.add(Point(2, 2, Activity(ActivityKind.READING_IMAGES), at=91.0, values={}), at=MONDAY)
    again.add(point(51, 2), at=MONDAY)
    assert [report.done for report in read_points(1)] == [1, 2, 3, 51]


def test_lines_do_not_cross_other_activities():
    """A fold's classifier tells its loss, its GANs other figures, then the next fold's classifier its loss again."""
    points = [Point(step, 9, gan(1).in_fold(1), at=float(step), values={"loss": 1.0}) for step in (1, 2, 3, 7, 8, 9)]
    points[3:3] = [Point(step, 9, gan(1).in_fold(2), at=float(step), values={"gap": 0.1}) for step in (4, 5, 6)]
    loss, gap = curve_charts(points)
    assert [len(line.split()) for line in loss.lines] == [3, 3]
    assert [len(line.split()) for line in gap.lines] == [3]
    assert not loss.has_stages, "the numbers above its borders are those of the folds"
    assert loss.end[0] == loss.lines[1].split()[-1].split(",")[0]
