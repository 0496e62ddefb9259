"""The numbers in words below the pictures: those that a hand, or the table beside them, gives."""

import pytest

from readerstudy.analysis import figures
from readerstudy.analysis.figures.reader_style import spread_text
from readerstudy.analysis.record.codes import ADVERSARIAL, POSITIVE, REAL
from readerstudy.analysis.tables.agreement import agreement_table
from readerstudy.analysis.tables.comparison.mrmc import mrmc_comparisons, mrmc_table
from readerstudy.analysis.tables.signal_detection import detections_by_reader
from readerstudy.layout.table import Estimate
from readerstudy.protocol.analysis_plan import AnalysisPlan
from tests.analysis import crowd, played, small
from tests.analysis.long_readings import LongReadings, ReadingRow

PLAN = AnalysisPlan()


def shown(value: float) -> str:
    return f"{value:z.2f}".replace("-", "−")


def test_detection_shows_the_counts_and_d_prime_of_the_table() -> None:
    study = played.record({"R1": {3: "rrnnru", 5: "rrrnnn"}, "R2": {3: "nrrrrn", 5: "nnrnnr"}})
    picture = figures.detection_figure(study, PLAN)
    assert picture is not None
    assert "R1 session 3: false alarms 0.33, hits 0.33" in picture.description
    assert "session 5: false alarms 0.00, hits 1.00" in picture.description
    for detection in detections_by_reader(study, PLAN).values():
        assert detection is not None
        assert f"d′ {shown(detection.d_prime)}, c {shown(detection.criterion)}" in picture.description


def test_detection_of_a_crowd_tells_the_means_and_the_spread() -> None:
    study = crowd.record(40)
    picture = figures.detection_figure(study, PLAN)
    assert picture is not None
    own = [one.d_prime for (_, session), one in detections_by_reader(study, PLAN).items() if one and session == 5]
    assert f"d′ {spread_text(own)}" in picture.description
    assert f"d′ {shown(sum(own) / len(own))}, c" in picture.description


def test_a_reader_of_one_session_has_a_mark_and_no_arrow() -> None:
    study = played.record({"R1": {3: "rrnnru"}, "R2": {3: "nrrrrn", 5: "nnrnnr"}})
    both = played.record({"R1": {3: "rrnnru", 5: "rrnnru"}, "R2": {3: "nrrrrn", 5: "nnrnnr"}})
    one, two = figures.detection_figure(study, PLAN), figures.detection_figure(both, PLAN)
    assert one is not None
    assert two is not None
    assert "R1 session 3: false alarms 0.33, hits 0.33, d′ 0.00, c 0.32." in one.description
    # Each arrow is a patch; the panels have one each fewer.
    assert two.svg.count('id="patch_') > one.svg.count('id="patch_')


def test_reading_order_shows_ten_shares_per_reader_and_their_mean() -> None:
    said = {"R1": {3: "rn" * 10}, "R2": {3: "rr" * 10}}
    picture = figures.blocks_figure(played.record(said, "R" * 20), PLAN)
    assert picture is not None
    tenths = {share: " ".join([share] * 10) for share in ("0.75", "0.50", "1.00")}
    assert f"mean {tenths['0.75']}; R1 {tenths['0.50']}; R2 {tenths['1.00']}." in picture.description


def test_a_curve_falls_where_a_reader_tires() -> None:
    picture = figures.blocks_figure(played.record({"R1": {3: "rrrrrnnnnn"}}, "R" * 10), PLAN)
    assert picture is not None
    assert "R1 1.00 1.00 1.00 1.00 1.00 0.00 0.00 0.00 0.00 0.00." in picture.description


def test_nine_readings_make_no_curve() -> None:
    assert figures.blocks_figure(played.record({"R1": {3: "r" * 9}}, "R" * 9), PLAN) is None


def test_times_tell_median_and_quartiles() -> None:
    picture = figures.times_figure(small.record(), PLAN)
    assert picture is not None
    # R1 takes 1 to 8 s in session 3, 1 to 5 s in session 5.
    assert "Session 3, seconds per image: R1 median 4.5, quartiles 2.8 and 6.2" in picture.description
    assert "Session 5, seconds per image: R1 median 3.0, quartiles 2.0 and 4.0." in picture.description


def seconds_of(*seconds: float) -> LongReadings:
    return LongReadings.of(
        ReadingRow("R1", session, 1, "real", REAL, POSITIVE, int(1000 * elapsed))
        for session, elapsed in enumerate(seconds, start=2)
    )


