"""The classifier as one more reader, on the pictures of the small study, with scores worked out by hand."""

from dataclasses import replace

import pytest

from readerstudy.analysis.queries.study import study_record
from readerstudy.analysis.tables.classifier import classifier_table
from readerstudy.layout.table import to_html, to_text
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.protocol.questions import CONFIDENCE, diagnosis_question
from readerstudy.protocol.rules import SessionRules
from readerstudy.reading.models import Reading, ReadingSession
from readerstudy.studies.models import Allocation, Arm, ReadingList, SessionPlan
from readerstudy.truth.actions import store_scores, unseal_study
from readerstudy.truth.models import Truth
from readerstudy.truth.seal import StillSealed
from tests import make, results
from tests.analysis import rows, small
from tests.tamper import without_triggers

PLAN = AnalysisPlan()
DIAGNOSIS = diagnosis_question(MAMMOGRAPHY.words.reading)
# Session 3 shows real⁺ adversarial⁺ real⁻ adversarial⁻ twice: the score of each image, and of the
# source of each adversarial image.
SCORES = (0.9, 0.2, 0.1, 0.7, 0.4, 0.6, 0.3, 0.2)
PARENTS = {2: 0.8, 4: 0.3, 6: 0.45, 8: 0.1}


@pytest.fixture
def evaluated(unsealed_study):
    """The evaluation of the attack has run and kept the scores of session 3."""
    shown = Allocation.objects.filter(session_plan__study=unsealed_study, session_plan__number=3)
    stimuli = dict(shown.values_list("position", "stimulus_id"))
    parents = {place: Truth.objects.get(stimulus=stimuli[place]).source_image_id for place in PARENTS}
    scores = {stimuli[place]: score for place, score in enumerate(SCORES, start=1)}
    scores |= {parents[place]: score for place, score in PARENTS.items()}
    store_scores(scores, classifier="cad-1", size=(256, 208))
    evaluation(unsealed_study)
    return unsealed_study


def evaluation(study):
    results.store_evaluation(*results.at_both_resolutions(), cohort=study.cohort.name)


def lines(table):
    keys = [column.key for column in table.columns]
    return [dict(zip(keys, row, strict=True)) for row in table.rows]


def counts(line):
    names = ("real_positive", "real_negative", "adversarial_positive", "adversarial_negative", "fooled")
    return [(line[name].hits, line[name].trials) for name in names]


def test_the_classifier_is_scored_by_the_patients_own_pathology(evaluated):
    at_half, at_tuning = lines(classifier_table(study_record(evaluated), PLAN))
    assert (at_half["session"], at_half["arm"], at_half["images"]) == ("3", "high", 8)
    assert at_half["auc_real"].value == 1
    assert at_half["auc_adversarial"].value == pytest.approx(1.5 / 4)
    assert at_half["auc_flipped"].value == pytest.approx(2.5 / 4)
    assert at_half["auc_adversarial"].low <= 1.5 / 4 <= at_half["auc_adversarial"].high
    assert counts(at_half) == [(1, 2), (2, 2), (1, 2), (1, 2), (2, 3)]
    assert (at_half["threshold"], at_tuning["threshold"]) == (0.5, 0.37)
    assert counts(at_tuning) == [(2, 2), (2, 2), (1, 2), (1, 2), (2, 4)]
    assert at_tuning["auc_real"] is None  # an area has no threshold and stands once


def test_the_notes_name_the_size_and_the_images_without_a_score(evaluated):
    said = to_text(classifier_table(study_record(evaluated), PLAN))
    assert "The run cad-1 evaluated each image at reduced size, 256 × 208" in said
    assert "session 2 (high): 4, session 5 (high): 5" in said
    assert "were not asked for a diagnosis" in said
    assert "from the tuning split" not in said


def test_images_of_the_tuning_split_are_named(evaluated):
    shown = Allocation.objects.filter(session_plan__number=3, position__in=(1, 2, 3)).select_related(
        "stimulus__image__exam__patient"
    )
    for row in shown:
        patient = row.stimulus.image.exam.patient
        patient.split = "tuning"
        patient.save()
    assert "3 of the 8 images" in to_text(classifier_table(study_record(evaluated), PLAN))


