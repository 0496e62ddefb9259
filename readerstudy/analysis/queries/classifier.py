"""The classifier's scores and the readers' diagnoses, read from the database.

Only `queries.study` calls this, after it has checked that the study is unsealed.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from django.db import connection

from readerstudy.analysis.queries.exclusions import IS_INCLUDED
from readerstudy.analysis.queries.withdrawals import IS_KEPT, keeps_withdrawn
from readerstudy.analysis.record.attack import StudyAttack
from readerstudy.analysis.record.classifier import ClassifierRecord, DiagnosisCounts
from readerstudy.analysis.record.codes import source_pathology
from readerstudy.analysis.record.counts import KINDS
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.protocol.sessions import SessionKind
from readerstudy.reading.models import Reading
from readerstudy.results.evaluation import ThresholdRule
from readerstudy.sealed_work import sealed_work
from readerstudy.studies.models import Allocation, Enrollment, Presentation, ReadingList, SessionPlan, Study
from readerstudy.truth.queries import StimulusTruth, score_sizes, scores_by, truth_of_stimuli, truth_of_study
from readerstudy.truth.terms import Authenticity
from readerstudy.vocabulary import Pathology

POSITIVE, NEGATIVE = "positive", "negative"
QUESTION = "diagnosis"

# To be completed by `truth_of_stimuli`.
_DIAGNOSES = f"""
SELECT enrollment.code, plan.number,
       (CASE WHEN truth.authenticity = %(adversarial)s THEN 2 ELSE 0 END
        + CASE WHEN truth.pathology = %(positive)s THEN 0 ELSE 1 END),
       count(*) FILTER (WHERE reading.answers->>%(question)s = %(answer)s), count(*)
FROM {ReadingList._meta.db_table} list
JOIN {Enrollment._meta.db_table} enrollment ON enrollment.id = list.enrollment_id
JOIN {SessionPlan._meta.db_table} plan ON plan.id = list.session_plan_id
JOIN {Presentation._meta.db_table} presentation ON presentation.reading_list_id = list.id
JOIN {Reading._meta.db_table} reading ON reading.presentation_id = presentation.id
JOIN {{truth}} truth ON truth.stimulus_id = presentation.stimulus_id
WHERE enrollment.study_id = %(study)s AND plan.id = ANY(%(plans)s) AND reading.answers ? %(question)s
      AND NOT presentation.is_repeat AND {IS_INCLUDED} AND {IS_KEPT}
GROUP BY 1, 2, 3
"""


def study_classifier(study: Study, attack: StudyAttack | None, plan: AnalysisPlan) -> ClassifierRecord | None:
    """Return the scores of the evaluated classifier for all images of blinded sessions, and the diagnoses.

    Returns None if nothing was evaluated and no reader was asked for a diagnosis.
    """
    run = attack.classifier if attack else ""
    diagnoses = tuple(_diagnoses(study, plan))
    if not run and not diagnoses:
        return None
    shown = _shown(study)
    stimuli = shown["stimulus"]
    truth = truth_of_study(study)
    sources = [truth[stimulus].source_id for stimulus in stimuli]
    scores = scores_by(run, {*stimuli, *(source for source in sources if source)})
    return ClassifierRecord(
        run=run,
        arm=np.array(shown["arm"], dtype=str),
        session=np.array(shown["session"], dtype=np.int64),
        case=np.array([truth[stimulus].case for stimulus in stimuli], dtype=np.int64),
        kind=np.array([_kind(truth[stimulus]) for stimulus in stimuli], dtype=np.int64),
        patient=np.array(shown["patient"], dtype=np.int64),
        split=np.array(shown["split"], dtype=str),
        score=_aligned(stimuli, scores),
        source_score=_aligned(sources, scores),
        tuning_threshold=_thresholds(study, attack),
        sizes=score_sizes(run, stimuli),
        diagnoses=diagnoses,
    )


_PATHS = {
    "arm": "arm__name",
    "session": "session_plan__number",
    "stimulus": "stimulus_id",
    "patient": "stimulus__image__exam__patient_id",
    "split": "stimulus__image__exam__patient__split",
}


def _shown(study: Study) -> dict[str, list[Any]]:
    """Return columns of the allocations of blinded sessions that are analysed, one element per allocated stimulus."""
    rows = Allocation.analysed().filter(session_plan__study=study, session_plan__kind=SessionKind.BLINDED)
    ordered = rows.order_by("arm__name", "session_plan__number", "position").values_list(*_PATHS.values())
    columns = list(zip(*ordered, strict=True)) or [() for _ in _PATHS]
    return {name: list(column) for name, column in zip(_PATHS, columns, strict=True)}


def _kind(truth: StimulusTruth) -> int:
    """Return the index in KINDS."""
    return KINDS.index((truth.authenticity.value, source_pathology(truth.pathology)))


def _aligned(stimuli: Iterable[int | None], scores: Mapping[int, float]) -> Any:
    """Return the score of each stimulus, (n,); NaN without one."""
    values = [np.nan if stimulus is None else scores.get(stimulus, np.nan) for stimulus in stimuli]
    return np.array(values, dtype=float)


def _thresholds(study: Study, attack: StudyAttack | None) -> dict[str, float]:
    """Return by arm, at its resolution, the threshold that the evaluation found on the tuning split."""
    thresholds = {}
    for arm, resolution in study.arms.values_list("name", "resolution"):
        evaluation = attack.by_resolution.get(resolution) if attack else None
        decisions = evaluation.table.at(ThresholdRule.YOUDEN) if evaluation else None
        if decisions:
            thresholds[arm] = decisions.threshold
    return thresholds


def _diagnoses(study: Study, plan: AnalysisPlan) -> Iterable[DiagnosisCounts]:
    """Yield counts by reader, session and kind, for sessions that ask for a two-way diagnosis."""
    plans = [each.pk for each in SessionPlan.objects.filter(study=study) if asks_for_diagnosis(each)]
    if not plans:
        return
    values: dict[str, Any] = {
        "study": study.pk,
        "plans": plans,
        "keeps_withdrawn": keeps_withdrawn(plan),
        "question": QUESTION,
        "answer": POSITIVE,
        "adversarial": Authenticity.ADVERSARIAL.value,
        "positive": Pathology.POSITIVE.value,
    }
    with sealed_work(), connection.cursor() as cursor:
        cursor.execute(_DIAGNOSES.format(truth=truth_of_stimuli(study)), values)
        rows = cursor.fetchall()
    yield from (DiagnosisCounts(*row) for row in rows)


def asks_for_diagnosis(plan: SessionPlan) -> bool:
    """Return whether the session asks for a diagnosis, positive or negative.

    A plan may define a question of the same name with other choices; its answers are not used.
    """
    questions = [question for question in plan.rules.questions if question.name == QUESTION]
    return any({choice.value for choice in question.choices} == {POSITIVE, NEGATIVE} for question in questions)
