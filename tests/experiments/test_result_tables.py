"""Results of jobs as tables, in the language of the page."""

from dataclasses import replace

import pytest
from django.utils.translation import override

from readerstudy.errors import BadInput
from readerstudy.experiments.models import Evaluation
from readerstudy.experiments.tables.changes import changes_table
from readerstudy.experiments.tables.evaluation import comparison_table, evaluation_tables, table_1, transfer_table
from readerstudy.experiments.tables.results import result_data, result_sections, result_text
from readerstudy.experiments.tables.trivial_controls import controls_table
from readerstudy.layout.table import to_text
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.results.cross_validation import CrossValidated, FoldResult
from readerstudy.results.detector import DetectorResult, DetectorRow, Pool
from readerstudy.results.evaluation import AreaComparison, ReferenceComparison, Variant, read_evaluation
from readerstudy.serialise import to_dict
from tests import results

FIRST = results.evaluation_result()
COMPARED = ReferenceComparison(AreaComparison(0.1, -0.1, 0.3, 0.25), {"GAN": None})
SECOND = replace(results.evaluation_result(classifier="cad-2"), compared=COMPARED)


def test_table_1_has_attacks_and_baselines_across():
    lines = to_text(table_1(FIRST)).splitlines()
    assert "GAN, identity baseline" in lines[2]
    assert lines[2].endswith("GAN, sham")
    rows = {line.split("  ")[0]: line for line in lines}
    assert "0.820 0.700–0.900" in rows["AUC real"]
    assert "+0.120 −0.010 to +0.250, p <0.001" in rows["AUC adversarial minus real (DeLong, by patient)"]
    assert "at threshold 0.370 (tuning)" in rows
    assert rows["fooled, all"].count("/363") == 3
    assert rows["fooled by insertion, of real negatives right"].count("no images") == 3


def test_an_unchanged_baseline_is_not_applicable_in_any_table():
    attack = results.without_change(results.attack_evaluation())
    first = results.evaluation_result(attack)
    rows = {line.split("  ")[0]: line for line in to_text(table_1(first)).splitlines()}
    assert rows["fooled, all"].count("not applicable") == 1
    assert rows["fooled, all"].count("/363") == 2
    assert "not applicable" in rows["AUC adversarial, labels flipped"]
    assert "not applicable" in rows["AUC adversarial minus real (DeLong, by patient)"]
    for label in ("images", "AUC real", "real positives right", "real negatives right"):
        assert "not applicable" not in rows[label]
    (line,) = (line for line in to_text(comparison_table([first])).splitlines() if "identity baseline" in line)
    assert line.count("not applicable") == 4
    transfer = replace(first.transfers[0], variant=Variant.IDENTITY, is_applicable=False)
    assert "not applicable" in to_text(transfer_table([*first.transfers, transfer]))


def test_the_size_of_the_change_has_a_row_for_each_attack_and_direction():
    attacks = [results.attack_evaluation(name="whole"), results.attack_evaluation(name="least")]
    lines = to_text(changes_table(results.evaluation_result(*attacks), MAMMOGRAPHY)).splitlines()
    (row,) = (line for line in lines if line.startswith("least"))
    assert "Altered so that the AI sees no cancer" in row
    for figure in ("42.5", "1.25", "21.5", "3.10", "2.0", "69.1"):
        assert figure in row.split()
    earlier = replace(results.attack_evaluation(), changes=())
    keys = [table.key for table in evaluation_tables(results.evaluation_result(earlier), [FIRST], MAMMOGRAPHY)]
    assert "changes" not in keys


def test_every_column_of_an_evaluation_has_a_heading():
    for table in (comparison_table([FIRST, SECOND]), *evaluation_tables(SECOND, [FIRST, SECOND], MAMMOGRAPHY)):
        assert all(column.title for column in table.columns), table.key


def test_a_single_classifier_is_not_compared():
    keys = [table.key for table in evaluation_tables(FIRST, [FIRST], MAMMOGRAPHY)]
    assert keys == ["table1", "controls", "attacks", "changes", "subgroups-0", "calibration"]
    keys = [table.key for table in evaluation_tables(SECOND, [FIRST, SECOND], MAMMOGRAPHY)]
    assert (keys[0], keys[-1]) == ("comparison", "transfer")


def test_classifiers_are_compared_with_the_reference():
    table = comparison_table([FIRST, SECOND])
    assert [(row[0], row[1]) for row in table.rows] == [
        (name, attack) for name in ("cad-1", "cad-2") for attack in ("GAN", "GAN, identity baseline", "GAN, sham")
    ]
    text = to_text(table)
    assert "+0.100 −0.100 to +0.300, p 0.250" in text
    assert "not estimable" in text