@pytest.mark.parametrize(("seconds", "is_log"), [((2, 30), False), ((1, 300), True), ((0, 300), False)])
def test_the_axis_is_logarithmic_if_times_differ_much_and_none_is_zero(
    seconds: tuple[float, ...], is_log: bool
) -> None:
    picture = figures.times_figure(small.record(readings=seconds_of(*seconds)), PLAN)
    assert picture is not None
    assert ("logarithmic" in picture.caption) is is_log


def test_agreement_tells_every_coefficient_of_its_table() -> None:
    study = crowd.record(5)
    picture, table = figures.agreement_figure(study, PLAN), agreement_table(study)
    assert picture is not None
    cells = [cell for row in table.rows for cell in row if isinstance(cell, Estimate)]
    assert len(cells) == 25
    for cell in cells:
        assert f"{shown(cell.value)} ({shown(cell.low)} to {shown(cell.high)})" in picture.description


def test_agreement_is_undefined_if_all_verdicts_are_the_same() -> None:
    picture = figures.agreement_figure(played.record({name: {3: "rrrrrr"} for name in ("R1", "R2")}), PLAN)
    assert picture is not None
    assert "pairs that agree 1.00; Fleiss’ κ undefined" in picture.description


def test_the_forest_plot_has_the_differences_of_the_table() -> None:
    study, plan = crowd.record(5), AnalysisPlan(primary="specificity", margin=0.1)
    compared = mrmc_comparisons(study, plan)
    picture, table = figures.forest_figure(study, plan, compared), mrmc_table(study, plan, compared)
    assert picture is not None
    assert picture.description.startswith("Specificity ")
    assert "margin ±0.1" in picture.description
    place = [column.key for column in table.columns].index("difference")
    for row in table.rows:
        result = row[place]
        assert isinstance(result, Estimate)
        low, high = (f"{bound:+z.2f}".replace("-", "−") for bound in (result.low, result.high))
        assert f"({low} to {high})" in picture.description


def test_the_forest_plot_subtracts_the_earlier_session_per_reader() -> None:
    said = {"R1": {3: "rrrnnn", 5: "nrrnnr"}, "R2": {3: "nnrnrr", 5: "rrnnrn"}, "R3": {3: "rnrnnr", 5: "rnrnrn"}}
    study, plan = played.record(said), AnalysisPlan(primary="sensitivity")
    picture = figures.forest_figure(study, plan, mrmc_comparisons(study, plan))
    assert picture is not None
    # Of three adversarial images R1 called 3, then 2 not real; R2 1, then 2; R3 2 and 2.
    assert "Sensitivity by reader: R1 −0.33, R2 +0.33, R3 +0.00." in picture.description


def classified(scores: dict[int, float]) -> figures.Picture | None:
    rows = [
        ReadingRow(reader, 3, place, verdict, kind, POSITIVE, 1000, case=str(place))
        for reader, verdicts in (("R1", ("not_real", "real", "unsure")), ("R2", ("not_real", "not_real", "real")))
        for place, (verdict, kind) in enumerate(zip(verdicts, (REAL, ADVERSARIAL, ADVERSARIAL), strict=True), start=1)
    ]
    return figures.classifier_figure(small.record(readings=LongReadings.of(rows)), PLAN, scores)


def test_readers_are_compared_with_fifths_of_the_classifiers_scale() -> None:
    picture = classified({1: 0.15, 2: 0.85, 3: 1.0})
    assert picture is not None
    assert (
        "1 real images (1 of positives, 0 of negatives): score 0.0 to 0.2: mean share called not real 1.00"
        in picture.description
    )
    # Image 2 was called not real by one of two, image 3 by none.
    assert "score 0.8 to 1.0: mean share called not real 0.25 (2 images)" in picture.description
    assert "excluded" not in picture.caption


def test_images_without_a_score_are_counted() -> None:
    picture = classified({2: 0.85})
    assert picture is not None
    assert "2 images without a score are excluded." in picture.caption
    assert "real images" not in picture.description.replace("adversarial images", "")


def test_without_scores_there_is_no_picture_of_the_classifier() -> None:
    assert classified({}) is None
    assert classified({99: 0.5}) is None


def test_thousands_of_images_are_one_bitmap() -> None:
    rows = [
        ReadingRow("R1", 3, place, "real", (REAL, ADVERSARIAL)[place % 2], POSITIVE, 1000, case=str(place))
        for place in range(1, 4103)
    ]
    study = small.record(readings=LongReadings.of(rows))
    picture = figures.classifier_figure(study, PLAN, crowd.scores(study))
    assert picture is not None
    assert picture.svg.count("<image ") == 2
    assert len(picture.svg) < 500_000
    assert "2051 real images" in picture.description
