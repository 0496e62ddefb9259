"""The detector compared with the readers, on the pictures of the small study, with scores worked out by hand."""

import pytest

from readerstudy.analysis.queries.study import study_record
from readerstudy.analysis.report.chapters import Chapters
from readerstudy.analysis.tables.detector import detector_table
from readerstudy.experiments.models import Checkpoint, CheckpointKind
from readerstudy.layout.table import to_html, to_text
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.studies.models import Allocation
from readerstudy.truth.actions import store_scores, unseal_study
from readerstudy.truth.seal import StillSealed
from tests import make, results
from tests.analysis import small

PLAN = AnalysisPlan()
# Session 3 shows real⁺ adversarial⁺ real⁻ adversarial⁻ twice; the probability that each picture was altered.
SCORES = (0.1, 0.9, 0.6, 0.8, 0.2, 0.3, 0.1, 0.7)


def detector(study, name="guard", attacks=("gan-insert", "gan-remove"), threshold=0.5):
    return Checkpoint.objects.create(
        name=name,
        kind=CheckpointKind.DETECTOR,
        cohort=study.cohort.name,
        preset="demo",
        seed=1,
        split_hash="s",
        code_version="1",
        folder=name,
        made_at=make.MONDAY,
        metrics={"threshold": threshold, "attacks": list(attacks)},
    )


def judged(study, name="guard", scores=SCORES):
    shown = Allocation.objects.filter(session_plan__study=study, session_plan__number=3)
    stimuli = dict(shown.values_list("position", "stimulus_id"))
    by_stimulus = {stimuli[place]: score for place, score in enumerate(scores, start=1)}
    store_scores(by_stimulus, classifier=name, size=(256, 208))


@pytest.fixture
def guarded(unsealed_study):
    detector(unsealed_study)
    judged(unsealed_study)
    return unsealed_study


def lines(table):
    keys = [column.key for column in table.columns]
    return [dict(zip(keys, row, strict=True)) for row in table.rows]


def test_the_detector_and_the_readers_answer_for_the_same_pictures(guarded):
    machine, people = lines(detector_table(study_record(guarded), PLAN))
    assert (machine["session"], machine["arm"], machine["reader"], machine["images"]) == ("3", "high", "guard", 8)
    # Real: 0.1, 0.6, 0.2, 0.1; altered: 0.9, 0.8, 0.3, 0.7. At 0.5 one of each is wrong.
    assert [(machine[name].hits, machine[name].trials) for name in ("real", "adversarial", "all")] == [
        (3, 4),
        (3, 4),
        (6, 8),
    ]
    assert machine["auc"].value == pytest.approx(15 / 16)
    assert machine["auc"].low <= 15 / 16 <= machine["auc"].high
    # R1 said r n r r r n u n: 3 of 4 real pictures right, 3 of 4 altered ones; R2 n n n n: 0 of 2 and 2 of 2.
    assert (people["reader"], people["images"], people["threshold"]) == ("mean of readers", 8, None)
    assert (people["real"], people["adversarial"], people["all"]) == (
        pytest.approx((3 / 4 + 0) / 2),
        pytest.approx((3 / 4 + 1) / 2),
        pytest.approx((6 / 8 + 2 / 4) / 2),
    )
    # R1: real r r r u, altered n r n n; R2 calls everything not real, which is an area of .5. Pooled: .736.
    assert people["auc"] == pytest.approx(((3 * 4 + 1 * 1.5) / 16 + 0.5) / 2)


def test_unsure_counts_by_the_rule_of_the_plan(guarded):
    _machine, people = lines(detector_table(study_record(guarded), AnalysisPlan(unsure="excluded")))
    assert people["real"] == pytest.approx((3 / 3 + 0 / 2) / 2)


def test_the_training_attacks_are_named(guarded):
    assert "the attack that this study shows" in to_text(detector_table(study_record(guarded), PLAN))
    Checkpoint.objects.update(metrics={"threshold": 0.5, "attacks": ["pgd-4"]})
    said = to_text(detector_table(study_record(guarded), PLAN))
    assert "trained on adversarial images by pgd-4, not by the attack of this study" in said
    assert "tuning split" not in said


def test_images_of_the_tuning_split_are_named(guarded):
    shown = Allocation.objects.filter(session_plan__number=3, position__in=(1, 2))
    for row in shown.select_related("stimulus__image__exam__patient"):
        patient = row.stimulus.image.exam.patient
        patient.split = "tuning"
        patient.save()
    assert "2 of the images scored by guard" in to_text(detector_table(study_record(guarded), PLAN))


def test_several_detectors_stand_one_below_the_other(guarded):
    detector(guarded, "second", attacks=("pgd-4",), threshold=0.95)
    judged(guarded, "second")
    result = lines(detector_table(study_record(guarded), PLAN))
    assert [line["reader"] for line in result] == ["guard", "mean of readers", "second", "mean of readers"]
    assert result[2]["adversarial"].hits == 0


def test_a_sealed_study_gives_no_detector_away(closed_study, rosa):
    detector(closed_study)
    judged(closed_study)
    with pytest.raises(StillSealed):
        study_record(closed_study)
    unseal_study(study=closed_study, actor=rosa, reason="All have read.", at=make.MONDAY)
    assert len(study_record(closed_study).detectors) == 1


def test_without_a_detector_the_report_has_no_such_table(unsealed_study):
    detector(unsealed_study)  # trained, but it never judged these pictures
    assert study_record(unsealed_study).detectors == ()
    assert detector_table(small.record(), PLAN) is None
    keys = [item.key for item in Chapters(small.record(), PLAN, None).supporting.items]
    assert "detector" not in keys


def test_the_report_has_the_table_behind_the_classifier(guarded):
    items = Chapters(study_record(guarded), PLAN, None).supporting.items
    (table,) = [item for item in items if item.key == "detector"]
    assert table.title == "The detector compared with the readers"
    assert "guard" in to_html(table)


def test_of_several_evaluated_attacks_the_report_shows_the_studys(unsealed_study):
    pgd = results.attack_evaluation((1, 9), name="pgd-4", runs=("pgd-4",))
    own = results.attack_evaluation((7, 9))
    reference = results.evaluation_result(pgd, own)
    other = results.evaluation_result(pgd, results.attack_evaluation((2, 9)), classifier="cad-2")
    results.store_evaluation(reference, other, cohort=unsealed_study.cohort.name)
    attack = study_record(unsealed_study).attack
    assert set(attack.runs) == {"gan-insert", "gan-remove"}
    assert attack.by_resolution["high"].table.decisions[0].fooled.hits == 7
    assert attack.classifier == "cad-1"