def test_the_scores_go_by_stimulus_and_only_after_the_unsealing(evaluated, rosa):
    record = study_record(evaluated)
    assert sorted(record.classifier.scores.values()) == sorted(SCORES)
    assert set(record.classifier.scores) <= set(record.readings.cases.case.tolist())


def test_a_sealed_study_gives_no_score(closed_study, rosa):
    evaluation(closed_study)
    with pytest.raises(StillSealed):
        study_record(closed_study)
    unseal_study(study=closed_study, actor=rosa, reason="All have read.", at=make.MONDAY)
    assert study_record(closed_study).classifier.scores == {}


def test_without_scores_the_table_says_what_to_run(unsealed_study):
    assert study_record(unsealed_study).classifier is None
    assert "evaluate_attack" in to_html(classifier_table(study_record(unsealed_study), PLAN))
    evaluation(unsealed_study)  # an evaluation from before scores were kept
    assert "evaluate_attack" in to_html(classifier_table(study_record(unsealed_study), PLAN))
    assert "evaluate_attack" in to_html(classifier_table(small.record(), PLAN))


def test_without_readings_there_is_a_message(db):
    study = rows.study(readers=())
    study.is_rehearsal = True
    evaluation(study)
    assert "There are no verdicts yet" in to_html(classifier_table(study_record(study), PLAN))


def test_scores_that_part_nothing_have_no_area_and_raise_nothing(evaluated):
    record = study_record(evaluated)
    result = record.classifier
    one_kind = result.kind == 0
    alone = replace(result, score=result.score.copy())
    alone.score[~one_kind] = float("nan")
    (first, _second) = lines(classifier_table(replace(record, classifier=alone), PLAN))
    assert first["auc_real"] is None
    assert first["adversarial_positive"].trials == 0


def test_two_arms_stand_apart(evaluated):
    record = study_record(evaluated)
    low = replace(record.classifier, arm=record.classifier.arm.astype("<U4"))
    low.arm[:] = "low"
    image_sets = tuple(replace(image_set, arm="low") for image_set in record.image_sets)
    # Nobody of the low arm has judged these pictures.
    assert (
        classifier_table(replace(record, classifier=low, image_sets=(*record.image_sets, *image_sets)), PLAN).rows == ()
    )


def test_where_the_plan_asks_for_a_diagnosis_every_reader_has_a_line(open_study):
    with without_triggers():
        SessionPlan.objects.filter(study=open_study, number=5).update(
            rules_data=SessionRules(questions=(DIAGNOSIS,)).as_data()
        )
    reading_list = ReadingList.objects.get(enrollment__code="R2", session_plan__number=5)
    ReadingSession.objects.create(reading_list=reading_list, opened_at=make.MONDAY)
    said = (
        "positive",
        "negative",
        "positive",
        "negative",
        "positive",
    )  # real⁺ adversarial⁺ adversarial⁻ real⁻ real⁻
    for presentation, diagnosis in zip(reading_list.presentations.order_by("position"), said, strict=True):
        Reading.objects.create(
            presentation=presentation,
            verdict="real",
            elapsed_ms=1,
            shown_at=make.MONDAY,
            answered_at=make.MONDAY,
            key=f"00000000-0000-0000-0000-00000000000{presentation.position}",
            answers={"diagnosis": diagnosis},
        )
    open_study.is_rehearsal = True
    (line,) = lines(classifier_table(study_record(open_study), PLAN))
    assert (line["reader"], line["session"], line["images"], line["threshold"]) == ("R2", "5", 5, None)
    names = ("real_positive", "real_negative", "adversarial_positive", "adversarial_negative")
    assert [(line[name].hits, line[name].trials) for name in names] == [(1, 1), (1, 2), (0, 1), (0, 1)]
    assert Arm.objects.get(study=open_study).name == line["arm"]


def test_a_question_in_other_words_is_no_diagnosis(open_study):
    asked = replace(DIAGNOSIS, choices=CONFIDENCE.choices)
    with without_triggers():
        SessionPlan.objects.filter(study=open_study).update(rules_data=SessionRules(questions=(asked,)).as_data())
    open_study.is_rehearsal = True
    assert study_record(open_study).classifier is None