def test_controls_stand_below_the_classifiers_own_area():
    lines = to_text(controls_table(FIRST)).splitlines()
    rows = {line.split("  ")[0]: " ".join(line.split("  ")[1:]).split() for line in lines if line}
    assert rows["for comparison: cad-1"] == ["0.820", "0.700–0.900", "—"]
    assert rows["width, height and bits of the file"] == ["0.800", "0.710–0.880", "3"]
    assert rows["brightest pixel"] == ["0.500", "0.500–0.500", "1"]
    assert lines[-1] == "Intervals above 0.5: width, height and bits of the file; mean grey level."


def test_harmless_controls_are_called_so():
    harmless = replace(FIRST, controls=(FIRST.controls[1], FIRST.controls[3]))
    assert controls_table(harmless).notes == ("No control’s interval lies above 0.5.",)


def test_an_evaluation_without_controls_says_what_to_do():
    text = to_text(controls_table(replace(FIRST, controls=())))
    assert "evaluate again" in text
    assert "0.5" not in text
    one_class = replace(FIRST, controls=(replace(FIRST.controls[0], auc=None),))
    assert "one class only" in to_text(controls_table(one_class))


def test_the_transfer_table_names_the_target():
    table = transfer_table(SECOND.transfers)
    assert [column.key for column in table.columns] == ["attack", "target", "cad-1", "cad-2"]
    assert table.rows[0][:2] == ("GAN", "cad-1")


@pytest.mark.django_db
def test_a_jobs_result_is_shown_from_the_stored_evaluations():
    low, high = (replace(FIRST, resolution=resolution) for resolution in ("low", "high"))
    rows = results.store_evaluation(low, high, cohort="films")
    result = rows[0].job.result
    text = result_text(result)
    assert text.index("low resolution") < text.index("Table 1: cad-1") < text.index("high resolution")
    assert "Subgroups: GAN" in text
    keys = [table.key for section in result_sections(result) for table in section.tables]
    assert len(set(keys)) == len(keys) == 12
    assert [row["resolution"] for row in result_data(result)["evaluations"]] == ["low", "high"]


@pytest.mark.django_db
def test_several_classifiers_are_shown_with_their_comparison():
    rows = results.store_evaluation(FIRST, SECOND, cohort="films")
    (section,) = result_sections(rows[0].job.result)
    titles = [table.title for table in section.tables]
    assert titles[:4] == ["Table 1: cad-1", "Table 1: cad-2", "Trivial controls", "Classifiers side by side"]


@pytest.mark.django_db
def test_only_the_current_format_of_an_evaluation_is_read():
    (row,) = results.store_evaluation(FIRST, cohort="films")
    assert Evaluation.objects.get(pk=row.pk).read() == FIRST
    with pytest.raises(BadInput, match="evaluate again"):
        read_evaluation({"shown": []})


def test_a_detector_is_shown_with_its_pools():
    rows = (
        DetectorRow("gan", None, True, 4, results.REAL_AREA, results.share(3, 4), results.share(4, 4)),
        DetectorRow("", Pool.HELD_OUT, False, 8, None, results.share(1, 4), results.share(0, 0)),
    )
    text = result_text({"format": "detector/1", "run": "guard", "steps": 5, **to_dict(DetectorResult(0.5, rows))})
    for words in ("Detector guard, at threshold 0.500", "all held out", "one class only", "no images", "75.0 %"):
        assert words in text


@pytest.mark.django_db
def test_a_cross_validation_has_its_folds_and_table_1():
    folds = (FoldResult(0, 10, 4, 0.4, None), FoldResult(1, 12, 5, 0.6, results.REAL_AREA))
    result = CrossValidated(folds, 0.82, results.attack_table((2, 9)), results.REAL_AREA, results.CONTROLS)
    text = result_text({"format": "cross-validation/1", "run": "folds", **to_dict(result)})
    for words in (
        "Cross-validation by patient",
        "Malignant",
        "mean of the folds",
        "one class only",
        "Table 1 over all folds",
        "Trivial controls over all folds",
        "for comparison: the classifiers of all folds",
        "Intervals above 0.5: width, height and bits of the file; mean grey level.",
    ):
        assert words in text
    assert text.index("Table 1 over all folds") < text.index("Trivial controls")
    earlier = {name: value for name, value in to_dict(result).items() if name != "controls"}
    assert "Trivial controls" not in result_text({"format": "cross-validation/1", "run": "folds", **earlier})
    without = result_text({"format": "cross-validation/1", "run": "folds", **to_dict(replace(result, pooled=None))})
    assert "Table 1" not in without


@pytest.mark.parametrize("result", [None, "done", {"run": "cad"}, {"format": "other/1"}])
def test_other_results_have_no_tables(result):
    assert result_sections(result) == []
    assert result_text(result) == ""
    assert result_data(result) == result


def test_stored_values_contain_no_translated_text(monkeypatch):
    """The same stored figures are shown in the language of the page."""
    monkeypatch.setattr("readerstudy.experiments.tables.evaluation._", lambda sentence: f"«{sentence}»")
    with override("en"):
        assert "«AUC real»" in to_text(table_1(FIRST))
    assert "AUC" not in str(to_dict(FIRST))
